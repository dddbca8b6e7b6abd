"""Rebuild: the same answer once more from the first event, beside the live one, then switched."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

import asyncpg

from projections import PROJECTIONS, checkpoints
from projections.checkpoints import Build, Overtaken
from projections.digest import digest_of_version
from projections.projection import Connection, LaneRange, Positions, Projection, Unreadable
from projections.rounds import Round, Stop, apply_ranges, apply_round

BATCH_SIZE: Final = 20_000
# First key of the advisory lock; the second one is the projection's.
_LOCK_CLASS: Final = 4851294
_LOCK: Final = "SELECT pg_try_advisory_lock($1, hashtext($2))"
_UNLOCK: Final = "SELECT pg_advisory_unlock($1, hashtext($2))"


class Progress(NamedTuple):
    """How far a rebuild has come."""

    events: int
    total: int
    """Events that the log had at the last look; rises while the service writes."""


class Rebuilt(NamedTuple):
    """A rebuild that has been switched to."""

    name: str
    version: int
    positions: Positions
    """The vector at which the digests were taken."""
    digest: str
    replaced_digest: str | None
    """Of the build that was live, at the same vector; None if another definition made it."""
    events: int
    """Events that were read: the sum of the positions."""


class UnknownProjection(Exception):
    """No projection has this name."""

    def __init__(self, name: str) -> None:
        """Keep the names there are."""
        self.name = name
        self.names = tuple(projection.name for projection in PROJECTIONS)
        super().__init__(f"no projection is called {name!r}; there are {', '.join(self.names)}")


class AlreadyRebuilding(Exception):
    """Another process rebuilds this projection."""


class RebuildStopped(Exception):
    """A lane could not be read to its end; the live build was left as it is."""

    def __init__(self, name: str, stop: Stop) -> None:
        """Keep where it stopped."""
        super().__init__(f"{name} stopped in lane {stop.lane} at {stop.pos}: {stop.reason}")
        self.stop = stop


class DigestsDiffer(Exception):
    """The live rows are not what the events lead to; they were left as they are."""

    def __init__(self, name: str, *, live: str, rebuilt: str) -> None:
        """Keep both digests."""
        super().__init__(f"{name}: the live digest is {live}, from the events it is {rebuilt}")
        self.live = live
        self.rebuilt = rebuilt


def projection_named(name: str) -> Projection:
    """The projection of this name. Raises UnknownProjection."""
    for projection in PROJECTIONS:
        if projection.name == name:
            return projection
    raise UnknownProjection(name)


async def rebuild(
    pool: asyncpg.Pool,
    name: str,
    *,
    progress: Callable[[Progress], None] | None = None,
    accept_difference: bool = False,
    batch_size: int = BATCH_SIZE,
) -> Rebuilt:
    """Build a projection anew while the live one answers, compare both, switch, drop the old.

    Args:
        pool: its connections act as the role of the running service.
        name: of the projection.
        progress: called after every round.
        accept_difference: switch even if the live rows turn out to be wrong.
        batch_size: events in one transaction.

    Raises:
        UnknownProjection, AlreadyRebuilding: nothing was begun.
        DigestsDiffer, RebuildStopped: the live build still answers, the new one is gone.
    """
    projection = projection_named(name)
    report = progress or _silent
    async with pool.acquire() as connection, _only_one(connection, name):
        live = await checkpoints.live_or_first(connection, projection)
        await _discard_all_but(connection, projection, live.version)
        version = live.version + 1
        async with connection.transaction():
            await checkpoints.begin(connection, projection, version)
        try:
            await _catch_up(connection, projection, version, batch_size, report)
            if live.definition == projection.definition:
                await _catch_up(connection, projection, live.version, batch_size, _silent)
            rebuilt = await _compare_and_switch(
                connection, projection, live, version, accept_difference=accept_difference
            )
        except Unreadable as error:
            stop = Stop(error.lane, error.pos, error.reason)
            raise RebuildStopped(name, stop) from error
        finally:
            # Whichever build is not live now: the old one, or ours if something went wrong.
            current = await checkpoints.live_or_first(connection, projection)
            await _discard_all_but(connection, projection, current.version)
    return rebuilt


def _silent(_: Progress) -> None:
    """Report to nobody."""


@asynccontextmanager
async def _only_one(connection: Connection, name: str) -> AsyncIterator[None]:
    """Let one rebuild of a projection run at a time; a lost connection frees the lock."""
    if not await connection.fetchval(_LOCK, _LOCK_CLASS, name):
        raise AlreadyRebuilding(name)
    try:
        yield
    finally:
        await connection.execute(_UNLOCK, _LOCK_CLASS, name)


async def _discard_all_but(connection: Connection, projection: Projection, kept: int) -> None:
    """Delete every other build, those that a killed rebuild left behind included."""
    for version in await checkpoints.versions(connection, projection.name):
        if version != kept:
            async with connection.transaction():
                await checkpoints.discard(connection, projection, version)


async def _catch_up(
    connection: Connection,
    projection: Projection,
    version: int,
    batch_size: int,
    report: Callable[[Progress], None],
) -> None:
    """Apply rounds until the build had everything that was there when its last round began."""
    while True:
        try:
            done = await apply_round(
                connection, projection, version, batch_size=batch_size, stopped={}
            )
        except Overtaken:
            # The service's runner follows the live build too; whoever is first moves it.
            if version not in await checkpoints.versions(connection, projection.name):
                raise
            continue
        if done.stops:
            raise RebuildStopped(projection.name, done.stops[0])
        report(_progress(done))
        if not done.behind({}):
            return


def _progress(done: Round) -> Progress:
    return Progress(
        events=sum(standing.pos for standing in done.standings),
        total=sum(standing.head for standing in done.standings),
    )


async def _compare_and_switch(
    connection: Connection,
    projection: Projection,
    live: Build,
    version: int,
    *,
    accept_difference: bool,
) -> Rebuilt:
    """With both builds held still at one vector: compare them, then let the new one answer."""
    name = projection.name
    async with connection.transaction():
        await connection.execute("SET LOCAL enable_seqscan = off")
        replaced: str | None = None
        if live.definition == projection.definition:
            target = await _level(connection, projection, (live.version, version))
            replaced = await digest_of_version(connection, projection, live.version)
        else:
            target = await _level(connection, projection, (version,))
        digest = await digest_of_version(connection, projection, version)
        if replaced not in (None, digest) and not accept_difference:
            raise DigestsDiffer(name, live=str(replaced), rebuilt=digest)
        await checkpoints.switch(connection, name, old=live.version, new=version)
    return Rebuilt(name, version, target, digest, replaced, sum(target.values()))


async def _level(
    connection: Connection, projection: Projection, versions: tuple[int, ...]
) -> Positions:
    """Hold these builds still and bring each to the furthest position that one of them has."""
    held: dict[int, Positions] = {}
    for version in versions:
        rows = await checkpoints.standings(connection, projection.name, version)
        lanes = [row.lane for row in rows]
        held[version] = await checkpoints.locked_positions(
            connection, projection.name, version, lanes
        )
    lanes = sorted(held[versions[-1]])
    target = {lane: max(of[lane] for of in held.values()) for lane in lanes}
    for version, positions in held.items():
        ranges = [LaneRange(lane, positions[lane], target[lane]) for lane in lanes]
        ahead = [wanted for wanted in ranges if wanted.end > wanted.start]
        if ahead:
            _, stops = await apply_ranges(connection, projection, version, ahead)
            if stops:
                raise RebuildStopped(projection.name, stops[0])
    return target
