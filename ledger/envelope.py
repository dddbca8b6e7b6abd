"""The envelope of a stored event, and the hash that makes it a leaf of its lane's tree.

Leaf = SHA-256(0x00 ‖ u32 length of envelope ‖ envelope ‖ payload), the leaf hash of RFC 9162 over
these bytes. Envelope, big-endian: u8 format (1), u16 lane, i64 pos, i64 version, u16 kind, i64
occurred_at and i64 recorded_at in microseconds, u8 1 and i64 points or u8 0, then stream, currency
and business unit as u16 length and UTF-8 bytes; 0xFFFF stands for an absent one.
"""

import struct
from functools import lru_cache
from hashlib import sha256
from typing import Final, NamedTuple

from ledger.core.instant import Instant

FORMAT: Final = 1
_FIXED: Final = struct.Struct(">BHqqHqqBq")
_NO_TEXT: Final = b"\xff\xff"
_LEAF: Final = b"\x00"


class StoredEvent(NamedTuple):
    """A row of the event table. Instants are microseconds; the payload is what was hashed."""

    lane: int
    pos: int
    stream: str
    version: int
    kind: int
    currency: str | None
    points: int | None
    business_unit: str | None
    occurred_at: Instant
    recorded_at: Instant
    payload: bytes
    leaf_hash: bytes


# A batch names the same streams, currencies and units again and again.
@lru_cache(maxsize=1 << 14)
def _text(value: str | None) -> bytes:
    if value is None:
        return _NO_TEXT
    raw = value.encode()
    return len(raw).to_bytes(2, "big") + raw


def envelope_of(event: StoredEvent) -> bytes:
    """Canonical bytes of everything about an event but its payload and hash."""
    fixed = _FIXED.pack(
        FORMAT,
        event.lane,
        event.pos,
        event.version,
        event.kind,
        event.occurred_at,
        event.recorded_at,
        0 if event.points is None else 1,
        event.points or 0,
    )
    return fixed + _text(event.stream) + _text(event.currency) + _text(event.business_unit)


def leaf_hash(event: StoredEvent) -> bytes:
    """The 32 bytes that stand for an event in its lane's tree; ignores `event.leaf_hash`."""
    envelope = envelope_of(event)
    return sha256(_LEAF + len(envelope).to_bytes(4, "big") + envelope + event.payload).digest()


def sealed(event: StoredEvent) -> StoredEvent:
    """The event with its leaf hash."""
    return StoredEvent(*event[:-1], leaf_hash(event))
