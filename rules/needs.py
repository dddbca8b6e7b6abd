"""The needs of a ladder, compiled: what is counted, and how much of it a member has in a window."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from rules.lot_terms import add_months
from rules.model import Need, Tiers
from rules.standing import METRIC, Standing
from rules.zones import date_of, day_number

_DAY_TEXT = 10
"""Characters of "2026-05-01"."""


class Window(NamedTuple):
    """Local days in which needs are counted, both included.

    `label` names it: the year, a membership year's first day, or the last day of rolling months.
    """

    label: str
    first: str
    last: str
    whole_year: bool
    """Points and metrics of a calendar year are counted by the year, visits by the day."""


LIFETIME = Window("", "", "~", whole_year=False)
"""All there is, with what is too old to be kept by window."""


class Counted(NamedTuple):
    """What a need counts, whatever the threshold."""

    metric: str
    subject: str
    """Point currency, ISO 4217 code or counter."""
    units: tuple[str, ...]
    lifetime: bool
    by_year: bool
    """Points within the ladder's window: a calendar year has one number of them."""

    @property
    def name(self) -> str:
        """The metric as an award names it."""
        return f"counter/{self.subject}" if self.metric == "counter" else self.metric


class Threshold(NamedTuple):
    """A need: so much of something."""

    counted: Counted
    at_least: int


Choices = tuple[tuple[Threshold, ...], ...]
"""Any of the lists suffices; in a list every one must be met."""


def choices_of(any_of: tuple[tuple[Need, ...], ...]) -> Choices:
    """Compile the needs of a tier."""
    return tuple(tuple(_threshold(need) for need in needs) for needs in any_of)


def _threshold(need: Need) -> Threshold:
    subject = need.currency or need.money or need.counter or ""
    lifetime = need.window == "lifetime"
    by_year = need.metric == "qualifying_points" and not lifetime
    counted = Counted(need.metric, subject, tuple(sorted(need.business_unit)), lifetime, by_year)
    return Threshold(counted, need.at_least)


class Counts:
    """What one member has; what several tiers ask is counted once."""

    __slots__ = ("_known", "_qualifying", "_standing")

    def __init__(self, standing: Standing) -> None:
        """Nothing is counted before it is asked."""
        self._standing = standing
        self._qualifying = standing.qualifying
        self._known: dict[tuple[Counted, Window], int] = {}

    def met(self, choices: Choices, window: Window) -> bool:
        """Say whether any of the lists is met in the window."""
        label = window.label
        for needs in choices:
            for counted, at_least in needs:
                if counted.by_year and window.whole_year:
                    # The common case, for every purchase of most programmes.
                    if self._qualifying.get((counted.subject, label), 0) < at_least:
                        break
                elif self.count(counted, window) < at_least:
                    break
            else:
                return True
        return False

    def count(self, counted: Counted, window: Window) -> int:
        """Count in the window, or over the whole life where the need says so."""
        if counted.lifetime:
            window = LIFETIME
        elif counted.by_year and window.whole_year:
            return self._qualifying.get((counted.subject, window.label), 0)
        known = self._known.get((counted, window))
        if known is None:
            known = self._known[counted, window] = self._count(counted, window)
        return known

    def forgot(self, choices: Choices, window: Window) -> bool:
        """Say whether something counted in the window may be too old to be kept by its time.

        What was folded under window "" is older than all that is kept of the same thing. A window
        that begins before the oldest of that would be counted too low.
        """
        return any(
            not counted.lifetime and self._forgot(counted, window)
            for needs in choices
            for counted, _ in needs
        )

    def _forgot(self, counted: Counted, window: Window) -> bool:
        kept: dict[str, list[str]] = {}
        for scope, counted_in in self._places(counted):
            kept.setdefault(scope, []).append(counted_in)
        return any(
            "" in labels and window.first < min(filter(None, labels), default="~")
            for labels in kept.values()
        )

    def _places(self, counted: Counted) -> Iterator[tuple[str, str]]:
        """Yield (scope, window) of all that is counted of a thing."""
        if counted.metric == "qualifying_points":
            for currency, counted_in in self._qualifying:
                if currency == counted.subject:
                    yield "", counted_in
            return
        for name, scope, counted_in in self._standing.metrics:
            if name == METRIC + counted.name and _asks_scope(counted, scope):
                yield scope, counted_in

    def _count(self, counted: Counted, window: Window) -> int:
        if counted.metric == "qualifying_points":
            return self._count_points(counted.subject, window)
        name = METRIC + counted.name
        found = [
            (counted_in, amount)
            for (named, scope, counted_in), amount in self._standing.metrics.items()
            if named == name and _within(counted_in, window) and _asks_scope(counted, scope)
        ]
        if counted.metric != "visits":
            return sum(amount for _, amount in found)
        # Two purchases of one day, in one unit or in two, are one visit.
        days = {day for day, amount in found if len(day) == _DAY_TEXT and amount > 0}
        return len(days) + sum(amount for day, amount in found if len(day) != _DAY_TEXT)

    def _count_points(self, currency: str, window: Window) -> int:
        total, (label, first, last, _) = 0, window
        form = 0 if window is LIFETIME else _DAY_TEXT
        for (counted_of, counted_in), points in self._qualifying.items():
            if counted_of == currency and (
                (first <= counted_in <= last and len(counted_in) >= form) or counted_in == label
            ):
                total += points
        return total


