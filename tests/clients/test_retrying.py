"""What is sent again, when, and for how long: both clients, against a server with a script."""

import asyncio
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest

from loyalty.v1.account_service_pb2 import GetAccountRequest, GetAccountResponse
from loyalty.v1.ledger_service_pb2 import BurnPointsRequest, BurnPointsResponse, Posting
from loyalty_client import (
    AsyncClient,
    Client,
    Connection,
    LoyaltyError,
    NoAnswer,
    Refusal,
    origin,
    service_config,
)
from loyalty_client.refusals import QueueFull
from loyalty_client.retrying import Attempts, Backoff, deadline_seconds
from loyalty_client.surface import Surface
from tests.clients.scripted import failed, scripted
from tests.clients.test_surface import contract

Code = grpc.StatusCode
DONE = BurnPointsResponse(posting=Posting(entry_id="e-1", position="3-7"))
CLIENTS_PAGE = Path(__file__).resolve().parents[2] / "docs" / "clients.md"
Ask = Callable[..., Any]


@pytest.fixture(params=["blocking", "awaited"])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Make one call by name with either client; the test itself blocks."""

    def with_client(connection: Connection, name: str, *args: Any, **options: Any) -> Any:
        with Client(connection) as client:
            return getattr(client, name)(*args, **options)

    def with_async_client(connection: Connection, name: str, *args: Any, **options: Any) -> Any:
        async def call() -> Any:
            async with AsyncClient(connection) as client:
                return await getattr(client, name)(*args, **options)

        return asyncio.run(call())

    return with_client if request.param == "blocking" else with_async_client


@pytest.mark.parametrize(
    "fault",
    [
        failed(Code.UNAVAILABLE),
        failed(Code.UNAVAILABLE, "NOT_SERVING", wait_ms=10, cause="x"),
        failed(Code.ABORTED, "MERGING"),
        failed(Code.RESOURCE_EXHAUSTED, "QUEUE_FULL", wait_ms=10, limit="1"),
    ],
    ids=["no line", "not serving", "merging", "queue full"],
)
def test_the_same_request_is_sent_again_until_it_is_answered(ask: Ask, fault: Any) -> None:
    with scripted(fault, fault, DONE) as server:
        answer = ask(Connection(server.address, "t"), "burn_points", BurnPointsRequest())
    assert answer == DONE
    assert len(server.seen) == 3
    assert server.seen[0].request_id
    assert server.seen[0] == server.seen[1] == server.seen[2]


@pytest.mark.parametrize(
    "fault",
    [
        failed(Code.RESOURCE_EXHAUSTED),
        failed(Code.INTERNAL, "INTERNAL"),
        failed(Code.FAILED_PRECONDITION, "INSUFFICIENT_POINTS", available="1", requested="2"),
        failed(Code.INVALID_ARGUMENT, "MALFORMED", field="points.amount"),
        failed(Code.UNIMPLEMENTED),
    ],
    ids=["too large", "fault", "refused", "malformed", "unknown call"],
)
def test_what_waiting_does_not_help_is_sent_once(ask: Ask, fault: Any) -> None:
    with scripted(fault) as server, pytest.raises(LoyaltyError) as error:
        ask(Connection(server.address, "t"), "burn_points", BurnPointsRequest())
    assert len(server.seen) == 1
    assert error.value.code.value[0] == fault.status.code


def test_the_wait_that_the_server_asks_for_is_kept(ask: Ask) -> None:
    busy = failed(Code.RESOURCE_EXHAUSTED, "QUEUE_FULL", wait_ms=700, limit="1")
    with scripted(busy, DONE) as server:
        began = time.monotonic()
        ask(Connection(server.address, "t"), "burn_points", BurnPointsRequest())
    assert time.monotonic() - began >= 0.7


def test_attempts_end_with_the_deadline_and_the_last_word_of_the_server(ask: Ask) -> None:
    busy = failed(Code.RESOURCE_EXHAUSTED, "QUEUE_FULL", wait_ms=50, limit="9")
    began = time.monotonic()
    with scripted(busy) as server, pytest.raises(QueueFull) as error:
        ask(Connection(server.address, "t"), "burn_points", BurnPointsRequest(), timeout=1)
    assert error.value.limit == 9
    assert time.monotonic() - began < 5
    assert len(server.seen) > 2
    assert server.remaining == sorted(server.remaining, reverse=True)
    assert server.remaining[0] < 1.1


def test_a_wait_longer_than_the_deadline_is_not_begun(ask: Ask) -> None:
    away = failed(Code.UNAVAILABLE, "NOT_SERVING", wait_ms=60_000, cause="x")
    with scripted(away) as server, pytest.raises(Refusal):
        ask(Connection(server.address, "t"), "burn_points", BurnPointsRequest(), timeout=5)
    assert len(server.seen) == 1


def test_no_line_is_no_answer(ask: Ask) -> None:
    with scripted(DONE) as server:
        address = server.address
    with pytest.raises(NoAnswer) as error:
        ask(Connection(address, "t"), "burn_points", BurnPointsRequest(), timeout=0.5)
    assert error.value.code in (Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED)


def test_a_server_that_comes_back_is_found_within_the_deadline(ask: Ask) -> None:
    with scripted(DONE) as server:
        port = int(server.address.rpartition(":")[2])
    with ThreadPoolExecutor(1) as thread:
        asked = thread.submit(
            ask, Connection(server.address, "t"), "burn_points", BurnPointsRequest(), timeout=30
        )
        time.sleep(1)
        with scripted(DONE, port=port) as again:
            assert asked.result() == DONE
    assert len(again.seen) == 1


def test_every_call_has_a_deadline(ask: Ask) -> None:
    with scripted(DONE) as server:
        ask(Connection(server.address, "t"), "burn_points", BurnPointsRequest())
        ask(Connection(server.address, "t", timeout=3), "burn_points", BurnPointsRequest())
    assert 9 < server.remaining[0] < 10.1
    assert 2 < server.remaining[1] < 3.1


def test_a_request_keeps_its_id_and_gets_what_the_client_knows(ask: Ask) -> None:
    request = BurnPointsRequest(origin=origin("dining", operator="7"))
    with scripted(DONE) as server:
        connection = Connection(server.address, "t", origin=origin("market", till="3"))
        ask(connection, "burn_points", request)
        ask(connection, "burn_points", request)
    first, second = server.seen
    assert first.request_id == second.request_id == request.request_id != ""
    assert (first.origin.business_unit, first.origin.till, first.origin.operator) == (
        "dining",
        "3",
        "7",
    )


def test_the_present_token_goes_with_every_call(ask: Ask) -> None:
    tokens = iter(["one", "two"])
    with scripted(DONE) as server:
        connection = Connection(server.address, lambda: next(tokens))
        ask(connection, "burn_points", BurnPointsRequest())
        ask(connection, "burn_points", BurnPointsRequest())
    assert [seen["authorization"] for seen in server.metadata] == ["Bearer one", "Bearer two"]


def test_a_read_answers_from_the_write_it_follows(ask: Ask) -> None:
    with scripted(GetAccountResponse()) as server:
        connection = Connection(server.address, "t")
        ask(connection, "get_account", GetAccountRequest(), after=DONE)
        ask(connection, "get_account", GetAccountRequest(), after=DONE.posting)
        ask(connection, "get_account", GetAccountRequest(), after="3-7")
        assert {request.min_position for request in server.seen} == {"3-7"}
        with pytest.raises(ValueError, match="no min_position"):
            ask(connection, "burn_points", BurnPointsRequest(), after=DONE)
        with pytest.raises(ValueError, match="tells no position"):
            ask(connection, "get_account", GetAccountRequest(), after=BurnPointsResponse())


def test_stock_clients_retry_by_the_same_file() -> None:
    # gRPC's own retries, given the file that ships with the client, and the wait in its words.
    with scripted(failed(Code.UNAVAILABLE), failed(Code.ABORTED), DONE) as server:
        options = [("grpc.service_config", service_config())]
        with grpc.insecure_channel(server.address, options) as channel:
            call: Any = channel.unary_unary(
                f"/{Surface.burn_points.method}",
                BurnPointsRequest.SerializeToString,
                BurnPointsResponse.FromString,
            )
            assert call(BurnPointsRequest(request_id="r-1")) == DONE
    assert [request.request_id for request in server.seen] == ["r-1"] * 3


def test_waits_grow_to_a_limit_and_differ() -> None:
    waits = Backoff(0.2, 5, 2)
    pauses = [waits.pause(attempt) for attempt in (1, 2, 3, 1000)]
    for pause, middle in zip(pauses, (0.2, 0.4, 0.8, 5), strict=True):
        assert 0.8 * middle <= pause <= 1.2 * middle
    assert len({waits.pause(1) for _ in range(20)}) > 1


def test_a_stream_that_outlived_its_deadline_is_begun_again() -> None:
    over = NoAnswer("over", Code.DEADLINE_EXCEEDED)
    with pytest.raises(NoAnswer):
        Attempts(10).pause_after(over)
    assert Attempts(10).pause_after(over, stream=True) < 1


def named(name: dict[str, str]) -> str:
    """A name of the service config, as the page says it."""
    if "method" in name:
        return f"`{name['method']}`"
    return f"all of {name['service'].rpartition('.')[2]}" if name else "every other call"


def test_every_call_has_a_deadline_in_the_file_and_the_page_repeats_the_file() -> None:
    page = CLIENTS_PAGE.read_text("utf-8")
    configs = json.loads(service_config())["methodConfig"]
    for config in configs:
        names = ", ".join(map(named, config["name"]))
        assert f"| {names} | {config['timeout'].removesuffix('s')} s |" in page
    stated = {name["method"] for config in configs for name in config["name"] if "method" in name}
    assert stated <= {method.partition("/")[2] for method in contract()}
    assert {deadline_seconds(method) for method in contract()} == {10, 60, 3600}
