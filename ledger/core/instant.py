"""Instants: microseconds since the Unix epoch, UTC, as an int; exact, cheap, and never naive.

Timestamps of the wire and of the store are converted at the edges, here.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from google.protobuf.timestamp_pb2 import Timestamp

Instant = int
"""Microseconds since 1970-01-01T00:00:00Z; an alias, so that signatures say what they mean."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SECOND = 1_000_000
CLOCKS_DIFFER_BY = 300 * SECOND
"""How far a till's clock may be ahead of ours."""
DAY = 86_400 * SECOND


def from_timestamp(stamp: Timestamp) -> Instant:
    """Instant of a protobuf timestamp; what is below a microsecond is cut off."""
    return stamp.seconds * SECOND + stamp.nanos // 1000


def to_timestamp(at: Instant) -> Timestamp:
    """Protobuf timestamp of an instant."""
    seconds, micros = divmod(at, SECOND)
    return Timestamp(seconds=seconds, nanos=micros * 1000)


def write_timestamp(into: Timestamp, at: Instant) -> None:
    """Write an instant into a message's timestamp."""
    into.CopyFrom(_shared(at))


# One document writes the same few instants again and again; copying one costs half of making it.
# Never handed out: a message can be changed.
_shared = lru_cache(maxsize=4096)(to_timestamp)


def optional_timestamp(at: Instant | None) -> Timestamp | None:
    """As `to_timestamp`; None stays None, which leaves a message's field unset."""
    return None if at is None else to_timestamp(at)


def from_datetime(moment: datetime) -> Instant:
    """Instant of a zone-aware datetime. Raises ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone")
    return (moment - EPOCH) // MICROSECOND


def to_datetime(at: Instant) -> datetime:
    """Zone-aware UTC datetime of an instant."""
    return EPOCH + timedelta(microseconds=at)
