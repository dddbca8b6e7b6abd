"""The worked scenarios, with their numbers, as far as the core decides them.

What the rules would grant is given; expiry instants are inputs.
"""

import pytest

from ledger.core.decide import Outcome
from ledger.core.events import kind_of
from ledger.core.refusals import (
    HoldResolved,
    InsufficientPoints,
    MoreThanHeld,
)
from loyalty.v1.events_pb2 import (
    ArrearsIncurred,
    ArrearsRepaid,
    PointsClawedBack,
)
from tests.core.spec import CANCELLED, PENDING, Grant, Story, drawn, moved, utc


def test_s01_versions_out_of_order_end_in_the_newest_state() -> None:
    story = Story().at("2025-03-01T12:00")
    assert moved(story.posts("D1", 1, 100).facts) == [("points_earned", 100)]
    assert moved(story.posts("D1", 3, 40).facts) == [("points_clawed_back", 60)]
    late = story.posts("D1", 2, 70)
    assert late.outcome is Outcome.SUPERSEDED
    assert not late.facts
    assert story.posts("D1", 2, 75).outcome is Outcome.SUPERSEDED
    assert (story.available, story.total("points_clawed_back")) == (40, 60)


def test_s02_partial_returns_take_the_promotion_back() -> None:
    story = Story()
    promotion = Grant(50, rule="promotion")
    v1 = story.posts("D1", 1, 100, promotion)
    assert sum(points for _, points in moved(v1.facts)) == 150
    assert moved(story.posts("D1", 2, 67).facts) == [("points_clawed_back", 83)]
    assert moved(story.posts("D1", 3, 33).facts) == [("points_clawed_back", 34)]
    assert moved(story.posts("D1", 4).facts) == [("points_clawed_back", 33)]
    second = Story()
    second.posts("D1", 1, 100, promotion)
    assert moved(second.posts("D1", 2).facts) == [("points_clawed_back", 150)]
    assert (story.available, second.available) == (0, 0)


def test_s03_a_version_that_changes_nothing_is_recorded() -> None:
    story = Story()
    story.posts("D1", 1, 60, Grant(20, rule="promotion"))
    v2 = story.posts("D1", 2, 60, Grant(20, rule="promotion"))
    assert [kind_of(fact.event) for fact in v2.facts] == ["document_posted"]
    assert moved(story.posts("D1", 3, 30).facts) == [("points_clawed_back", 50)]
    assert story.available == 30


def test_s05_a_cancelled_document_may_become_final_again() -> None:
    story = Story()
    story.posts("D1", 1, 50, Grant(200, rule="welcome"))
    story.posts("D0", 1, 30)
    assert moved(story.posts("D1", 2, status=CANCELLED).facts) == [("points_clawed_back", 250)]
    story.posts("D2", 1, 20, Grant(200, rule="welcome"))
    assert moved(story.posts("D1", 3, 50).facts) == [("points_earned", 50)]
    assert story.heads["D1"].pinned
    assert story.available == 300


def test_s07_a_pending_stay_is_finalised() -> None:
    story = Story().at("2025-03-01")
    balances = []
    for version, points, status in [(1, 200, PENDING), (2, 180, PENDING)]:
        story.posts("R1", version, points, status=status)
        balances.append((story.pending, story.available))
    v3 = story.posts("R1", 3, 420)
    assert moved(v3.facts) == [("points_released", 180), ("points_earned", 240)]
    balances.append((story.pending, story.available))
    story.posts("R1", 4, 380)
    balances.append((story.pending, story.available))
    assert balances == [(200, 0), (180, 0), (0, 420), (0, 380)]
    assert story.total("points_pended") + story.total("points_earned") == 440
    assert story.total("pending_clawed_back") + story.total("points_clawed_back") == 60


