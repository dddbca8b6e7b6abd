"""How long a tier lasts once it is given, in the programme's zone."""

from calendar import monthrange
from datetime import date

from rules.facts import Instant
from rules.lot_terms import add_months
from rules.model import Tiers
from rules.needs import Window
from rules.zones import DAY, LocalZone, date_of, day_number

_REMEMBERED_MAX = 8192


class Validity:
    """The ends of tiers, remembered by day."""

    def __init__(self, tiers: Tiers, zone: LocalZone) -> None:
        """Take the terms of a ladder."""
        self._valid = tiers.valid
        self._by_year = tiers.window == "calendar_year"
        self._rolling = tiers.window == "rolling_months"
        self._zone = zone
        self._starts: dict[int, Instant] = {}

    def until(self, day: int, window: Window, *, past: bool) -> Instant:
        """Give the first instant after a tier that a window gives on a local day.

        Ladders by calendar year count from the window's year, others from the day. A past window's
        tier may be over already; one that is reached now has its day of the year still before it.
        """
        valid, reached = self._valid, date_of(day)
        year = int(window.label[:4]) if self._by_year else reached.year
        if valid == "rest_of_year_plus_one":
            return self._start(day_number(date(year + 2, 1, 1)))
        if valid.months is not None:
            return self._start(day_number(add_months(reached, valid.months)) + 1)
        assert valid.years_after is not None, "the model asks for one of the two"
        last = _day_of_year(year + valid.years_after, valid.month_day)
        while last < reached and not past:
            last = _day_of_year(last.year + 1, valid.month_day)
        return self._start(day_number(last) + 1)

    def after_days(self, at: Instant, days: int) -> Instant:
        """Give the same local time so many days later."""
        return self._zone.instant(self._zone.wall(at) + days * DAY)

    def window_starts(self, window: Window) -> Instant:
        """Give the first instant of a window."""
        return self._start(day_number(date.fromisoformat(window.first)))

    def window_ends(self, window: Window) -> Instant:
        """Give the first instant after a window; of rolling months, after their last month."""
        last = date.fromisoformat(window.last)
        if self._rolling:
            return self._start(day_number(add_months(last.replace(day=1), 1)))
        return self._start(day_number(last) + 1)

    def _start(self, day: int) -> Instant:
        start = self._starts.get(day)
        if start is None:
            if len(self._starts) >= _REMEMBERED_MAX:
                self._starts.clear()
            start = self._starts[day] = self._zone.instant(day * DAY)
        return start


def _day_of_year(year: int, month_day: str) -> date:
    """Give a day of a year; a February that is too short for it ends with its last day."""
    month, day = int(month_day[:2]), int(month_day[3:])
    return date(year, month, min(day, monthrange(year, month)[1]))
