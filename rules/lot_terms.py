"""When points become available and when they expire, counted in the programme's zone.

Most points have a date from the start. A `Life` says what else decides: activity, a tier or a
segment that keeps them alive, or a release that is still to come. Their end is then derived anew
whenever it is asked for (rules.lives); lots are never rewritten.
"""

from calendar import monthrange
from datetime import date
from typing import NamedTuple

from rules.award import Life
from rules.facts import Instant
from rules.model import (
    AnniversaryExpiry,
    CalendarDateExpiry,
    Expiry,
    FixedExpiry,
    InactivityExpiry,
    NeverExpiry,
    PeriodEndExpiry,
)
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


def next_month_day(day: date, month_day: str) -> date:
    """Give the first such day at or after `day`; 02-29 is the last day of February."""
    month, of_month = int(month_day[:2]), int(month_day[3:])
    for year in (day.year, day.year + 1):
        found = date(year, month, min(of_month, monthrange(year, month)[1]))
        if found >= day:
            return found
    raise AssertionError("every year has the day")


class LotEnd(NamedTuple):
    """How long points live: a date, None for no date, and what else decides."""

    expires_at: Instant | None
    life: Life | None


class ExpiryRule:
    """One expiry of the policy: when points earned at an instant are gone."""

    def __init__(self, terms: Expiry, zone: LocalZone) -> None:
        self.id = terms.id
        self.needs_member_since = isinstance(terms, AnniversaryExpiry)
        """The day of enrolment has to be pinned with an award that asks this rule."""
        self.counts_from_claim = terms.claimed_since == "claimed" and terms.kind != "never"
        """Points of a document that was claimed live from then."""
        self._terms = terms
        self._zone = zone
        self._never = isinstance(terms, NeverExpiry)
        self._inactivity = terms if isinstance(terms, InactivityExpiry) else None
        fixed = terms if isinstance(terms, FixedExpiry) else None
        self._to_the_instant = fixed is not None and fixed.round_to == "instant"
        self._since_release = fixed is not None and fixed.since == "released"
        self._life = self._protection()
        self._waiting = Life(self.id) if self._life is None else self._life
        self._waiting = self._waiting._replace(from_release=True)
        self._by_day: dict[tuple[int, str], Instant] = {}
        self._by_months: dict[tuple[int, int], Instant] = {}

    def _protection(self) -> Life | None:
        terms, idle = self._terms, self._inactivity
        if self._never or not (idle or terms.unless_tier or terms.unless_segment):
            return None
        return Life(
            terms.id,
            inactive_months=idle.months if idle else 0,
            extended_by=idle.extended_by if idle else (),
            unless_tiers=terms.unless_tier,
            unless_segments=terms.unless_segment,
            restarts=terms.lapse == "restart",
        )

    def lot_end(
        self,
        occurred_at: Instant,
        *,
        released_at: Instant | None = None,
        waits: bool = False,
        member_since: str = "",
        claimed_at: Instant | None = None,
    ) -> LotEnd:
        """Say how long points live that are earned at `occurred_at`.

        `released_at` is when they become available by time, None for at once; with `waits` it is
        not known yet, because their document is not final. `member_since` is the day of enrolment,
        `claimed_at` when their document was claimed.
        """
        if not self.counts_from_claim:
            claimed_at = None
        begun_at = occurred_at if claimed_at is None else max(occurred_at, claimed_at)
        if self._since_release:
            if waits:
                return LotEnd(None, self._waiting._replace(begun_at=claimed_at))
            return LotEnd(self.expires_at(max(released_at or begun_at, begun_at)), self._life)
        if self._inactivity is None:
            return LotEnd(self.expires_at(begun_at, member_since), self._life)
        assert self._life is not None, "inactivity is more than a date"
        hard, later = self.hard_end(begun_at), begun_at if begun_at > occurred_at else None
        return LotEnd(None, self._life._replace(hard_expires_at=hard, begun_at=later))

    def expires_at(self, occurred_at: Instant, member_since: str = "") -> Instant | None:
        """Give the date alone: the first instant at which points are gone, None for no date."""
        if self._never or self._inactivity is not None:
            return None
        wall = self._zone.wall(occurred_at)
        if self._to_the_instant:
            return self._zone.instant(self._last_day(wall // DAY, "") * DAY + wall % DAY)
        key = wall // DAY, member_since
        known = self._by_day.get(key)
        if known is None:
            if len(self._by_day) >= _REMEMBERED_MAX:
                self._by_day.clear()
            known = self._by_day[key] = self._zone.instant(self._last_day(*key) * DAY)
        return known

    def idle_end(self, active_at: Instant) -> Instant | None:
        """Give when points die that saw no activity after this one; None without such a rule."""
        idle = self._inactivity
        return None if idle is None else self._months_on(active_at, idle.months)

    def hard_end(self, earned_at: Instant) -> Instant | None:
        """Give when points die whatever happens; None for no such limit."""
        idle = self._inactivity
        if idle is None or idle.hard_months is None:
            return None
        return self._months_on(earned_at, idle.hard_months)

    def segment_end(self, earned_at: Instant) -> Instant | None:
        """Give when segments cease to protect who earned then last; None while they always do."""
        months = self._terms.segment_months
        if months is None:
            return None
        last = day_number(add_months(date_of(self._zone.wall(earned_at) // DAY), months))
        return self._zone.instant((last + 1) * DAY)

    def _months_on(self, at: Instant, months: int) -> Instant:
        assert self._inactivity is not None, "only inactivity counts so"
        key = self._zone.wall(at) // DAY, months
        known = self._by_months.get(key)
        if known is None:
            if len(self._by_months) >= _REMEMBERED_MAX:
                self._by_months.clear()
            last = day_number(add_months(date_of(key[0]), months))
            last += self._inactivity.round_to == "day_end"
            known = self._by_months[key] = self._zone.instant(last * DAY)
        return known

    def _last_day(self, day: int, member_since: str) -> int:
        """Give the day on which points of `day` end: at its start, or at their time of day."""
        terms, earned = self._terms, date_of(day)
        match terms:
            case PeriodEndExpiry():
                months = _PERIOD_MONTHS[terms.kind]
                return day_number(add_months(period_end(earned, months), terms.after * months))
            case CalendarDateExpiry():
                return (
                    day_number(next_month_day(add_months(earned, terms.months), terms.month_day))
                    + 1
                )
            case AnniversaryExpiry():
                since = date.fromisoformat(member_since) if member_since else earned
                return day_number(_anniversary(since, earned, terms.after)) + 1
            case FixedExpiry():
                last = day_number(add_months(earned, terms.months)) + terms.days
                if terms.round_to == "instant":
                    return last
                if terms.round_to == "day_end":
                    return last + 1
                return day_number(period_end(date_of(last), _PERIOD_MONTHS[terms.round_to]))
            case _:
                raise AssertionError(f"{terms.kind} has no last day")


def _anniversary(since: date, earned: date, after: int) -> date:
    """Give the `after`-th anniversary of `since` that follows `earned`."""
    years = max(0, earned.year - since.year)
    if add_months(since, years * 12) <= earned:
        years += 1
    return add_months(since, (years + after - 1) * 12)


def pending_until(zone: LocalZone, occurred_at: Instant, days: int) -> Instant | None:
    """Give the same local time `days` days later, or None when the points are available at once."""
    return zone.instant(zone.wall(occurred_at) + days * DAY) if days else None
