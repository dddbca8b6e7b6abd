"""Limits of velocity: how often, and with how many points, something may be done in a while.

What a member does is counted in the account. What a client, an operator or a unit does has purses
of its own, which the shell looks up: the facts say what they use of either, in the same words.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from ledger.core.commands import Speed
from ledger.core.instant import Instant, to_datetime
from ledger.core.refusals import VelocityExceeded
from ledger.core.usage import POINTS, TIMES, VELOCITY, UsageKey
from loyalty.v1.types_pb2 import Usage

_WHAT: Final = {TIMES: "times", POINTS: "points"}


class Measure(NamedTuple):
    """One of the two things that a limit counts, with the most of it."""

    name: str
    what: str
    most: int
    change: int


def use_speeds(used: Mapping[UsageKey, int], speeds: Iterable[Speed], points: int) -> list[Usage]:
    """Count a deed with so many points; `used` is what the account knows.

    Raises VelocityExceeded for the first limit that it would pass.
    """
    usages = []
    for speed in speeds:
        known = speed.shared if speed.scope else used
        for measure in measures(speed, points):
            usages.append(_use(speed, measure, known))
    return usages


def measures(speed: Speed, points: int) -> Iterator[Measure]:
    """What a limit counts of a deed with so many points."""
    limit = speed.limit
    for end, most, change in ((TIMES, limit.times, 1), (POINTS, limit.points, points)):
        if most is not None:
            yield Measure(f"{VELOCITY}{limit.id}{end}", _WHAT[end], most, change)


def others_used(speed: Speed, measure: Measure, known: Mapping[UsageKey, int]) -> list[int]:
    """What is used in each step, the oldest first."""
    return [known.get((measure.name, speed.scope, step.period), 0) for step in speed.limit.steps]


def exceeded(speed: Speed, measure: Measure, by_step: list[int], more: int) -> VelocityExceeded:
    """The refusal of more than is left, with when there will be enough again."""
    used = sum(by_step)
    free_at: Instant | None = None
    left = used
    for step, amount in zip(speed.limit.steps, by_step, strict=True):
        left -= amount
        if left + more <= measure.most:
            free_at = step.free_at
            break
    free = "" if free_at is None else to_datetime(free_at).isoformat().replace("+00:00", "Z")
    return VelocityExceeded(
        limit=speed.limit.id,
        per=speed.limit.per,
        what=measure.what,
        most=measure.most,
        used=used,
        requested=more,
        window=speed.limit.window,
        free_at=free,
    )


def _use(speed: Speed, measure: Measure, known: Mapping[UsageKey, int]) -> Usage:
    by_step = others_used(speed, measure, known)
    others = sum(by_step)
    if others + measure.change > measure.most:
        raise exceeded(speed, measure, by_step, measure.change)
    return Usage(
        name=measure.name,
        scope=speed.scope,
        period=speed.limit.period,
        others=others,
        total=measure.change,
        change=measure.change,
        kept=speed.limit.kept,
    )
