"""A part of an account that time ends, and what is known of its end without the policy."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from ledger.core.instant import DAY, Instant, from_timestamp
from loyalty.v1.types_pb2 import Draw, LotLife, MovedLot
from rules.lot_terms import add_months
from rules.zones import date_of, day_number

_ZONE_DAYS: Final = 5
"""A month later in a zone of the policy may be so many days before a month later in UTC."""


@dataclass(frozen=True, slots=True)
class Part:
    """A lot, a hold (`available` is what it holds) or a tier (1) that time ends.

    A tier that rests, since its account is merged into another, is pending and never released.
    """

    available: int = 0
    pending: int = 0
    available_at: Instant | None = None
    ends_at: Instant | None = None
    early: bool = False
    """`ends_at` is only the earliest possible end."""
    life: bytes | None = None
    """The `LotLife` of points that activity keeps alive."""

    @property
    def due_at(self) -> Instant | None:
        """When time next decides something; None: never."""
        waits = [
            at
            for at, points in ((self.available_at, self.pending), (self.ends_at, self.available))
            if points and at is not None
        ]
        return min(waits, default=None)

    @property
    def is_kept(self) -> bool:
        """Whether time can end it, as it is or once it is released."""
        timed = self.available_at is not None or self.ends_at is not None or self.early
        return timed and (self.available > 0 or self.pending > 0)


def part_drawn(draw: Draw | MovedLot, *, pending: bool = False) -> Part:
    """The part of points that were drawn from a lot, as they would be in it."""
    part = Part(
        0 if pending else draw.points,
        draw.points if pending else 0,
        instant_of(draw, "available_time"),
        instant_of(draw, "expire_time"),
    )
    if draw.HasField("life"):
        return with_life(part, draw.life, from_timestamp(draw.earned_time))
    return part


life_in: Final = lru_cache(maxsize=1_024)(LotLife.FromString)
"""One policy gives few different lives, and many points have each. Only to be read."""


@lru_cache(maxsize=8_192)
def _earliest_end(day: int, months: int) -> Instant:
    """The earliest instant that a policy's zone may put so many months after a day in UTC."""
    return (day_number(add_months(date_of(day), months)) - _ZONE_DAYS) * DAY


def with_life(part: Part, life: LotLife, earned_at: Instant) -> Part:
    """The part of points whose end is derived: early, by what is known without the policy."""
    if not life.inactive_months:
        return replace(part, early=bool(life.unless_tiers or life.unless_segments) or part.early)
    kept = replace(
        part,
        ends_at=None,
        early=True,
        life=life.SerializeToString(deterministic=True),
    )
    begun_at = from_timestamp(life.begin_time) if life.HasField("begin_time") else earned_at
    return later(kept, life, begun_at)


def later(part: Part, life: LotLife, active_at: Instant) -> Part:
    """The part once something was done: it ends later, but never after its hard limit."""
    ends_at = _earliest_end(active_at // DAY, life.inactive_months)
    if part.ends_at is not None:
        ends_at = max(ends_at, part.ends_at)
    if life.HasField("hard_expire_time"):
        ends_at = min(ends_at, from_timestamp(life.hard_expire_time))
    return part if ends_at == part.ends_at else replace(part, ends_at=ends_at)


def instant_of(message: object, field: str) -> Instant | None:
    """An instant that a message says; None where it says none."""
    stamp: Timestamp = getattr(message, field)
    return from_timestamp(stamp) if message.HasField(field) else None  # type: ignore[attr-defined]
