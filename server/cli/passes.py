"""Passes of the sweeper over the configured database, through a running server."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

import grpc

from ledger.core.instant import Instant, to_datetime
from loyalty.v1 import ledger_service_pb2 as ledger_pb
from loyalty.v1.ledger_service_pb2_grpc import LedgerServiceStub
from projections.due import DueAccounts
from server import database
from server.cli import console
from server.cli.sending import reason_of, send
from server.cli.storage import database_url
from server.sweeping import Outcome, Sweeper, Swept

if TYPE_CHECKING:
    from loyalty.v1.ledger_service_pb2_grpc import LedgerServiceAsyncStub

PAUSE_SECONDS: Final = 60


class Wanted(NamedTuple):
    """What is to be swept, and how."""

    until: Instant | None
    """Only what fell due by then, in one pass; None: by now."""
    once: bool
    rate: int
    unit: str
    token: str


async def passes(channel: grpc.aio.Channel, wanted: Wanted, told: Callable[[Swept], None]) -> None:
    """One pass, or one a minute until cancelled; `told` hears of each. Closes the channel.

    Raises SweepStopped, grpc.aio.AioRpcError and what `database_url` raises.
    """
    async with database_url() as url, channel:
        pool = await database.pool(url, max_size=2)
        try:
            sending = Sending(LedgerServiceStub(channel), wanted.token)
            sweeper = Sweeper(DueAccounts(pool), sending, unit=wanted.unit, rate=wanted.rate)
            while True:
                told(await _pass(sweeper, wanted.until))
                if wanted.once or wanted.until is not None:
                    return
                await asyncio.sleep(PAUSE_SECONDS)
        finally:
            await pool.close()


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


class Sending:
    """Requests as batches, which wait behind every till."""

    def __init__(self, stub: "LedgerServiceAsyncStub", token: str) -> None:
        """Call `stub` with a token that has the verb `advance`."""
        self._stub = stub
        self._token = token

    async def __call__(self, requests: Sequence[ledger_pb.AdvanceAccountRequest]) -> list[Outcome]:
        """Outcomes by index. Raises grpc.aio.AioRpcError when the server stays away."""
        items = [ledger_pb.BatchItem(advance_account=request) for request in requests]
        return [
            reason_of(result.refusal) if result.HasField("refusal") else result.posting
            for result in await send(self._stub, items, token=self._token)
        ]
