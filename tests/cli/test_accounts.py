"""What `loyalty account` and `loyalty tier` show."""

from google.protobuf.timestamp_pb2 import Timestamp

from loyalty.v1.account_service_pb2 import Account, Benefit, GetTierResponse, Hold, Lot
from server.cli import console
from server.cli.accounts import print_account
from server.cli.tiers import print_tier


def test_open_benefits_are_shown_with_their_end() -> None:
    until = Timestamp(seconds=1_780_000_000)
    answer = Account(member_id="m-1")
    answer.benefits.append(Benefit(benefit="late-checkout", quantity=2, expire_time=until))
    with console.out.capture() as captured:
        print_account(answer)
    assert "may use   2 late-checkout until 2026-05-28 20:26 UTC" in captured.get()


def test_a_hold_is_shown_with_its_end_and_whether_its_points_may_expire_before() -> None:
    until = Timestamp(seconds=1_780_000_000)
    answer = Account(member_id="m-1")
    keeps = Hold(business_unit="market", currency="point", points=1200, expire_time=until)
    lets = Hold(business_unit="hotel", currency="point", points=5, points_expire=True)
    answer.holds.extend([keeps, lets])
    with console.out.capture() as captured:
        print_account(answer)
    assert "held   1,200 point by market until 2026-05-28 20:26 UTC\n" in captured.get()
    assert "held   5 point by hotel, to expire in their time\n" in captured.get()


def test_ends_are_instants_for_the_zone_in_which_they_end_a_day_is_not_known() -> None:
    ends = Timestamp()
    ends.FromJsonString("2027-02-28T23:00:00Z")
    answer = Account(member_id="m-1", tier="gold", tier_valid_until_time=ends)
    answer.lots.append(Lot(issuer="market", funder="market", available=1, expire_time=ends))
    answer.balances.add(currency="point", next_expire_time=ends, next_expire_points=1)
    with console.out.capture() as captured:
        print_account(answer)
    assert "tier gold until 2027-02-28 23:00 UTC" in captured.get()
    assert "1 at 2027-02-28 23:00 UTC" in captured.get()
    assert captured.get().count("2027-02-28 23:00 UTC") == 3
    told = GetTierResponse(tier="gold", valid_until_time=ends, projected_time=ends)
    told.projected_tier = "basic"
    with console.out.capture() as captured:
        print_tier(told)
    assert "gold until 2027-02-28 23:00 UTC" in captured.get()
    assert "from 2027-02-28 23:00 UTC: basic" in captured.get()


def test_who_pays_for_lots_is_shown_where_it_is_not_their_issuer() -> None:
    answer = Account(member_id="m-1", lots=[Lot(issuer="market", funder="market", available=1)])
    for payer, shown in (("market", False), ("promotions", True)):
        answer.lots[0].funder = payer
        with console.out.capture() as captured:
            print_account(answer)
        assert ("paid by" in captured.get()) is shown
        assert ("promotions" in captured.get()) is shown