def _asks_scope(counted: Counted, scope: str) -> bool:
    """Say whether a need looks at a scope: a business unit, and for spend its money too."""
    suffix = "/" + counted.subject if counted.metric == "spend" else ""
    if not scope.endswith(suffix):
        return False
    return not counted.units or scope.removesuffix(suffix) in counted.units


def _within(counted_in: str, window: Window) -> bool:
    if counted_in == window.label:
        return True
    if len(counted_in) != _DAY_TEXT and window is not LIFETIME:
        return False
    return window.first <= counted_in <= window.last


def window_of(tiers: Tiers, local_day: str, metric: str = "qualifying_points") -> str:
    """Give the window in which something of a local day (programme zone) is to be counted.

    That is the calendar year where the ladder counts by calendar years, else the day itself. Visits
    are distinct days, so they are counted by the day in every ladder.
    """
    by_year = tiers.window == "calendar_year" and metric != "visits"
    return local_day[:4] if by_year else local_day


@lru_cache(maxsize=4096)
def calendar_windows(day: int) -> tuple[Window, Window]:
    """Give the calendar year of a day, and the year before it."""
    year = date_of(day).year
    return _year(year), _year(year - 1)


def _year(year: int) -> Window:
    return Window(f"{year:04}", f"{year:04}-01-01", f"{year:04}-12-31", whole_year=True)


@lru_cache(maxsize=4096)
def membership_windows(day: int, member_since: int) -> tuple[Window, Window]:
    """Give the membership year of a day, and the one before it.

    It begins with the anniversary of the day of enrolment: 29 February is the 28th in common years.
    """
    since, today = date_of(member_since), date_of(day)
    years = today.year - since.year
    if day_number(add_months(since, 12 * years)) > day:
        years -= 1
    starts = [day_number(add_months(since, 12 * (years + more))) for more in (-1, 0, 1)]
    before, running = (_days(first, until, label=first) for first, until in pairwise(starts))
    return running, before


@lru_cache(maxsize=4096)
def rolling_window(day: int, months: int) -> Window:
    """Give the last months up to a day: of twelve, 2025-05-02 to 2026-05-01."""
    first = day_number(add_months(date_of(day), -months)) + 1
    return _days(first, day + 1, label=day)


def _days(first: int, until: int, *, label: int) -> Window:
    name, begin, end = (date_of(day).isoformat() for day in (label, first, until - 1))
    return Window(name, begin, end, whole_year=False)
