"""Setting points aside, and what becomes of them."""

from dataclasses import replace

import pytest

from ledger.core.instant import to_timestamp
from ledger.core.refusals import (
    HoldExists,
    HoldResolved,
    InsufficientPoints,
    LimitReached,
    Malformed,
    MoreThanHeld,
    UnknownHold,
)
from loyalty.v1.events_pb2 import LotExtended
from rules.redemptions import PeriodLimit
from tests.core.people import People
from tests.core.spec import NO_LIMITS, Grant, Story, moved, utc


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


def story_of_three_lots(*, expire: bool = True) -> Story:
    """25 of a lot that ends in March, 40 that end in April, and 35 that never end, all held."""
    story = Story().has_lot("L1", 25, expires="2025-03-01").has_lot("L2", 40, expires="2025-04-01")
    story.has_lot("L3", 35)
    story.holds("H", 90, until="2025-06-01", expire=expire)
    return story


def test_points_of_a_hold_that_does_not_keep_them_expire_in_their_time() -> None:
    story = story_of_three_lots()
    facts = story.at("2025-04-02").passes_time()
    assert moved(facts) == [
        ("hold_released", 25),
        ("points_expired", 25),
        ("hold_released", 40),
        ("points_expired", 40),
    ]
    assert [fact.occurred_at for fact in facts] == [utc("2025-03-01")] * 2 + [utc("2025-04-01")] * 2
    assert [getattr(fact.event, "hold_left", 0) for fact in facts] == [65, 0, 25, 0]
    assert (story.available, story.held) == (10, 25)


def test_a_hold_keeps_its_points_unless_the_policy_says_otherwise() -> None:
    story = story_of_three_lots(expire=False)
    assert story.at("2025-04-02").passes_time() == []
    assert (story.available, story.held) == (10, 90)


def test_what_is_left_is_captured_and_no_more() -> None:
    story = story_of_three_lots().at("2025-03-02")
    with pytest.raises(MoreThanHeld) as more:
        story.captures("H", 66)
    assert (more.value.left, more.value.requested) == (65, 66)
    captured = story.captures("H", 50)
    assert moved(captured.facts) == [("hold_captured", 50)]
    story.at("2025-04-02").releases("H")
    assert (story.available, story.held) == (25, 0)


def test_a_hold_all_of_which_expired_is_over() -> None:
    story = Story().has_lot("L1", 60, expires="2025-03-01")
    story.holds("H", 60, until="2025-03-01", expire=True)
    facts = story.at("2025-03-02").passes_time()
    assert moved(facts) == [("hold_released", 60), ("points_expired", 60)]
    with pytest.raises(HoldResolved) as over:
        story.captures("H", 10)
    assert over.value.fields == {
        "hold_id": "H",
        "first_outcome": "EXPIRED",
        "resolved_at": "2025-03-01T00:00:00Z",
    }


def test_what_two_holds_and_nobody_have_of_a_lot_expires_at_once() -> None:
    story = Story().has_lot("L1", 100, expires="2025-03-01")
    story.holds("H1", 30, expire=True)
    story.holds("H2", 30, expire=True)
    story.holds("H3", 30)
    facts = story.at("2025-03-02").passes_time()
    assert moved(facts) == [("hold_released", 30), ("hold_released", 30), ("points_expired", 70)]
    assert [hold.hold_id for hold in story.account.holds] == ["H3"]
    assert story.held == 30


def test_a_limit_has_room_again_for_what_expired_while_it_was_held() -> None:
    daily = PeriodLimit("burn/pay", "local_year", "2025", 100)
    terms = replace(NO_LIMITS, limits=(daily,))
    story = Story().has_lot("L1", 60, expires="2025-03-01").has_lot("L2", 200)
    story.holds("H", 90, expire=True, terms=terms)
    with pytest.raises(LimitReached):
        story.burns(11, terms=terms)
    story.at("2025-03-02").burns(70, terms=terms)


def test_a_hold_that_was_merged_still_lets_its_points_expire() -> None:
    people = People(["A", "B"])
    people.posts("B", "D1", 1, Grant(60, expires_at=utc("2025-03-01")))
    people.posts("B", "D2", 1, 60)
    people.holds("B", "H", 100, expire=True)
    people.merges("B", "A")
    people.at("2025-03-02").captures("H", 10)
    [hold] = people.accounts["A"].holds
    assert (hold.points, hold.points_expire, hold.captured) == (30, True, True)


def test_a_lot_that_lives_longer_does_so_in_a_hold_too() -> None:
    story = story_of_three_lots()
    later = to_timestamp(utc("2025-05-01"))
    before = to_timestamp(utc("2025-03-01"))
    story.tells(LotExtended(lot_id="L1", expire_time_before=before, expire_time=later))
    story.at("2025-03-02").passes_time()
    assert story.held == 90
    story.at("2025-05-02").passes_time()
    assert story.held == 25