def test_s09_part_paid_with_points() -> None:
    story = Story().at("2025-03-01").has_lot("L1", 5000)
    burn = story.burns(3000)
    assert story.available == 2000
    story.posts("D1", 1, 70)
    assert story.available == 2070
    story.at("2025-03-02").posts("D1", 2, 60)
    assert story.available == 2060
    story.reverses(burn)
    assert story.available == 5060
    story.at("2025-03-03").posts("D1", 3, 45)
    assert story.available == 5045


def test_s10_what_was_burned_meanwhile_becomes_arrears() -> None:
    story = Story()
    story.posts("D1", 1, 100)
    story.burns(70)
    gone = story.posts("D1", 2)
    assert moved(gone.facts) == [("points_clawed_back", 30), ("arrears_incurred", 70)]
    assert (story.available, story.arrears) == (0, 70)
    assert [(debt.business_unit, debt.points) for debt in story.account.debts] == [("A", 70)]


def test_s12_draws_follow_expiry_then_purchase_then_record() -> None:
    story = Story().at("2025-03-01")
    story.has_lot("L1", 50, earned="2025-01-01")
    story.has_lot("L2", 40, expires="2025-07-01", earned="2025-02-01")
    story.has_lot("L3", 30, expires="2025-07-01", earned="2025-01-15")
    story.has_lot("L4", 20, expires="2025-06-01", earned="2025-03-01")
    story.has_lot("L5", 10, expires="2025-07-01", earned="2025-02-01")
    first = story.at("2025-03-02").burns(75)
    assert drawn(first, "points_burned") == {"L4": 20, "L3": 30, "L2": 25}
    second = story.at("2025-03-03").burns(45)
    assert drawn(second, "points_burned") == {"L2": 15, "L5": 10, "L1": 20}
    assert story.lots_left == {"L1": 30}


def test_s12b_the_earlier_purchase_is_drawn_first_though_recorded_later() -> None:
    story = Story().at("2025-01-20")
    y = story.posts("Y", 1, 10, occurred="2025-01-20")
    x = story.at("2025-02-10").posts("X", 1, 10, occurred="2025-01-10")
    assert y.account.lots[0].lot_id == "e1.1"
    assert [lot.lot_id for lot in x.account.lots] == ["e2.1", "e1.1"]
    assert drawn(story.at("2025-03-02").burns(10), "points_burned") == {"e2.1": 10}


def test_s13_lots_expire_when_they_come_back_from_a_hold() -> None:
    story = Story().has_lot("L1", 100, expires="2025-04-01").has_lot("L2", 100)
    story.at("2025-03-30T10:00").holds("H", 150, until="2025-04-02T10:00")
    story.at("2025-04-01T12:00").passes_time()
    assert (story.available, story.held, story.total("points_expired")) == (50, 150, 0)
    story.captures("H", 60)
    with pytest.raises(HoldResolved) as refused:
        story.at("2025-04-02T11:00").captures("H", 10, final=True)
    assert refused.value.fields == {
        "hold_id": "H",
        "first_outcome": "TIMED_OUT",
        "resolved_at": "2025-04-02T10:00:00Z",
    }
    released, expired = story.facts[-2:]
    assert (kind_of(released.event), released.occurred_at) == (
        "hold_released",
        utc("2025-04-02T10:00"),
    )
    assert (kind_of(expired.event), expired.occurred_at) == (
        "points_expired",
        utc("2025-04-02T10:00"),
    )
    assert (story.available, story.total("hold_captured"), story.total("points_expired")) == (
        100,
        60,
        40,
    )


