"""Counters: which documents have which number, so that the nth visit is the nth for ever.

A number that was given back is taken again by the next new document, the lowest first; the document
that held it last may have it back while nobody took it. What is kept is bounded: a period or day
older than what is kept offers no number, and giving back into it changes nothing.
"""

from bisect import bisect_left
from collections.abc import Mapping
from datetime import date
from typing import Final, NamedTuple

PERIODS_KEPT: Final = 64
"""Newest periods of a counter, and newest days of a counter by day, that are remembered."""
FREED_KEPT: Final = 64
STREAK_KEPT: Final = 400

Streak = tuple[tuple[str, int], ...]
"""(local day, week, month or year; documents in it), oldest first."""


class Day(NamedTuple):
    """A local day that has a number, and how many documents share it."""

    day: str
    number: int
    documents: int


class Numbers(NamedTuple):
    """The numbers of a counter in one period."""

    highest: int = 0
    freed: tuple[tuple[int, str], ...] = ()
    """(number that was given back, document that held it last), lowest first."""
    days: tuple[Day, ...] = ()
    """Oldest first; empty unless documents of one day share a number."""

    def next(self) -> int:
        """The number that the next new document takes."""
        return self.freed[0][0] if self.freed else self.highest + 1

    def last_held_by(self, document: str) -> int:
        """A number that this document gave back and nobody took since; 0 when there is none."""
        return next((number for number, holder in self.freed if holder == document), 0)

    def day_number(self, day: str) -> int | None:
        """The number of a local day; 0: it has none yet, None: it is too old to be known."""
        for known in self.days:
            if known.day == day:
                return known.number
        return None if forgotten(day, [known.day for known in self.days], PERIODS_KEPT) else 0


NO_NUMBERS: Final = Numbers()
CounterPeriods = Mapping[tuple[str, str], Numbers]
"""By (counter, period)."""


def forgotten(period: str, kept: list[str], most: int) -> bool:
    """Whether a period is older than all that are kept, and some may have been left out.

    Days, weeks, months and years are texts of different length, and sort by time.
    """
    return older([each for each in kept if len(each) == len(period)], period, most)


def older(like: list[str], period: str, most: int) -> bool:
    """As `forgotten`, of periods that are all days, all weeks, or whatever it is."""
    return len(like) >= most and period < min(like)


def taken(numbers: Numbers, number: int, day: str) -> Numbers:
    """Let a document have a number; `day` only for a counter by day."""
    if day:
        shared = _documents_of(numbers, day)
        numbers = _with_day(numbers, Day(day, number, shared + 1))
    freed = tuple(each for each in numbers.freed if each[0] != number)
    return numbers._replace(highest=max(numbers.highest, number), freed=freed)


def given_back(numbers: Numbers, number: int, day: str, document: str) -> Numbers:
    """Take a number from a document; a day's number is free once no document shares it."""
    if day:
        shared = _documents_of(numbers, day)
        if not shared:
            return numbers
        # A day without documents stays, so that it is known not to have been left out.
        left = Day(day, number, shared - 1) if shared > 1 else Day(day, 0, 0)
        numbers = _with_day(numbers, left)
        if left.documents:
            return numbers
    freed = tuple(sorted((*numbers.freed, (number, document))))
    return numbers._replace(freed=freed[:FREED_KEPT])


def _documents_of(numbers: Numbers, day: str) -> int:
    return next((known.documents for known in numbers.days if known.day == day), 0)


def _with_day(numbers: Numbers, changed: Day) -> Numbers:
    others = (known for known in numbers.days if known.day != changed.day)
    return numbers._replace(days=tuple(sorted((*others, changed)))[-PERIODS_KEPT:])


def set_period(
    all_of: dict[tuple[str, str], Numbers], key: tuple[str, str], numbers: Numbers
) -> None:
    """Set the numbers of a period; only the newest periods of a counter are kept."""
    is_new = key not in all_of
    all_of[key] = numbers
    if is_new:
        counter, period = key
        alike = sorted(
            known for name, known in all_of if name == counter and len(known) == len(period)
        )
        for old in alike[:-PERIODS_KEPT]:
            del all_of[counter, old]


def is_forgotten(all_of: CounterPeriods, counter: str, period: str) -> bool:
    """Whether a counter's period is older than those that are kept."""
    if len(all_of) < PERIODS_KEPT or (counter, period) in all_of:
        return False
    return forgotten(period, [known for name, known in all_of if name == counter], PERIODS_KEPT)


# --- streaks ------------------------------------------------------------------------------------


def streak_changed(streak: Streak, period: str, change: int) -> Streak:
    """Add a document to a period of a streak, or take one from it."""
    at = bisect_left(streak, (period,))
    known = at < len(streak) and streak[at][0] == period
    if not known and (change < 0 or streak_forgotten(streak, period)):
        return streak
    counted = streak[at][1] + change if known else change
    return (*streak[:at], (period, counted), *streak[at + known :])[-STREAK_KEPT:]


def streak_forgotten(streak: Streak, period: str) -> bool:
    """Whether a period is older than those of a streak that are kept."""
    return forgotten(period, [known for known, _ in streak], STREAK_KEPT)


def streak_length(streak: Streak, period: str, missed_allowed: int) -> int:
    """How many periods in a row have a document, up to this one and with it.

    Between two of them so many may be missed; those that were missed are not counted.
    """
    length, last = 1, ordinal(period)
    for known, documents in reversed(streak):
        if not documents or len(known) != len(period) or known >= period:
            continue
        this = ordinal(known)
        if last - this - 1 > missed_allowed:
            break
        length, last = length + 1, this
    return length


def ordinal(period: str) -> int:
    """Running number of a local day, ISO week, month or year, so that neighbours differ by one."""
    if len(period) == len("2026-05-01"):
        return date.fromisoformat(period).toordinal()
    if "W" in period:
        year, _, week = period.partition("-W")
        return date.fromisocalendar(int(year), int(week), 1).toordinal() // 7
    year, _, month = period.partition("-")
    return int(year) * 12 + int(month) if month else int(year)
