"""When points become available and when they expire, counted in the programme's zone."""

from calendar import monthrange
from datetime import date

from rules.facts import Instant
from rules.model import Expiry, FixedExpiry, NeverExpiry, PeriodEndExpiry
from rules.zones import DAY, LocalZone, date_of, day_number

_REMEMBERED_MAX = 8192
_PERIOD_MONTHS = {"month_end": 1, "quarter_end": 3, "year_end": 12}


def add_months(day: date, months: int) -> date:
    """Go `months` on, to the month's last day where it is shorter: 31 January + 1 = 28 February."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def period_end(day: date, months: int) -> date:
    """Give the first day after the calendar period of `months` (1, 3 or 12) that holds `day`."""
    first = day.replace(month=(day.month - 1) // months * months + 1, day=1)
    return add_months(first, months)


class ExpiryRule:
    """When points earned at an instant expire: the first instant at which they are gone."""

    def __init__(self, terms: Expiry, zone: LocalZone) -> None:
        self.id = terms.id
        self._terms = terms
        self._zone = zone
        self._never = isinstance(terms, NeverExpiry)
        self._to_the_instant = isinstance(terms, FixedExpiry) and terms.round_to == "instant"
        self._by_day: dict[int, Instant] = {}

    def expires_at(self, occurred_at: Instant) -> Instant | None:
        """Give the instant, or None for points that stay."""
        if self._never:
            return None
        wall = self._zone.wall(occurred_at)
        if self._to_the_instant:
            return self._zone.instant(self._last_day(wall // DAY) * DAY + wall % DAY)
        day = wall // DAY
        known = self._by_day.get(day)
        if known is None:
            if len(self._by_day) >= _REMEMBERED_MAX:
                self._by_day.clear()
            known = self._by_day[day] = self._zone.instant(self._last_day(day) * DAY)
        return known

    def _last_day(self, day: int) -> int:
        """Give the day on which points of `day` end: at its start, or at their time of day."""
        terms, earned = self._terms, date_of(day)
        if isinstance(terms, PeriodEndExpiry):
            months = _PERIOD_MONTHS[terms.kind]
            return day_number(add_months(period_end(earned, months), terms.after * months))
        assert isinstance(terms, FixedExpiry), "points that stay have no last day"
        last = day_number(add_months(earned, terms.months)) + terms.days
        if terms.round_to == "instant":
            return last
        if terms.round_to == "day_end":
            return last + 1
        return day_number(period_end(date_of(last), _PERIOD_MONTHS[terms.round_to]))


def pending_until(zone: LocalZone, occurred_at: Instant, days: int) -> Instant | None:
    """Give the same local time `days` days later, or None when the points are available at once."""
    return zone.instant(zone.wall(occurred_at) + days * DAY) if days else None
