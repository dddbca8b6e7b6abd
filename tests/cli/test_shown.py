"""What commands show of members, of what moved with a write, and of a settlement."""

import pytest

import projections
from ledger.core.events import EFFECTS, NO_EFFECT
from loyalty.v1.audit_service_pb2 import GetSettlementResponse
from loyalty.v1.ledger_service_pb2 import Movement
from loyalty.v1.member_service_pb2 import Member
from loyalty.v1.types_pb2 import MEMBERSHIP_STATE_MERGED, MEMBERSHIP_STATE_SUSPENDED
from server.cli import console, history
from server.cli.members import print_member
from server.cli.movements import print_movements
from server.cli.periods import print_settlement


def test_a_member_is_shown_with_how_far_they_take_part() -> None:
    member = Member(
        member_id="m-1",
        business_unit="market",
        identity_schemes=["card", "phone"],
        membership=MEMBERSHIP_STATE_SUSPENDED,
    )
    member.enrol_time.FromJsonString("2026-11-29T12:00:00Z")
    with console.out.capture() as captured:
        print_member(member)
    assert captured.get().splitlines() == [
        "member m-1   tier none   suspended",
        "joined   2026-11-29 12:00 UTC at market",
        "known by   card, phone",
    ]
    member.membership, member.merged_into, member.tier = MEMBERSHIP_STATE_MERGED, "m-2", "gold"
    with console.out.capture() as captured:
        print_member(member)
    assert captured.get().startswith("member m-1   tier gold   merged\n")
    assert captured.get().endswith("merged into   m-2\n")


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("points_burned", "points burned   -1,200 point"),
        ("points_clawed_back", "points clawed back   -1,200 point"),
        ("pending_clawed_back", "pending clawed back   -1,200 point pending"),
        ("points_sent", "points sent   -1,200 point, +1,200 in transit"),
        ("arrears_repaid", "arrears repaid   -1,200 point, -1,200 owed"),
    ],
)
def test_what_moved_is_shown_with_its_sign(kind: str, shown: str) -> None:
    with console.out.capture() as captured:
        print_movements([Movement(kind=kind, currency="point", points=1_200)])
    assert captured.get() == f"{shown}\n"


def test_every_kind_that_moves_points_can_be_shown() -> None:
    moving = [kind for kind, effect in EFFECTS.items() if effect != NO_EFFECT]
    with console.out.capture() as captured:
        print_movements(Movement(kind=kind, currency="point", points=7) for kind in moving)
    lines = captured.get().splitlines()
    assert len(lines) == len(moving)
    assert all("+7 " in line or "-7 " in line for line in lines)


def test_rebuild_names_every_projection() -> None:
    assert tuple(each.name for each in projections.PROJECTIONS) == history.PROJECTIONS


def test_a_settlement_is_shown_in_major_units_and_exactly() -> None:
    answer = GetSettlementResponse()
    flow = answer.flows.add(issuer="market", business_unit="hotel", currency="point", burned=500)
    flow.paid.currency_code, flow.paid.minor_units = "USD", 1_250
    for account, amount in (("market", "-1250"), ("hotel", "1250"), ("rest", "-401/4")):
        answer.parties.add(account=account).amounts.add(currency_code="USD", minor_units=amount)
    with console.out.capture() as captured:
        print_settlement(answer)
    for told in ("12.50 USD", "market   -12.50 USD", "rest   -401/4 minor units of USD"):
        assert told in captured.get()