def test_s14_several_captures_then_a_final_one() -> None:
    story = Story().has_lot("L1", 60, expires="2025-12-31").has_lot("L2", 60)
    story.holds("H", 100)
    first = story.captures("H", 90)
    with pytest.raises(MoreThanHeld) as too_much:
        story.captures("H", 20)
    assert too_much.value.fields == {"left": 10, "requested": 20}
    last = story.captures("H", 5, final=True)
    assert moved(last.facts) == [("hold_captured", 5), ("hold_released", 5)]
    with pytest.raises(HoldResolved) as over:
        story.releases("H")
    assert over.value.first_outcome == "CAPTURED"
    assert over.value.resolved_by == last.facts[0].event.entry_id  # type: ignore[union-attr]
    assert drawn(first, "hold_captured") == {"L1": 60, "L2": 30}
    assert drawn(last, "hold_captured") == {"L2": 5}
    assert story.lots_left == {"L2": 25}
    assert (story.available, story.held) == (25, 0)


@pytest.mark.parametrize(
    ("grace", "on_the_5th", "on_the_20th"), [(None, 50, 50), ("2025-04-16", 150, 50)]
)
def test_s15_a_reversed_burn_comes_back_with_its_expiry(
    grace: str | None, on_the_5th: int, on_the_20th: int
) -> None:
    story = Story().has_lot("L1", 100, expires="2025-04-01").has_lot("L2", 50)
    burn = story.at("2025-03-20").burns(120)
    story.at("2025-04-05T12:00").reverses(burn, 120, grace=grace)
    assert story.available == on_the_5th
    if grace:
        assert story.lot("L1").expires_at == utc("2025-04-16")
    story.at("2025-04-20").passes_time()
    assert story.available == on_the_20th
    assert story.total("points_expired") == 100


def test_s16_reversals_are_net() -> None:
    story = _s16()
    story.at("2025-07-02").passes_time()
    assert story.available == 50


def test_s16b_a_reversal_taken_back_may_be_given_again() -> None:
    story = _s16()
    story.at("2025-03-06").reverses("e2")
    assert story.available == 20
    story.at("2025-03-07").reverses("e1", 80)
    assert story.available == 100
    assert story.lots_left == {"L1": 40, "L2": 60}


def test_s16c_a_reversal_cannot_be_taken_back_when_its_points_are_gone() -> None:
    story = _s16()
    story.at("2025-03-06").burns(50)
    with pytest.raises(InsufficientPoints):
        story.at("2025-03-07").reverses("e2")


def _s16() -> Story:
    story = Story().has_lot("L1", 40, expires="2025-07-01").has_lot("L2", 60)
    story.at("2025-03-01").burns(80)
    story.at("2025-03-05").reverses("e1", 30)
    return story


def test_s17_clawback_order_with_a_hold_present() -> None:
    story = Story().at("2025-03-01").has_lot("L0", 30, issuer="B")
    base = Grant(60, expires_at=utc("2025-12-31"))
    bonus = Grant(40, rule="bonus", pending_until=utc("2025-03-15"))
    story.posts("D1", 1, base, bonus)
    story.at("2025-03-02").holds("H", 50)
    cancelled = story.at("2025-03-03").posts("D1", 2, status=CANCELLED)
    assert moved(cancelled.facts) == [
        ("pending_clawed_back", 40),
        ("points_clawed_back", 40),
        ("arrears_incurred", 20),
    ]
    assert drawn(cancelled, "points_clawed_back") == {"e1.1": 10, "L0": 30}
    clawed = next(f.event for f in cancelled.facts if isinstance(f.event, PointsClawedBack))
    assert [(draw.issuer, draw.points) for draw in clawed.draws] == [("A", 10), ("B", 30)]
    assert (story.available, story.pending, story.held, story.arrears) == (0, 0, 50, 20)
    story.at("2025-03-04").releases("H")
    assert (story.available, story.arrears) == (50, 20)


def test_s18_the_earns_own_pending_is_that_of_all_its_rules() -> None:
    story = Story().at("2025-03-01")
    bonus = Grant(40, rule="bonus", pending_until=utc("2025-03-15"))
    story.posts("D1", 1, 60, bonus)
    story.posts("D1", 2, 40, bonus)
    assert (story.pending, story.available) == (20, 60)
    story.at("2025-03-15").passes_time()
    assert (story.pending, story.available) == (0, 80)


