"""Spending points."""

import pytest

from ledger.core.commands import RedemptionTerms
from ledger.core.decision import POINTS_MAX
from ledger.core.refusals import BelowMinimum, InsufficientPoints, Malformed, NotAStep, Refusal
from loyalty.v1.events_pb2 import PointsBurned
from tests.core.spec import Story, drawn, utc

TERMS = RedemptionTerms(minimum=100, step=50, policy_digest="policy-1")


def test_a_burn_stores_complete_draws() -> None:
    story = Story().has_lot("L1", 30, expires="2025-07-01", earned="2024-12-01", issuer="B")
    fact = story.burns(20).facts[0].event
    assert isinstance(fact, PointsBurned)
    draw = fact.draws[0]
    assert (draw.lot_id, draw.points, draw.issuer, draw.funder) == ("L1", 20, "B", "B")
    assert draw.earned_time.ToMicroseconds() == utc("2024-12-01")
    assert draw.expire_time.ToMicroseconds() == utc("2025-07-01")
    assert (fact.available_after, fact.policy_digest) == (10, "policy-1")


@pytest.mark.parametrize("points", [0, -1, POINTS_MAX + 1])
def test_an_amount_that_nobody_can_mean_is_malformed(points: int) -> None:
    with pytest.raises(Malformed) as refused:
        Story().has_lot("L1", 30).burns(points)
    assert refused.value.fields["value"] == points


@pytest.mark.parametrize(
    ("points", "refusal"),
    [(50, BelowMinimum), (120, NotAStep), (5000, InsufficientPoints)],
)
def test_refusals_come_in_their_order(points: int, refusal: type[Refusal]) -> None:
    story = Story().has_lot("L1", 1000)
    with pytest.raises(refusal):
        story.burns(points, terms=TERMS)
    assert story.available == 1000


def test_a_refusal_tells_what_is_available() -> None:
    with pytest.raises(InsufficientPoints) as refused:
        Story().has_lot("L1", 30).burns(31)
    assert refused.value.fields == {"available": 30, "requested": 31, "currency": "P"}


def test_a_second_after_expiry_the_points_cannot_be_spent() -> None:
    story = Story().has_lot("L1", 30, expires="2025-04-01")
    with pytest.raises(InsufficientPoints):
        story.at("2025-04-01").burns(30)
    assert story.total("points_expired") == 30


def test_held_and_pending_points_are_never_drawn() -> None:
    story = Story().has_lot("L1", 30, expires="2025-04-01").has_lot("L2", 30)
    story.holds("H", 20)
    assert drawn(story.burns(40), "points_burned") == {"L1": 10, "L2": 30}
