"""A PostgreSQL that comes as a Python package, so that a fresh machine needs nothing else.

async with running(data_dir) as url: …
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import structlog

from server.embedded.errors import EmbeddedError
from server.embedded.lease import Lease

__all__ = ["EmbeddedError", "Lease", "running"]

WATCH_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)


@asynccontextmanager
async def running(
    data_dir: Path,
    *,
    parameters: Mapping[str, str] | None = None,
    env: Mapping[str, str] | None = None,
) -> AsyncIterator[str]:
    """Yield the URL of the embedded server of `data_dir`, durable and on loopback only.

    Whoever comes first starts it, whoever comes while it runs attaches to it, and the last one to
    leave stops it. If it dies in between it is started again under the same URL.

    Args:
        data_dir: holds the data, the password (mode 0600) and the server's log; made if missing.
        parameters: PostgreSQL settings that differ from the usual, if we are the one to start it.
        env: environment variables for the server (LD_PRELOAD, say), likewise.

    Raises:
        EmbeddedError: it cannot be used; says what to do about it.
    """
    lease = Lease(data_dir, parameters=parameters, env=env)
    watch: asyncio.Task[None] | None = None
    try:
        url = await asyncio.to_thread(lease.open)
        watch = asyncio.create_task(_watch(lease))
        yield url
    finally:
        if watch is not None:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch
        # In a thread of its own even when we are cancelled: it must not be left half done.
        await asyncio.shield(asyncio.to_thread(lease.close))


async def _watch(lease: Lease) -> None:
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        try:
            await asyncio.to_thread(lease.revive)
        except EmbeddedError as error:
            log.error("the embedded PostgreSQL does not start", problem=error.problem)
