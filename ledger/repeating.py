"""What a process does again and again by itself, as long as it lives."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger()


async def again_and_again(
    work: Callable[[], Awaitable[None]], *, seconds: float, failed: str
) -> None:
    """Do it every so many seconds until cancelled; a failure is logged, under the name `failed`."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await work()
        except Exception as error:
            log.warning(failed, error=str(error) or type(error).__name__)
