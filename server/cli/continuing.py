"""Passes over the transfers of the configured database, through a running server."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

import grpc

from loyalty.v1 import ledger_service_pb2 as ledger_pb
from loyalty.v1.ledger_service_pb2_grpc import LedgerServiceStub
from server import database
from server.cli.sending import reason_of, send
from server.cli.storage import database_url
from server.transferring import Continued, Continuing, Outcome

if TYPE_CHECKING:
    from loyalty.v1.ledger_service_pb2_grpc import LedgerServiceAsyncStub

PAUSE_SECONDS: Final = 5


class Wanted(NamedTuple):
    """How transfers are to be brought on."""

    once: bool
    unit: str
    token: str


async def passes(
    channel: grpc.aio.Channel, wanted: Wanted, told: Callable[[Continued], None]
) -> None:
    """One pass, or one after the other until cancelled; `told` hears of each. Closes the channel.

    Raises ContinuingStopped, grpc.aio.AioRpcError and what `database_url` raises.
    """
    async with database_url() as url, channel:
        pool = await database.pool(url, max_size=2)
        try:
            sending = _Sending(LedgerServiceStub(channel), wanted.token)
            continuing = Continuing(pool, sending, unit=wanted.unit)
            while True:
                told(await continuing.go_on(await continuing.now()))
                if wanted.once:
                    return
                await asyncio.sleep(PAUSE_SECONDS)
        finally:
            await pool.close()


class _Sending:
    """Requests as batches, which wait behind every till."""

    def __init__(self, stub: "LedgerServiceAsyncStub", token: str) -> None:
        self._stub = stub
        self._token = token

    async def __call__(
        self, requests: Sequence[ledger_pb.ContinueTransferRequest]
    ) -> list[Outcome]:
        items = [ledger_pb.BatchItem(continue_transfer=request) for request in requests]
        return [
            reason_of(result.refusal) if result.HasField("refusal") else result.posting
            for result in await send(self._stub, items, token=self._token)
        ]
