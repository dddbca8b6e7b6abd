"""Spending points."""

import pytest

from ledger.core.commands import RedemptionTerms
from ledger.core.decision import POINTS_MAX
from ledger.core.refusals import BelowMinimum, InsufficientPoints, Malformed, NotAStep, Refusal
from loyalty.v1.events_pb2 import PointsBurned
from tests.core.spec import Grant, Story, drawn, entry_of, utc

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


PROMO = RedemptionTerms(minimum=1, step=1, policy_digest="policy-1", draw_first=("X", "Y"))
"""What X pays for is spent first, then what Y does."""


def story_of_funders() -> Story:
    """A's own points end before those that Y, X and again X pay for."""
    story = Story()
    lots = [("A1", "A", "2025-03-01"), ("Y1", "Y", "2025-04-01"), ("X2", "X", "2025-06-01")]
    for lot_id, funder, expires in [*lots, ("X1", "X", "2025-05-01"), ("A2", "A", "2025-07-01")]:
        story.has_lot(lot_id, 10, expires=expires, funder=funder)
    return story


def test_what_some_funders_pay_for_is_burned_first_in_their_order() -> None:
    burned = story_of_funders().burns(45, terms=PROMO)
    fact = next(fact.event for fact in burned.facts if isinstance(fact.event, PointsBurned))
    assert [draw.lot_id for draw in fact.draws] == ["X1", "X2", "Y1", "A1", "A2"]
    assert [draw.points for draw in fact.draws] == [10, 10, 10, 10, 5]


def test_without_such_terms_what_ends_first_is() -> None:
    assert drawn(story_of_funders().burns(25), "points_burned") == {"A1": 10, "Y1": 10, "X1": 5}


def test_a_hold_is_placed_in_that_order_and_captured_in_its_own() -> None:
    story = story_of_funders()
    story.holds("H", 25, terms=PROMO)
    assert drawn(story.captures("H", 22), "hold_captured") == {"X1": 10, "X2": 10, "Y1": 2}


def test_expiry_returns_and_reversals_of_reversals_go_by_ends() -> None:
    story = story_of_funders()
    burned = entry_of(story.burns(20, terms=PROMO))
    reversal = entry_of(story.reverses(burned))
    # Whoever takes a reversal back spends nothing anew.
    assert drawn(story.reverses(reversal), "reversal_reversed") == {"A1": 10, "Y1": 10}
    story.reverses(burned)
    story.posts("D", 1, Grant(15, expires_at=utc("2025-02-01")))
    story.burns(15)
    assert drawn(story.posts("D", 2), "points_clawed_back") == {"A1": 10, "Y1": 5}
