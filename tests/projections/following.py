"""Following the log in tests: step by step, without a runner in the background."""

import asyncpg

from projections import PROJECTIONS
from projections.balances import BALANCES
from projections.projection import Projection
from projections.rounds import Round
from projections.runner import BATCH_SIZE, Follower, NoMetrics


def follower_of(
    service: asyncpg.Pool, projection: Projection = BALANCES, batch_size: int = BATCH_SIZE
) -> Follower:
    """A follower that measures nothing."""
    return Follower(service, projection, metrics=NoMetrics(), batch_size=batch_size)


async def follow_to_the_end(service: asyncpg.Pool, *, batch_size: int = BATCH_SIZE) -> None:
    """Bring every projection up to date, once."""
    for projection in PROJECTIONS:
        follower = follower_of(service, projection, batch_size)
        done: Round | None = None
        while done is None or done.behind(follower.stops):
            done = await follower.step()
