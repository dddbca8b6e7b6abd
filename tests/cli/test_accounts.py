"""What `loyalty account`, `entries` and `tier` show."""

from google.protobuf.timestamp_pb2 import Timestamp

from loyalty.v1.account_service_pb2 import (
    Account,
    BalanceChange,
    Benefit,
    Entry,
    GetTierResponse,
    Hold,
    Lot,
)
from loyalty.v1.ledger_service_pb2 import Movement
from server.cli import console
from server.cli.accounts import print_account, print_entries
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
    keeps = Hold(
        hold_id="H-1", business_unit="market", currency="point", points=1200, expire_time=until
    )
    lets = Hold(hold_id="R-1", business_unit="hotel", currency="point", points=5, recalled=True)
    lets.points_expire = True
    answer.holds.extend([keeps, lets])
    with console.out.capture() as captured:
        print_account(answer)
    assert "held   1,200 point by market, hold H-1 until 2026-05-28 20:26 UTC\n" in captured.get()
    assert "held   5 point by hotel, recall R-1, to expire in their time\n" in captured.get()


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


def entry(kind: str, points: int, after: int | None, **change: int) -> Entry:
    movement = Movement(kind=kind, currency="point", points=points)
    return Entry(movement=movement, available_after=after, change=BalanceChange(**change))


def test_what_a_line_of_a_statement_took_has_a_minus() -> None:
    taken = entry("points_clawed_back", 300, 700, available=-300)
    earned = entry("points_earned", 1_000, 1_000, available=1_000)
    with console.out.capture() as captured:
        print_entries([taken, earned])
    heads, _, first, second = captured.get().splitlines()[2:6]
    assert heads.split() == ["occurred", "unit", "what", "document", "currency", "points", "after"]
    assert first.split()[-3:] == ["point", "-300", "700"]
    assert second.split()[-3:] == ["point", "+1,000", "1,000"]


def test_a_statement_shows_where_points_are_besides_those_to_spend() -> None:
    pending = entry("pending_clawed_back", 40, None, pending=-40)
    held = entry("points_held", 50, 950, available=-50, held=50)
    with console.out.capture() as captured:
        print_entries([pending, held])
    heads, _, first, second = captured.get().splitlines()[2:6]
    assert heads.split()[-4:] == ["points", "after", "pending", "held"]
    assert first.split()[-2:] == ["point", "-40"]
    assert second.split()[-4:] == ["point", "-50", "950", "+50"]


def test_what_keeps_a_tier_is_told_with_its_end_and_its_window() -> None:
    told = GetTierResponse(tier="silver", projected_tier="basic")
    told.valid_until_time.FromJsonString("2028-01-01T00:00:00Z")
    need = told.keep.add().needs.add(metric="spend", subject="USD", have=0, want=80_000)
    need.missing = 80_000
    need.window_start_time.FromJsonString("2027-01-01T00:00:00Z")
    need.window_end_time.FromJsonString("2028-01-01T00:00:00Z")
    with console.out.capture() as captured:
        print_tier(told)
    assert "To keep silver beyond 2028-01-01 00:00 UTC" in captured.get()
    assert "2027-01-01 00:00 UTC  2028-01-01 00:00 UTC" in captured.get()
    assert "800.00 USD" in captured.get()
    need.missing = 0
    with console.out.capture() as captured:
        print_tier(told)
    assert "Enough to keep silver beyond 2028-01-01 00:00 UTC" in captured.get()
    del told.keep[:]
    with console.out.capture() as captured:
        print_tier(told)
    assert "nothing that is counted keeps silver beyond 2028-01-01 00:00 UTC" in captured.get()


def test_how_a_tier_came_about_is_told_and_what_is_not_recorded_yet() -> None:
    told = GetTierResponse(tier="basic")
    told.changes.add(to_tier="basic", line="tier basic after gold")
    told.changes.add(to_tier="gold", line="tier gold: given by staff", entry_id="0198-e")
    told.changes[1].recorded_time.FromJsonString("2026-11-29T12:00:00Z")
    with console.out.capture() as captured:
        print_tier(told)
    due, recorded = (
        line for line in captured.get().splitlines() if line.lstrip().startswith("1970")
    )
    assert "due, not recorded yet" in due
    assert recorded.split()[-1] == "0198-e"
