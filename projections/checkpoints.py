"""Checkpoints: which builds of a projection exist, which is live, and how far each has come.

Functions that change something belong into the caller's transaction.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from projections.projection import Connection, LaneRange, Positions, Projection

FIRST_VERSION: Final = 1

_LIVE: Final = """
SELECT version, definition FROM projection JOIN projection_build USING (name, version)
WHERE name = $1"""
_MAKE_LIVE: Final = "INSERT INTO projection (name, version) VALUES ($1, $2) ON CONFLICT DO NOTHING"
_SWITCH: Final = "UPDATE projection SET version = $2 WHERE name = $1 AND version = $3"
_ADD_BUILD: Final = """
INSERT INTO projection_build (name, version, definition) VALUES ($1, $2, $3)
ON CONFLICT DO NOTHING"""
_ADD_CHECKPOINTS: Final = """
INSERT INTO subscription (name, version, lane, pos) SELECT $1, $2::integer, lane, 0 FROM lane
ON CONFLICT DO NOTHING"""
_VERSIONS: Final = "SELECT version FROM projection_build WHERE name = $1 ORDER BY version"
_END: Final = "DELETE FROM subscription WHERE name = $1 AND version = $2"
_FORGET: Final = "DELETE FROM projection_build WHERE name = $1 AND version = $2"

# The head and the events below it become visible in one commit, so no event below it is missing.
_STANDINGS: Final = """
SELECT lane.lane, subscription.pos, lane.next_pos FROM lane JOIN subscription USING (lane)
WHERE subscription.name = $1 AND subscription.version = $2 ORDER BY lane.lane"""
_LOCKED: Final = """
SELECT lane, pos FROM subscription WHERE name = $1 AND version = $2 AND lane = ANY($3::smallint[])
ORDER BY lane FOR UPDATE"""
_ADVANCE: Final = """
UPDATE subscription SET pos = r.end_pos
FROM unnest($3::smallint[], $4::bigint[], $5::bigint[]) AS r (lane, start_pos, end_pos)
WHERE subscription.name = $1 AND subscription.version = $2
  AND subscription.lane = r.lane AND subscription.pos = r.start_pos"""


class Build(NamedTuple):
    """One set of rows of a projection, and which definition made it."""

    version: int
    definition: int


class Standing(NamedTuple):
    """Where a build stands in one lane."""

    lane: int
    pos: int
    head: int
    """First position that the lane does not have yet."""


class Overtaken(Exception):
    """Another process moved this build's checkpoints, or dropped the build. Look again."""


async def live(connection: Connection, name: str) -> Build | None:
    """The build that answers reads; None before the projection was first followed."""
    row = await connection.fetchrow(_LIVE, name)
    return None if row is None else Build(*row)


async def live_or_first(connection: Connection, projection: Projection) -> Build:
    """The live build; the first one is begun, and is live from the start."""
    found = await live(connection, projection.name)
    if found is not None:
        return found
    async with connection.transaction():
        await begin(connection, projection, FIRST_VERSION)
        await connection.execute(_MAKE_LIVE, projection.name, FIRST_VERSION)
    found = await live(connection, projection.name)
    if found is None:
        raise Overtaken(projection.name)
    return found


async def begin(connection: Connection, projection: Projection, version: int) -> None:
    """Note a build and put its checkpoints at zero; harmless if it exists."""
    await connection.execute(_ADD_BUILD, projection.name, version, projection.definition)
    await connection.execute(_ADD_CHECKPOINTS, projection.name, version)


async def versions(connection: Connection, name: str) -> list[int]:
    """Versions of all builds that exist, live or not."""
    return [row[0] for row in await connection.fetch(_VERSIONS, name)]


async def switch(connection: Connection, name: str, *, old: int, new: int) -> None:
    """Let another build answer reads, and end the old one: its runner finds no checkpoint.

    The old build stays known until its rows are discarded.

    Raises:
        Overtaken: `old` is not live.
    """
    if await connection.execute(_SWITCH, name, new, old) != "UPDATE 1":
        raise Overtaken(name)
    await connection.execute(_END, name, old)


async def discard(connection: Connection, projection: Projection, version: int) -> None:
    """Delete the checkpoints and rows of a build that answers no reads, and forget it."""
    await connection.execute(_END, projection.name, version)
    for table in projection.tables:
        await connection.execute(f"DELETE FROM {table.name} WHERE version = $1", version)
    await connection.execute(_FORGET, projection.name, version)


async def standings(connection: Connection, name: str, version: int) -> list[Standing]:
    """Where a build stands, by lane; empty if it was dropped."""
    return [Standing(*row) for row in await connection.fetch(_STANDINGS, name, version)]


async def locked_positions(
    connection: Connection, name: str, version: int, lanes: Sequence[int]
) -> Positions:
    """Checkpoints of these lanes, kept from moving until the caller's transaction ends.

    In lane order, so that two processes wait for each other instead of blocking one another.
    """
    rows = await connection.fetch(_LOCKED, name, version, list(lanes))
    return {lane: pos for lane, pos in rows}


async def advance(
    connection: Connection, name: str, version: int, ranges: Sequence[LaneRange]
) -> None:
    """Move checkpoints from the start to the end of each range.

    Raises:
        Overtaken: one of them did not stand at its start; the caller must roll back.
    """
    columns = map(list, zip(*ranges, strict=True))
    if await connection.execute(_ADVANCE, name, version, *columns) != f"UPDATE {len(ranges)}":
        raise Overtaken(name)
