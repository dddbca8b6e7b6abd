"""Digest of rows: equal digests mean equal answers, whoever computed them.

SHA-256 over the rows in their order. A row is its number of fields as u32, then each field as u32
length and UTF-8 text, integers in decimal; 0xFFFFFFFF stands for NULL. All big-endian.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Final, NamedTuple

from projections.projection import Connection, Positions, Projection
from projections.reading import reading

_NULL: Final = b"\xff\xff\xff\xff"
_FETCH: Final = 5_000

Field = str | int | None


class Digest(NamedTuple):
    """A digest in hexadecimal and the first position of each lane that it does not include."""

    positions: Positions
    hexdigest: str


def encoded(row: Iterable[Field]) -> bytes:
    """Bytes of a row as they are hashed."""
    fields = [_NULL if field is None else _text(str(field)) for field in row]
    return len(fields).to_bytes(4, "big") + b"".join(fields)


def _text(value: str) -> bytes:
    raw = value.encode()
    return len(raw).to_bytes(4, "big") + raw


def balances_digest(rows: Iterable[tuple[str, str, int, int, int, int]]) -> str:
    """Digest of (account, currency, available, pending, held, arrears), in any order.

    Equal to that of the projection `balances` when the rows are: a replay compares itself so.
    Rows of four zeros do not count.
    """
    hashed = sha256()
    for row in sorted(row for row in rows if any(row[2:])):
        hashed.update(encoded(row))
    return hashed.hexdigest()


async def digest_of_version(connection: Connection, projection: Projection, version: int) -> str:
    """Digest of one build, inside the caller's transaction; rows are streamed."""
    hashed = sha256()
    for statement in projection.digested:
        async for row in connection.cursor(statement, version, prefetch=_FETCH):
            hashed.update(encoded(row))
    return hashed.hexdigest()


async def digest_of(connection: Connection, projection: Projection) -> Digest:
    """Digest of the live build, and the positions it reflects."""
    async with reading(connection, projection.name) as at:
        digest = await digest_of_version(connection, projection, at.version)
    return Digest(at.positions, digest)
