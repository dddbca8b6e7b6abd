"""What a redemption lets a member spend at once, of a basket, and in a period."""

from typing import NamedTuple

import pytest

from ledger.core.commands import RedemptionTerms
from ledger.core.refusals import (
    AboveMaximum,
    BasketShareExceeded,
    BelowMinimum,
    LimitReached,
    NotAStep,
    Refusal,
)
from ledger.core.snapshot import decode, encode
from ledger.core.usage import PERIODS_KEPT
from tests.core.spec import Story


class Limit(NamedTuple):
    """What the rules would say of a period."""

    name: str
    window: str
    period: str
    points: int


def day(text: str = "2025-03-01", points: int = 100) -> Limit:
    """A limit by the day."""
    return Limit("burn/pay", "local_day", text, points)


def limited(*limits: Limit) -> RedemptionTerms:
    """Terms with limits alone."""
    return RedemptionTerms(1, 1, "policy-1", limits=limits)


def used(story: Story, period: str = "2025-03-01") -> int:
    """Points counted in a period."""
    return story.account.usage.get(("burn/pay", "", period), 0)


@pytest.mark.parametrize(
    ("points", "refusal"),
    [
        (50, BelowMinimum),
        (120, NotAStep),
        (450, AboveMaximum),
        (300, BasketShareExceeded),
        (250, LimitReached),
    ],
)
def test_refusals_come_in_their_order(points: int, refusal: type[Refusal]) -> None:
    terms = RedemptionTerms(100, 50, "policy-1", 400, 250, (day(points=200),))
    story = Story().has_lot("L1", 1000)
    with pytest.raises(refusal):
        story.burns(points, terms=terms)
    assert (story.available, used(story)) == (1000, 0)


def test_a_limit_tells_what_is_used_of_it() -> None:
    story = Story().has_lot("L1", 1000)
    story.burns(70, terms=limited(day()))
    with pytest.raises(LimitReached) as refused:
        story.burns(31, terms=limited(day()))
    assert refused.value.fields == {
        "requested": 31,
        "limit": 100,
        "used": 70,
        "window": "local_day",
    }
    story.burns(30, terms=limited(day()))
    assert used(story) == 100
    story.burns(100, terms=limited(day("2025-03-02")))
    assert used(story, "2025-03-02") == 100


def test_every_limit_must_leave_room() -> None:
    story = Story().has_lot("L1", 1000)
    week = Limit("burn/pay", "local_week", "2025-W09", 150)
    story.burns(100, terms=limited(day(), week))
    with pytest.raises(LimitReached, match="150 points of this local_week"):
        story.burns(60, terms=limited(day("2025-03-02"), week))
    story.burns(50, terms=limited(day("2025-03-02"), week))
    assert (used(story), used(story, "2025-03-02"), used(story, "2025-W09")) == (100, 50, 150)


def test_a_reversal_gives_room_back_to_the_burns_own_period() -> None:
    story = Story().at("2025-03-01").has_lot("L1", 1000)
    burn = story.burns(100, terms=limited(day()))
    back = story.at("2025-03-05").reverses(burn, 40)
    assert used(story) == 60
    story.reverses(back, 10)
    assert used(story) == 70
    story.burns(30, terms=limited(day()))
    assert used(story) == 100


def test_held_points_count_until_they_come_back() -> None:
    story = Story().has_lot("L1", 1000)
    story.holds("H", 100, terms=limited(day()))
    assert decode(encode(story.account)) == story.account
    with pytest.raises(LimitReached):
        story.burns(1, terms=limited(day()))
    capture = story.captures("H", 60)
    assert used(story) == 100
    story.releases("H")
    assert used(story) == 60
    story.reverses(capture)
    assert used(story) == 0


def test_a_hold_that_times_out_gives_its_room_back() -> None:
    story = Story().at("2025-03-01").has_lot("L1", 1000)
    story.holds("H", 100, until="2025-03-02", terms=limited(day()))
    story.at("2025-03-02").passes_time()
    assert used(story) == 0


def test_a_period_too_old_to_be_remembered_counts_as_used_up() -> None:
    story = Story().has_lot("L1", 1000)
    for number in range(PERIODS_KEPT):
        month, of_month = divmod(number, 28)
        story.burns(1, terms=limited(day(f"2025-{month + 4:02}-{of_month + 1:02}")))
    with pytest.raises(LimitReached):
        story.burns(1, terms=limited(day("2025-03-01")))