def test_s19_arrears_are_repaid_by_a_later_earn_of_another_unit() -> None:
    story = Story()

    def buys(document: str, version: int, points: int, unit: str) -> None:
        counted = Grant(points, rule="status", currency="QP", funder=unit, window="2025")
        story.posts(document, version, Grant(points, funder=unit), counted, unit=unit)

    buys("D1", 1, 100, "A")
    story.burns(100)
    story.posts("D1", 2, status=CANCELLED)
    assert (story.available, story.arrears) == (0, 100)
    buys("D2", 1, 70, "B")
    assert (story.available, story.arrears) == (0, 30)
    buys("D3", 1, 50, "B")
    assert (story.available, story.arrears) == (20, 0)
    repaid = [f.event for f in story.facts if isinstance(f.event, ArrearsRepaid)]
    assert [(e.business_unit, e.draws[0].issuer, e.points) for e in repaid] == [
        ("A", "B", 70),
        ("A", "B", 30),
    ]
    assert story.account.qualifying == {("QP", "2025"): 120}
    owed = [f.event.points for f in story.facts if isinstance(f.event, ArrearsIncurred)]
    assert owed == [100]


def test_s22_expiry_ends_with_the_local_day_given() -> None:
    story = Story().at("2025-01-31T22:30")
    story.posts("E1", 1, Grant(10, expires_at=utc("2025-02-28T23:00")))
    story.at("2025-02-28T11:00").posts("E2", 1, Grant(20, expires_at=utc("2025-03-28T23:00")))
    burn = story.at("2025-02-28T22:59:59").burns(5)
    assert drawn(burn, "points_burned") == {"e1.1": 5}
    seen = []
    story.at("2025-02-28T23:00").passes_time()
    seen.append(story.available)
    story.at("2025-03-15T11:00").posts("E3", 1, Grant(40, expires_at=utc("2025-04-15T22:00")))
    for instant in ("2025-03-28T23:00", "2025-04-15T21:59:59", "2025-04-15T22:00"):
        story.at(instant).passes_time()
        seen.append(story.available)
    assert seen == [20, 40, 40, 0]
    assert story.total("points_expired") == 65


def test_s32_what_time_decided_is_recorded_in_the_order_it_fell_due() -> None:
    story = Story().at("2025-03-01").has_lot("L1", 100, expires="2025-04-01")
    l2 = Grant(60, pending_until=utc("2025-04-01"), expires_at=utc("2025-04-08"))
    l3 = Grant(40, pending_until=utc("2025-03-31T12:00"), expires_at=utc("2025-04-01"))
    story.posts("D2", 1, l2)
    story.posts("D3", 1, l3)
    story.has_lot("L4", 50)
    story.at("2025-03-20").holds("H1", 30, until="2025-04-01")
    story.at("2025-03-21").holds("H2", 20, until="2025-03-31T18:00")
    facts = story.at("2025-04-02T09:00").passes_time()
    seen = [
        (f.occurred_at, kind, getattr(f.event, "lot_id", "") or getattr(f.event, "hold_id", ""), n)
        for f, (kind, n) in zip(facts, moved(facts), strict=True)
    ]
    april = utc("2025-04-01")
    assert seen == [
        (utc("2025-03-31T12:00"), "points_released", "e2.1", 40),
        (utc("2025-03-31T18:00"), "hold_released", "H2", 20),
        (april, "points_released", "e1.1", 60),
        (april, "points_expired", "L1", 70),
        (april, "points_expired", "e2.1", 40),
        (april, "hold_released", "H1", 30),
        (april, "points_expired", "L1", 30),
    ]
    assert drawn(story.burns(10), "points_burned") == {"e1.1": 10}
    assert (story.available, story.total("points_expired")) == (100, 140)
    story.at("2025-04-09").passes_time()
    assert story.available == 50
