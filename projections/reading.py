"""How the read side answers: from one snapshot, with the positions that the answer reflects."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Generic, NamedTuple, TypeVar

from projections.projection import Connection, Positions

T = TypeVar("T")

NEVER_BUILT: Final = 0
"""Version of a projection that no runner has followed yet: it has no rows."""
_POLL_SECONDS: Final = 0.05

_LIVE: Final = "SELECT version FROM projection WHERE name = $1"
_POSITIONS: Final = """
SELECT lane, pos FROM subscription WHERE name = $1 AND version = $2 ORDER BY lane"""


class Reading(NamedTuple, Generic[T]):
    """An answer and the first position of each lane that it does not include."""

    positions: Positions
    value: T


class At(NamedTuple):
    """What a reading transaction sees: the live build and how far it has come."""

    version: int
    positions: Positions


class Behind(Exception):
    """The projection did not reach the wanted positions in time. Waiting longer helps."""

    def __init__(self, name: str, *, wanted: Positions, found: Positions) -> None:
        """Keep the vectors; `lanes` are those that are missing something."""
        self.name = name
        self.wanted = wanted
        self.found = found
        self.lanes = missing(found, wanted=wanted)
        super().__init__(f"{name} is behind in lanes {self.lanes}")


def missing(found: Positions, *, wanted: Positions) -> list[int]:
    """Lanes in which `found` does not reach what is wanted."""
    return sorted(lane for lane, pos in wanted.items() if found.get(lane, 0) < pos)


@asynccontextmanager
async def reading(connection: Connection, name: str) -> AsyncIterator[At]:
    """A transaction in which rows and positions belong together, even while a rebuild switches."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        version = await connection.fetchval(_LIVE, name) or NEVER_BUILT
        rows = await connection.fetch(_POSITIONS, name, version)
        yield At(version, {lane: pos for lane, pos in rows})


async def positions_of(connection: Connection, name: str) -> Positions:
    """How far the live build of a projection has come; empty before it is first followed."""
    async with reading(connection, name) as at:
        return at.positions


async def reached(
    connection: Connection, name: str, wanted: Positions, *, seconds: float
) -> Positions:
    """Wait until the live build includes `wanted`; the positions it then has.

    Raises:
        Behind: it did not come that far within `seconds`.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while True:
        found = await positions_of(connection, name)
        if not missing(found, wanted=wanted):
            return found
        if loop.time() >= until:
            raise Behind(name, wanted=wanted, found=found)
        await asyncio.sleep(_POLL_SECONDS)
