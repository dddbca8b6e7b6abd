"""A token that is revoked while a stream is open ends the stream."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest

from loyalty.v1.audit_service_pb2 import StreamEventsRequest
from loyalty.v1.ledger_service_pb2 import PostStreamRequest
from server import service
from server.auth import Tokens, revoke_token
from server.database import connect
from tests.server import requests
from tests.server.served import Caller, Served, serving

TTL_SECONDS = 0.3
WELL_OVER = 3 * TTL_SECONDS


@pytest.fixture
async def forgetful(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Served]:
    """A server that asks for a token again after a moment."""
    monkeypatch.setattr(service, "Tokens", partial(Tokens, ttl_seconds=TTL_SECONDS))
    async with serving(database, tmp_path) as running:
        yield running


@pytest.fixture
async def till(forgetful: Served) -> AsyncIterator[Caller]:
    """A client whose token stays good."""
    async with forgetful.caller(await forgetful.token("till")) as client:
        await forgetful.with_member(client)
        yield client


async def revoke(served: Served, name: str) -> None:
    connection = await connect(served.dsn)
    try:
        assert await revoke_token(connection, name=name)
    finally:
        await connection.close()


async def end_of(stream: Any) -> tuple[list[Any], grpc.StatusCode]:
    """What still came, and how the stream ended."""
    came: list[Any] = []
    try:
        async with asyncio.timeout(10):
            while (message := await stream.read()) is not grpc.aio.EOF:
                came.append(message)
    except grpc.aio.AioRpcError as error:
        return came, error.code()
    return came, grpc.StatusCode.OK


@pytest.mark.parametrize("idle", [True, False], ids=["nothing comes", "something comes"])
async def test_a_follower_is_sent_nothing_more(forgetful: Served, till: Caller, idle: bool) -> None:
    async with forgetful.caller(await forgetful.token("auditor", verbs=("audit",))) as auditor:
        stream = auditor.audit.StreamEvents(StreamEventsRequest(follow=True))
        assert (await stream.read()).events
        await revoke(forgetful, "auditor")
        await asyncio.sleep(0 if idle else WELL_OVER)
        if not idle:
            await till.ledger.PostDocument(requests.sale("too-tardy", document_id="too-tardy"))
        came, code = await end_of(stream)
    assert code == grpc.StatusCode.UNAUTHENTICATED
    assert not any(b"too-tardy" in event.payload for message in came for event in message.events)


async def test_a_stream_of_batches_is_not_taken_any_further(
    forgetful: Served, till: Caller
) -> None:
    async with forgetful.caller(await forgetful.token("importer")) as importer:
        stream = importer.ledger.PostStream()
        await stream.write(PostStreamRequest(sequence=0, items=requests.sales(1, prefix="a")))
        assert (await stream.read()).sequence == 0
        await revoke(forgetful, "importer")
        came, code = await end_of(stream)
    assert (came, code) == ([], grpc.StatusCode.UNAUTHENTICATED)


async def test_a_stream_outlives_the_memory_of_a_token_that_is_good(till: Caller) -> None:
    stream = till.ledger.PostStream()
    for number in range(2):
        await stream.write(
            PostStreamRequest(sequence=number, items=requests.sales(1, prefix=f"s{number}"))
        )
        assert (await stream.read()).sequence == number
        await asyncio.sleep(WELL_OVER)
    await stream.done_writing()
    assert await end_of(stream) == ([], grpc.StatusCode.OK)
