"""Digests of projections: equal digests mean equal answers, whoever computed them.

`ledger/digests.py` says how rows are hashed, so that a replay, which knows no projection, gets the
digest of the balances too.
"""

from decimal import Decimal
from hashlib import sha256
from typing import Final, NamedTuple

from ledger.digests import balances_digest, encoded
from projections.projection import Connection, Positions, Projection
from projections.reading import reading

__all__ = ["Digest", "balances_digest", "digest_of", "digest_of_version"]

_FETCH: Final = 5_000


class Digest(NamedTuple):
    """A digest in hexadecimal and the first position of each lane that it does not include."""

    positions: Positions
    hexdigest: str


async def digest_of_version(connection: Connection, projection: Projection, version: int) -> str:
    """Digest of one build, inside the caller's transaction; rows are streamed."""
    hashed = sha256()
    for statement in projection.digested:
        async for row in connection.cursor(statement, version, prefetch=_FETCH):
            hashed.update(encoded(list(map(_exact, row))))
    return hashed.hexdigest()


def _exact(field: str | int | Decimal | None) -> str | int | None:
    """A sum that may outgrow 64 bits comes as a decimal, and is a whole number."""
    return int(field) if isinstance(field, Decimal) else field


async def digest_of(connection: Connection, projection: Projection) -> Digest:
    """Digest of the live build, and the positions it reflects."""
    async with reading(connection, projection.name) as at:
        digest = await digest_of_version(connection, projection, at.version)
    return Digest(at.positions, digest)
