"""One round: what every lane has new goes into a projection's rows, in one transaction.

Rows and checkpoints commit together, so a crash between them is impossible and a round needs no
flush of its own: what a failing server forgets, it forgets of both, and the log still has it.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from ledger.core.events import KIND_NAME
from projections import checkpoints
from projections.checkpoints import Overtaken, Standing
from projections.projection import EVENTS, Connection, EventBatch, LaneRange, Projection

# No range may become a scan of the log because a plan was made when the table was still small.
_SETTINGS: Final = """
SET LOCAL synchronous_commit = off; SET LOCAL enable_seqscan = off; SET LOCAL jit = off"""

_KINDS: Final = f"""
SELECT e.lane, e.kind, count(*), min(e.pos), bool_or(e.points IS NOT NULL)
FROM {EVENTS} GROUP BY e.lane, e.kind"""


class Stop(NamedTuple):
    """Why a lane is not followed any further by this process."""

    lane: int
    pos: int
    """Of what could not be applied; earlier events of its batch may be waiting with it."""
    reason: str


class Round(NamedTuple):
    """What one round did."""

    events: int
    standings: tuple[Standing, ...]
    """After the round, against the heads from before it."""
    stops: tuple[Stop, ...]
    """Newly found."""

    def behind(self, stopped: Mapping[int, Stop]) -> int:
        """Events that were there and are not applied yet, in lanes that can go on."""
        return sum(
            max(0, standing.head - standing.pos)
            for standing in self.standings
            if standing.lane not in stopped
        )


class _Kind(NamedTuple):
    """How often a kind stands in one range."""

    lane: int
    kind: int
    events: int
    first: int
    with_points: bool


async def apply_round(
    connection: Connection,
    projection: Projection,
    version: int,
    *,
    batch_size: int,
    stopped: Mapping[int, Stop],
) -> Round:
    """Apply up to `batch_size` new events of the lanes that are not stopped, and move on.

    Raises:
        Overtaken: another process was faster; nothing was changed.
        Unreadable: a payload cannot be decoded; nothing was changed.
    """
    async with connection.transaction():
        await connection.execute(_SETTINGS)
        found = await checkpoints.standings(connection, projection.name, version)
        if not found:
            raise Overtaken(projection.name)
        stops = [_backwards(standing) for standing in found if standing.head < standing.pos]
        stops = [stop for stop in stops if stop.lane not in stopped]
        ranges = _plan(found, batch_size=batch_size, stopped=stopped)
        if not ranges:
            return Round(0, tuple(found), tuple(stops))
        applied, cut = await apply_ranges(connection, projection, version, ranges)
    moved = {done.lane: done.end for done in applied}
    standings = (row._replace(pos=moved.get(row.lane, row.pos)) for row in found)
    events = sum(done.end - done.start for done in applied)
    return Round(events, tuple(standings), (*stops, *cut))


def _backwards(standing: Standing) -> Stop:
    reason = f"the lane ends at {standing.head}: the log is older than what was read of it"
    return Stop(standing.lane, standing.pos, reason)


def _plan(
    standings: Sequence[Standing], *, batch_size: int, stopped: Mapping[int, Stop]
) -> list[LaneRange]:
    """What to take of each lane: equal shares, so that a busy lane does not starve the others."""
    waiting = [row for row in standings if row.head > row.pos and row.lane not in stopped]
    share = max(1, batch_size // len(waiting)) if waiting else 0
    return [LaneRange(row.lane, row.pos, min(row.head, row.pos + share)) for row in waiting]


async def apply_ranges(
    connection: Connection,
    projection: Projection,
    version: int,
    ranges: Sequence[LaneRange],
) -> tuple[list[LaneRange], list[Stop]]:
    """Apply ranges, each up to where it must stop, and move the checkpoints.

    Returns what was applied and where it stopped short. For the caller's transaction.

    Raises:
        Overtaken, Unreadable: the caller must roll back.
    """
    lanes = [wanted.lane for wanted in ranges]
    held = await checkpoints.locked_positions(connection, projection.name, version, lanes)
    if held != {wanted.lane: wanted.start for wanted in ranges}:
        raise Overtaken(projection.name)
    rows = await connection.fetch(_KINDS, *EventBatch(version, tuple(ranges)).arguments())
    kinds = [_Kind(*row) for row in rows]
    stops = _stops(projection, ranges, kinds)
    ends = {stop.lane: stop.pos for stop in stops}
    cut = [wanted._replace(end=ends.get(wanted.lane, wanted.end)) for wanted in ranges]
    taken = [wanted for wanted in cut if wanted.end > wanted.start]
    if taken:
        if projection.kinds.intersection(row.kind for row in kinds):
            await projection.apply(connection, EventBatch(version, tuple(taken)))
        await checkpoints.advance(connection, projection.name, version, taken)
    return taken, stops


def _stops(
    projection: Projection, ranges: Sequence[LaneRange], kinds: Sequence[_Kind]
) -> list[Stop]:
    """Where ranges must end early: at a gap, or at a kind that may matter and is not known."""
    stops: list[Stop] = []
    for lane, start, end in ranges:
        of_lane = [row for row in kinds if row.lane == lane]
        unknown = [row for row in of_lane if _concerns(projection, row)]
        if sum(row.events for row in of_lane) != end - start:
            stops.append(Stop(lane, start, f"events are missing before position {end}"))
        elif unknown:
            row = min(unknown, key=lambda row: row.first)
            reason = f"kind {row.kind} is not known to this release: start a newer one"
            stops.append(Stop(lane, row.first, reason))
    return stops


def _concerns(projection: Projection, row: _Kind) -> bool:
    unknown = row.kind not in KIND_NAME
    return unknown and (row.with_points or not projection.points_only)
