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


EnvelopeFacts = tuple[int, int, str, int, int, str | None, int | None, str | None, Instant, Instant]
"""The fields of a StoredEvent before its payload."""


# A batch names the same streams, currencies and units again and again.
@lru_cache(maxsize=1 << 14)
def _text(value: str | None) -> bytes:
    if value is None:
        return _NO_TEXT
    raw = value.encode()
    return len(raw).to_bytes(2, "big") + raw


def envelope_of(event: StoredEvent) -> bytes:
    """Canonical bytes of everything about an event but its payload and hash."""
    return _packed(event[:-2])


def leaf_hash(event: StoredEvent) -> bytes:
    """The 32 bytes that stand for an event in its lane's tree; ignores `event.leaf_hash`."""
    return _hashed(envelope_of(event), event.payload)


def sealed(facts: EnvelopeFacts, payload: bytes) -> StoredEvent:
    """An event with its leaf hash."""
    return StoredEvent(*facts, payload, _hashed(_packed(facts), payload))


def _packed(facts: EnvelopeFacts) -> bytes:
    lane, pos, stream, version, kind, currency, points, unit, occurred_at, recorded_at = facts
    has_points = 0 if points is None else 1
    fixed = _FIXED.pack(
        FORMAT, lane, pos, version, kind, occurred_at, recorded_at, has_points, points or 0
    )
    return fixed + _text(stream) + _text(currency) + _text(unit)


def _hashed(envelope: bytes, payload: bytes) -> bytes:
    return sha256(_LEAF + len(envelope).to_bytes(4, "big") + envelope + payload).digest()
