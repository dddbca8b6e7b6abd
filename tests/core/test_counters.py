"""What an account remembers of caps and counters, and what it does when that is too little."""

from datetime import date, timedelta
from random import Random
from time import process_time

import pytest

import rules
from ledger.core.counters import (
    NO_NUMBERS,
    PERIODS_KEPT,
    STREAK_KEPT,
    given_back,
    is_forgotten,
    ordinal,
    set_period,
    streak_changed,
    streak_forgotten,
    streak_length,
    taken,
)
from ledger.core.usage import Usage, Uses
from ledger.core.usage import is_forgotten as is_usage_forgotten
from tests.core.offers import Offer, number_of
from tests.core.spec import Story

VISIT = rules.CounterKey("visit", "count", "2025", "2025-03-01", by_day=True, missed_allowed=0)
DAYS = rules.CounterKey("days", "streak", "2025-03-01", "2025-03-01", by_day=True, missed_allowed=1)


def day(number: int) -> str:
    """A day so many days after New Year's Eve of 2024."""
    return (date(2024, 12, 31) + timedelta(days=number)).isoformat()


def test_freed_numbers_are_taken_again_the_lowest_first() -> None:
    numbers = NO_NUMBERS
    for number in (1, 2, 3):
        assert numbers.next() == number
        numbers = taken(numbers, number, "")
    numbers = given_back(given_back(numbers, 3, "", "D3"), 1, "", "D1")
    assert (numbers.next(), numbers.last_held_by("D3"), numbers.last_held_by("D2")) == (1, 3, 0)
    numbers = taken(numbers, 1, "")
    assert (numbers.next(), numbers.last_held_by("D1")) == (3, 0)
    assert taken(numbers, 3, "").next() == 4


def test_documents_of_one_day_share_its_number_until_the_last_is_gone() -> None:
    story, offer = Story(), Offer(counter=VISIT)
    offer.posts(story, "D1", 1, 10)
    offer.posts(story, "D2", 1, 10)
    offer.counter = VISIT._replace(day="2025-03-02")
    offer.posts(story, "D3", 1, 10)
    assert [number_of(story, name, VISIT) for name in ("D1", "D2", "D3")] == [1, 1, 2]
    offer.counter = VISIT
    offer.posts(story, "D1", 2)
    assert not story.account.numbers["visit", "2025"].freed
    offer.posts(story, "D2", 2)
    assert story.account.numbers["visit", "2025"].last_held_by("A/till/D2") == 1
    offer.counter = VISIT._replace(day="2025-03-05")
    offer.posts(story, "D4", 1, 10)
    assert number_of(story, "D4", VISIT) == 1


def test_a_streak_counts_neighbouring_days_and_forgives_what_may_be_missed() -> None:
    story, offer = Story(), Offer()
    lengths: list[int] = []
    for number in (1, 2, 4, 4, 7, 8):
        period = f"2025-03-{number:02}"
        offer.counter = DAYS._replace(period=period, day=period)
        document = f"D{len(lengths)}"
        offer.posts(story, document, 1, 10)
        lengths.append(number_of(story, document, offer.counter))
    assert lengths == [1, 2, 3, 3, 1, 2]


def test_a_day_whose_documents_are_gone_breaks_a_streak() -> None:
    streak = streak_changed(streak_changed((), day(1), 1), day(2), 1)
    assert streak_length(streak, day(3), 0) == 3
    streak = streak_changed(streak, day(2), -1)
    assert streak_length(streak, day(3), 0) == 1
    assert streak_length(streak, day(3), 1) == 2


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("2025-12-31", "2026-01-01"),
        ("2020-W53", "2021-W01"),
        ("2025-W52", "2026-W01"),
        ("2025-12", "2026-01"),
        ("2025", "2026"),
    ],
)
def test_periods_that_follow_each_other_are_neighbours(before: str, after: str) -> None:
    assert ordinal(after) - ordinal(before) == 1


def test_of_a_streak_the_newest_periods_are_kept() -> None:
    streak = streak_changed((), day(500), 1)
    for number in range(1, STREAK_KEPT - 1):
        streak = streak_changed(streak, day(number), 1)
    assert not streak_forgotten(streak, day(0))
    for number in (501, 502):
        streak = streak_changed(streak, day(number), 1)
    assert len(streak) == STREAK_KEPT
    assert streak_forgotten(streak, day(1))
    assert streak_changed(streak, day(1), -1) == streak == streak_changed(streak, day(0), 1)


def test_a_period_older_than_those_kept_offers_no_number() -> None:
    numbers = {("visit", day(number)): taken(NO_NUMBERS, 1, "") for number in range(PERIODS_KEPT)}
    assert not is_forgotten(numbers, "visit", day(0))
    more = dict(numbers)
    set_period(more, ("visit", day(100)), taken(NO_NUMBERS, 1, ""))
    assert len(more) == PERIODS_KEPT
    assert is_forgotten(more, "visit", day(0))
    assert not is_forgotten(more, "another", day(0))
    assert not is_forgotten(more, "visit", "2024")


def test_a_period_older_than_those_kept_is_used_up_and_leaves_a_document_what_it_has() -> None:
    story, offer = Story(), Offer(cap=100)
    for number in range(1, PERIODS_KEPT + 2):
        offer.period = day(number)
        offer.posts(story, f"D{number}", 1, 60)
    offer.period = day(1)
    assert is_usage_forgotten(story.account.usage, ("cap/base.1", "", day(1)))
    offer.posts(story, "D1", 2, 90)
    assert [grant.granted for grant in story.heads["D1"].grants] == [60]
    offer.posts(story, "D1", 3, 20)
    assert [grant.granted for grant in story.heads["D1"].grants] == [20]
    offer.posts(story, "late", 1, 50)
    assert list(story.heads["late"].grants) == []
    assert len(story.account.usage) == PERIODS_KEPT


def test_usage_that_was_given_back_is_remembered_as_nothing() -> None:
    key = ("cap/c", "", day(1))
    uses = Uses({})
    uses.change([(key, 5), (key, -5)])
    assert uses.shown == {key: 0}


def test_who_was_shown_usage_keeps_what_they_saw() -> None:
    key, began = ("cap/c", "", day(1)), {("cap/c", "", day(0)): 1}
    uses = Uses(began)
    assert uses.shown is began
    uses.change([(key, 5)])
    seen = uses.shown
    assert uses.shown is seen
    uses.change([(key, 1)])
    assert (began, seen[key], uses.now[key]) == ({("cap/c", "", day(0)): 1}, 5, 6)


@pytest.mark.parametrize("seed", range(8))
def test_several_changes_of_usage_come_to_the_same_as_one_after_another(seed: int) -> None:
    random = Random(seed)
    names = ["cap/a", "metric/visits", "metric/nights"]
    changes = [
        ((random.choice(names), "", day(random.randrange(900))), random.choice([-1, 1, 2]))
        for _ in range(1500)
    ]
    singly: Usage = {}
    for change in changes:
        one = Uses(singly)
        one.change([change])
        singly = one.shown
    together = Uses({})
    for begin in range(0, len(changes), seed + 1):
        together.change(changes[begin : begin + seed + 1])
        assert begin % 7 or together.shown
    assert together.shown == singly
    assert sum(name == "cap/a" for name, _, _ in singly) == PERIODS_KEPT


def test_a_document_under_thousands_of_caps_is_counted_in_a_moment() -> None:
    changes = [((f"cap/{number}", "", day(1)), 1) for number in range(10_000)]
    began = process_time()
    uses = Uses({})
    uses.change(changes)
    assert len(uses.shown) == 10_000
    assert process_time() - began < 1.0
