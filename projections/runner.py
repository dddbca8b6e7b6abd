"""The runner: follows the log for every projection until it is cancelled, whatever happens."""

import asyncio
from collections.abc import Sequence
from time import monotonic
from typing import Final, Protocol

import asyncpg
import structlog

from projections import PROJECTIONS, checkpoints
from projections.checkpoints import Overtaken
from projections.projection import Connection, Projection, Unreadable
from projections.rounds import Round, Stop, apply_round

BATCH_SIZE: Final = 5_000
POLL_SECONDS: Final = 0.2
"""A busy log is looked at this often: larger batches cost far less than many small ones."""
IDLE_POLL_SECONDS: Final = 1.0
RETRY_SECONDS_MAX: Final = 30.0

log = structlog.get_logger()


class RunnerMetrics(Protocol):
    """What the runner tells whoever measures it."""

    def applied(self, projection: str, *, events: int, seconds: float) -> None:
        """A round was committed."""

    def lag(self, projection: str, lane: int, *, events: int) -> None:
        """So many events of a lane are not reflected."""

    def stopped(self, projection: str, lane: int) -> None:
        """A lane is not followed any further until a newer process starts."""


class NoMetrics:
    """Measures nothing."""

    def applied(self, projection: str, *, events: int, seconds: float) -> None:
        """Ignore it."""

    def lag(self, projection: str, lane: int, *, events: int) -> None:
        """Ignore it."""

    def stopped(self, projection: str, lane: int) -> None:
        """Ignore it."""


class Follower:
    """Follows the log for one projection, and keeps the lanes at which it had to stop."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        projection: Projection,
        *,
        metrics: RunnerMetrics,
        batch_size: int = BATCH_SIZE,
    ) -> None:
        """Use connections of `pool`, one at a time."""
        self.projection = projection
        self.stops: dict[int, Stop] = {}
        """By lane. Cleared when another build goes live."""
        self._pool = pool
        self._metrics = metrics
        self._batch_size = batch_size
        self._version = 0
        self._outdated = False

    async def run(self) -> None:
        """Follow until cancelled; a failure is logged and tried again, ever more slowly."""
        idle, retry = POLL_SECONDS, POLL_SECONDS
        while True:
            try:
                done = await self.step()
            except Overtaken:
                await asyncio.sleep(POLL_SECONDS)
                continue
            except Exception:
                log.exception("projection_failed", projection=self.projection.name)
                retry = min(retry * 2, RETRY_SECONDS_MAX)
                await asyncio.sleep(retry)
                continue
            retry = POLL_SECONDS
            if done is not None and done.behind(self.stops):
                continue
            fresh = done is not None and done.events
            idle = POLL_SECONDS if fresh else min(idle * 2, IDLE_POLL_SECONDS)
            await asyncio.sleep(idle)

    async def step(self) -> Round | None:
        """Apply one round; None while the rows are of another definition.

        Raises:
            Overtaken: another process was faster; nothing was changed.
        """
        started = monotonic()
        async with self._pool.acquire() as connection:
            version = await self._live_version(connection)
            if version is None:
                return None
            try:
                done = await apply_round(
                    connection,
                    self.projection,
                    version,
                    batch_size=self._batch_size,
                    stopped=self.stops,
                )
            except Unreadable as error:
                self._stop(Stop(error.lane, error.pos, error.reason))
                return Round(0, (), ())
        self._report(done, seconds=monotonic() - started)
        return done

    async def _live_version(self, connection: Connection) -> int | None:
        build = await checkpoints.live_or_first(connection, self.projection)
        if build.version != self._version:
            self._version = build.version
            self.stops.clear()
        outdated = build.definition != self.projection.definition
        if outdated and not self._outdated:
            log.error(
                "projection_outdated",
                projection=self.projection.name,
                rows=build.definition,
                release=self.projection.definition,
                advice=f"Run `loyalty rebuild {self.projection.name}`",
            )
        self._outdated = outdated
        return None if outdated else build.version

    def _stop(self, stop: Stop) -> None:
        self.stops[stop.lane] = stop
        self._metrics.stopped(self.projection.name, stop.lane)
        log.error("projection_lane_stopped", projection=self.projection.name, **stop._asdict())

    def _report(self, done: Round, *, seconds: float) -> None:
        name = self.projection.name
        for stop in done.stops:
            self._stop(stop)
        for standing in done.standings:
            self._metrics.lag(name, standing.lane, events=max(0, standing.head - standing.pos))
        if done.events:
            self._metrics.applied(name, events=done.events, seconds=seconds)


async def follow(
    pool: asyncpg.Pool,
    projections: Sequence[Projection] = PROJECTIONS,
    *,
    metrics: RunnerMetrics | None = None,
    batch_size: int = BATCH_SIZE,
) -> None:
    """Keep projections up to date until cancelled; several processes may do so at once.

    Args:
        pool: its connections act as the role of the running service; one is used for each
            projection.
        projections: which to follow.
        metrics: told about rounds, lag and stops.
        batch_size: events in one transaction.
    """
    watched = metrics or NoMetrics()
    async with asyncio.TaskGroup() as group:
        for projection in projections:
            follower = Follower(pool, projection, metrics=watched, batch_size=batch_size)
            group.create_task(follower.run(), name=f"follow {projection.name}")
