"""Passes over what is due in the configured database, through a running server."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

import asyncpg
import grpc

from ledger.core.instant import Instant, to_datetime
from loyalty.v1.ledger_service_pb2 import BatchItem
from loyalty.v1.ledger_service_pb2_grpc import LedgerServiceStub
from projections.due import DueAccounts
from server import database
from server.cli import console
from server.cli.sending import reason_of, send
from server.cli.storage import database_url
from server.passes import Outcome, Send
from server.sweeping import Sweeper, Swept
from server.transferring import Continued, Continuing

SWEEP_PAUSE_SECONDS: Final = 60
TRANSFERS_PAUSE_SECONDS: Final = 5


class Wanted(NamedTuple):
    """How passes are to be made."""

    once: bool
    """One pass, instead of one after the other until cancelled."""
    unit: str
    token: str
    until: Instant | None = None
    """Sweep only what fell due by then, in one pass; None: by now."""
    rate: int = 0
    """Accounts swept in a second; 0: no limit."""


async def sweep(channel: grpc.aio.Channel, wanted: Wanted, told: Callable[[Swept], None]) -> None:
    """Sweep; `told` hears of each pass. Closes the channel.

    Raises PassStopped, grpc.aio.AioRpcError and what `database_url` raises.
    """
    async with _database(channel) as pool:
        sending = _sending(channel, wanted.token, "advance_account")
        sweeper = Sweeper(DueAccounts(pool), sending, unit=wanted.unit, rate=wanted.rate)
        while True:
            told(await _pass(sweeper, wanted.until))
            if wanted.once or wanted.until is not None:
                return
            await asyncio.sleep(SWEEP_PAUSE_SECONDS)


async def bring_on(
    channel: grpc.aio.Channel, wanted: Wanted, told: Callable[[Continued], None]
) -> None:
    """Bring transfers on; `told` hears of each pass. Closes the channel. Raises as `sweep`."""
    async with _database(channel) as pool:
        sending = _sending(channel, wanted.token, "continue_transfer")
        continuing = Continuing(pool, sending, unit=wanted.unit)
        while True:
            told(await continuing.go_on(await continuing.now()))
            if wanted.once:
                return
            await asyncio.sleep(TRANSFERS_PAUSE_SECONDS)


async def _pass(sweeper: Sweeper, until: Instant | None) -> Swept:
    now = await sweeper.now()
    if until is not None and until > now:
        # A request id counts once: asked too early it would be spent, and nothing recorded.
        console.fail(
            f"--until {to_datetime(until).isoformat()}: expected a time that has passed; the"
            f" database's clock says {to_datetime(now).isoformat()}",
            code=console.USAGE,
        )
    with console.progress() as progress:
        task = progress.add_task("sweep", total=None)

        def show(done: int, *, total: int) -> None:
            progress.update(task, completed=done, total=total)

        return await sweeper.sweep(now if until is None else until, shown=show)


@asynccontextmanager
async def _database(channel: grpc.aio.Channel) -> AsyncIterator[asyncpg.Pool]:
    async with database_url() as url, channel, await database.pool(url, max_size=2) as pool:
        yield pool


def _sending(channel: grpc.aio.Channel, token: str, kind: str) -> Send[Any]:
    """Requests of a kind as batches, which wait behind every till; the token has their verb."""
    stub = LedgerServiceStub(channel)

    async def sent(requests: Sequence[Any]) -> list[Outcome]:
        items = [BatchItem(**{kind: request}) for request in requests]
        return [
            reason_of(result.refusal) if result.HasField("refusal") else result.posting
            for result in await send(stub, items, token=token)
        ]

    return sent
