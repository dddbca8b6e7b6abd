"""Limits of velocity: which apply to something that is done, and in which steps they count."""

from typing import NamedTuple

from rules.facts import Instant
from rules.model import Velocity
from rules.model.velocity import VelocityVerb
from rules.policy import Policy
from rules.windows import period_of
from rules.zones import DAY, HOUR, LocalZone, date_of, day_number

STEPS = 12
"""A rolling window is counted in so many steps, and the one that is under way."""


class Step(NamedTuple):
    """A stretch of time in which doings are added up, and when it ceases to count."""

    period: str
    free_at: Instant


class SpeedLimit(NamedTuple):
    """A limit that applies. `steps` are those that count, oldest first; the last is under way."""

    id: str
    per: str
    window: str
    steps: tuple[Step, ...]
    times: int | None
    points: int | None
    kept: bool
    currency: str

    @property
    def period(self) -> str:
        """The step under way."""
        return self.steps[-1].period


def speed_limits(
    policy: Policy, verb: VelocityVerb, *, business_unit: str, currency: str, at: Instant
) -> tuple[SpeedLimit, ...]:
    """Give the limits under which something counts that is recorded at an instant.

    Without a currency what is done has points of several: then every limit may count it.
    """
    if not policy.model.velocity:
        return ()
    return tuple(
        speed_limit(policy, terms, at)
        for terms in policy.model.velocity
        if verb in terms.verbs
        and business_unit in (terms.business_unit or policy.units)
        and (not currency or terms.currency in (None, currency))
    )


def speed_limit_named(policy: Policy, name: str, at: Instant) -> SpeedLimit | None:
    """Give the limit with an id; None when the policy has none."""
    terms = next((terms for terms in policy.model.velocity if terms.id == name), None)
    return None if terms is None else speed_limit(policy, terms, at)


def speed_limit(policy: Policy, terms: Velocity, at: Instant) -> SpeedLimit:
    """Give a limit with the steps of an instant."""
    window = terms.window or f"{terms.hours} hours"
    return SpeedLimit(
        terms.id,
        terms.per,
        window,
        _steps(policy.terms.zone, terms, at),
        terms.count,
        terms.points,
        terms.reversals == "keep",
        terms.currency or "",
    )


def _steps(zone: LocalZone, terms: Velocity, at: Instant) -> tuple[Step, ...]:
    if terms.hours is None:
        assert terms.window is not None, "it has one or the other"
        day = zone.wall(at) // DAY
        end = zone.instant(_next_period(terms.window, day) * DAY)
        return (Step(period_of(terms.window, day), end),)
    length = terms.hours * HOUR // STEPS
    first = at // length - STEPS
    return tuple(
        Step(_step_name((first + number) * length), (first + number + STEPS + 1) * length)
        for number in range(STEPS + 1)
    )


def _step_name(begin: Instant) -> str:
    """Name a step by its beginning, in UTC: "2026-05-01T10:05"."""
    minutes = begin // (HOUR // 60)
    day, minute = divmod(minutes, 24 * 60)
    return f"{date_of(day).isoformat()}T{minute // 60:02}:{minute % 60:02}"


def _next_period(window: str, day: int) -> int:
    """Give the first day after the period of a day."""
    if window == "local_day":
        return day + 1
    if window == "local_week":
        # 1970-01-01 was a Thursday.
        return day + 7 - (day + 3) % 7
    local = date_of(day)
    year, month = divmod(local.year * 12 + local.month, 12)
    return day_number(local.replace(year=year, month=month + 1, day=1))
