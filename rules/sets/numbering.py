"""The numbers of documents in counters, in the order in which they were recorded."""

from collections.abc import Callable

import numpy as np

from rules.counting import CompiledCounter
from rules.sets.arrays import Flags, Ints, classes
from rules.zones import date_of

Period = Callable[[Ints], Ints]
_Give = Callable[[Ints, Ints, Ints, Flags], Ints]


def _weeks(days: Ints) -> Ints:
    # 1970-01-01 was a Thursday.
    return (days + 3) // 7


def _months(days: Ints) -> Ints:
    first, number = classes(days)
    dates = [date_of(day) for day in days[first].tolist()]
    return np.array([day.year * 12 + day.month for day in dates], dtype=np.int64)[number]


PERIODS: dict[str, Period] = {
    "local_day": lambda days: days,
    "local_week": _weeks,
    "local_month": _months,
    "local_year": lambda days: (_months(days) - 1) // 12,
    "lifetime": np.zeros_like,
}
"""Running numbers of the periods that `rules.windows.period_of` names."""


class Numbering:
    """One counter over a whole history; it remembers what every member has."""

    def __init__(self, counter: CompiledCounter) -> None:
        self._counter = counter
        self._highest: dict[tuple[int, int], int] = {}
        self._days: dict[tuple[int, int], dict[int, int]] = {}
        self._streaks: dict[int, set[int]] = {}

    def number(self, *, member: Ints, day: Ints, counted: Flags, takes: Flags) -> Ints:
        """Give each row its number, 0 to those that are not counted.

        A row that does not take its number, a booking, only sees the one it would take.
        """
        numbers = np.zeros(len(counted), dtype=np.int64)
        rows = np.flatnonzero(counted)
        if len(rows):
            periods = PERIODS[self._counter.period](day)
            give: _Give = self._by_day if self._counter.by_day else self._count
            if self._counter.kind == "streak":
                give = self._streak
            numbers[rows] = give(member[rows], periods[rows], day[rows], takes[rows])
        return numbers

    def _count(self, member: Ints, period: Ints, _: Ints, takes: Flags) -> Ints:
        span = int(period.max() - period.min()) + 1
        first, group = classes(member * span + (period - period.min()))
        keys = list(zip(member[first].tolist(), period[first].tolist(), strict=True))
        before = np.array([self._highest.get(key, 0) for key in keys], dtype=np.int64)
        order = np.argsort(group, kind="stable")
        sizes = np.bincount(group, minlength=len(first))
        taken = takes[order].astype(np.int64)
        running = np.cumsum(taken) - taken
        starts = np.cumsum(sizes) - sizes
        numbers = np.empty(len(group), dtype=np.int64)
        numbers[order] = running - np.repeat(running[starts], sizes) + 1
        numbers += before[group]
        given = np.zeros(len(first), dtype=np.int64)
        np.add.at(given, group[takes], 1)
        self._highest.update(zip(keys, (before + given).tolist(), strict=True))
        return numbers

    def _by_day(self, member: Ints, period: Ints, day: Ints, takes: Flags) -> Ints:
        """All documents of a day have one number."""
        numbers: list[int] = []
        for who, when, on, taking in zip(
            member.tolist(), period.tolist(), day.tolist(), takes.tolist(), strict=True
        ):
            days = self._days.setdefault((who, when), {})
            number = days.get(on, len(days) + 1)
            if taking:
                days[on] = number
            numbers.append(number)
        return np.array(numbers, dtype=np.int64)

    def _streak(self, member: Ints, period: Ints, _: Ints, takes: Flags) -> Ints:
        """Count the periods in a row, up to this one, that have a document."""
        numbers: list[int] = []
        for who, when, taking in zip(member.tolist(), period.tolist(), takes.tolist(), strict=True):
            known = self._streaks.setdefault(who, set())
            length, last = 1, when
            while (before := self._before(known, last)) is not None:
                length, last = length + 1, before
            if taking:
                known.add(when)
            numbers.append(length)
        return np.array(numbers, dtype=np.int64)

    def _before(self, known: set[int], period: int) -> int | None:
        reach = self._counter.missed_allowed + 1
        return next((period - gap for gap in range(1, reach + 1) if period - gap in known), None)
