"""Setting points aside, and what becomes of them."""

import pytest

from ledger.core.refusals import (
    HoldExists,
    HoldResolved,
    InsufficientPoints,
    Malformed,
    UnknownHold,
)
from tests.core.spec import Story, moved


def story_with_hold() -> Story:
    """60 of 100 points are held."""
    story = Story().has_lot("L1", 100)
    story.holds("H", 60)
    return story


def test_held_points_cannot_be_spent() -> None:
    story = story_with_hold()
    with pytest.raises(InsufficientPoints):
        story.burns(41)
    assert (story.available, story.held) == (40, 60)


def test_a_hold_id_is_used_once_per_unit() -> None:
    story = story_with_hold()
    with pytest.raises(HoldExists):
        story.holds("H", 10)
    story.holds("H", 10, unit="B")
    assert story.held == 70


def test_another_units_hold_is_not_to_be_known() -> None:
    with pytest.raises(UnknownHold):
        story_with_hold().captures("H", 10, unit="B")


def test_capturing_everything_ends_the_hold_even_if_not_called_final() -> None:
    story = story_with_hold()
    last = story.captures("H", 60)
    assert moved(last.facts) == [("hold_captured", 60)]
    assert not story.account.holds
    with pytest.raises(HoldResolved) as over:
        story.captures("H", 1)
    assert over.value.first_outcome == "CAPTURED"


def test_a_released_hold_names_its_release() -> None:
    story = story_with_hold()
    story.releases("H")
    with pytest.raises(HoldResolved) as over:
        story.captures("H", 10)
    assert (over.value.first_outcome, over.value.resolved_by) == ("RELEASED", "e2")
    assert str(over.value) == "hold 'H' is over: RELEASED"


def test_acts_are_numbered() -> None:
    story = story_with_hold()
    story.captures("H", 10)
    last = story.captures("H", 20, final=True)
    assert [getattr(fact.event, "act", 0) for fact in last.facts] == [2, 3]
    assert [getattr(fact.event, "hold_left", 0) for fact in last.facts] == [30, 0]


def test_nothing_cannot_be_captured() -> None:
    with pytest.raises(Malformed):
        story_with_hold().captures("H", 0)


def test_a_capture_can_be_reversed_like_a_burn() -> None:
    story = story_with_hold()
    captured = story.captures("H", 60)
    story.reverses(captured, 25)
    assert story.available == 65
    story.reverses(captured)
    assert story.available == 100


def test_a_hold_that_has_timed_out_already_is_placed_and_given_back_at_once() -> None:
    story = Story().has_lot("L1", 100).at("2025-03-01")
    placed = story.holds("H", 60, until="2025-02-01")
    assert moved(placed.facts) == [("points_held", 60), ("hold_released", 60)]
    assert story.available == 100
