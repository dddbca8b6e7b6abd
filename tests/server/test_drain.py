"""Stopping and starting: acknowledged is durable, and nobody waits without an answer."""

import asyncio
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from ledger.clock import SystemClock
from loyalty.v1.account_service_pb2 import ListEntriesRequest
from loyalty.v1.audit_service_pb2 import StreamEventsRequest
from loyalty.v1.ledger_service_pb2 import PostStreamRequest
from server.config import SettingsError
from server.database import NotMigrated
from server.listening import AddressUnusable
from server.main import running_server
from server.service import Service
from tests.server import requests
from tests.server.served import Caller, Served, refused, serving, settings_for

Code = grpc.StatusCode
TILLS = 20


async def post_until_refused(caller: Caller, till: int, acknowledged: set[str]) -> grpc.StatusCode:
    """Post sale after sale; the code that ended it."""
    number = 0
    while True:
        number += 1
        key = f"{till}-{number}"
        try:
            await caller.ledger.PostDocument(requests.sale(key, document_id=key))
        except grpc.aio.AioRpcError as error:
            code: grpc.StatusCode = error.code()
            return code
        acknowledged.add(f"market/till/{key}")


async def documents_of_the_member(caller: Caller) -> set[str]:
    """Keys of all documents on the statement."""
    found: set[str] = set()
    request = ListEntriesRequest(member=requests.member(), page_size=1000, currency="point")
    while True:
        page = await caller.accounts.ListEntries(request)
        found |= {entry.document for entry in page.entries}
        request.page_token = page.next_page_token
        if not request.page_token:
            return found


async def test_a_drain_under_load_loses_nothing_that_was_acknowledged(
    database: str, tmp_path: Path
) -> None:
    acknowledged: set[str] = set()
    async with serving(database, tmp_path) as served:
        token = await served.token("till")
        connection = served.caller(token)
        caller = await connection.__aenter__()
        await served.with_member(caller)
        tills = [
            asyncio.create_task(post_until_refused(caller, till, acknowledged))
            for till in range(TILLS)
        ]
        await asyncio.sleep(0.5)
    codes = await asyncio.gather(*tills)
    await connection.__aexit__(None, None, None)
    assert set(codes) == {Code.UNAVAILABLE}
    assert len(acknowledged) > TILLS
    async with serving(database, tmp_path) as again, again.caller(token) as reader:
        recorded = await documents_of_the_member(reader)
    assert acknowledged <= recorded
    # At most the one sale that each till had no answer for.
    assert len(recorded - acknowledged) <= TILLS


async def test_streams_end_when_the_server_drains(database: str, tmp_path: Path) -> None:
    async with serving(database, tmp_path) as served:
        token = await served.token("importer")
        connection = served.caller(token)
        caller = await connection.__aenter__()
        await served.with_member(caller)
        posting = caller.ledger.PostStream(timeout=60)
        await posting.write(PostStreamRequest(sequence=1, items=requests.sales(3)))
        assert (await posting.read()).sequence == 1
        following = caller.audit.StreamEvents(StreamEventsRequest(follow=True), timeout=60)
        await following.read()
        began = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - began < 5
    await refused(posting.read(), Code.UNAVAILABLE, "NOT_SERVING")
    await refused(read_to_the_end(following), Code.UNAVAILABLE, "NOT_SERVING")
    await connection.__aexit__(None, None, None)


async def read_to_the_end(stream: Any) -> None:
    while await stream.read() is not grpc.aio.EOF:
        pass


async def test_health_says_not_serving_before_calls_are_refused(
    database: str, tmp_path: Path
) -> None:
    settings = settings_for(database, tmp_path, drain_delay_seconds=1)
    service = await Service.open(settings, dsn=database, clock=SystemClock())
    async with grpc.aio.insecure_channel(service.address) as channel:
        health: Any = HealthStub(channel)
        assert (await health.Check(HealthCheckRequest())).status == HealthCheckResponse.SERVING
        draining = asyncio.create_task(service.drain())
        await asyncio.sleep(0.2)
        answer = await health.Check(HealthCheckRequest(service="loyalty.v1.LedgerService"))
        assert answer.status == HealthCheckResponse.NOT_SERVING
        caller = Caller(channel, "")
        await refused(
            caller.ledger.PostDocument(requests.sale()), Code.UNAUTHENTICATED, "UNAUTHENTICATED"
        )
        service.hurry.set()
        await asyncio.wait_for(draining, 5)


async def test_a_second_server_on_the_same_port_is_refused_in_one_line(
    database: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with serving(database, tmp_path) as served:
        settings = settings_for(database, tmp_path, listen=served.address)
        taken = f"LOYALTY_LISTEN = '{served.address}': Address already in use"
        with pytest.raises(AddressUnusable, match=taken) as refused:
            async with running_server(settings):
                pass
        assert "the same command in another terminal" in refused.value.advice
        assert "add_port" not in capfd.readouterr().err, "gRPC has nothing to say besides"
        elsewhere = settings_for(database, tmp_path, listen="192.0.2.1:0")
        with pytest.raises(AddressUnusable, match="Cannot assign") as refused:
            async with running_server(elsewhere):
                pass
        assert "an address of this machine" in refused.value.advice


async def test_a_database_without_our_schema_is_refused_with_advice(
    empty_database: str, tmp_path: Path
) -> None:
    with pytest.raises(NotMigrated, match="loyalty migrate"):
        async with running_server(settings_for(empty_database, tmp_path)):
            pass


async def test_the_metrics_are_served_and_count_calls_and_refusals(
    database: str, tmp_path: Path
) -> None:
    settings = settings_for(database, tmp_path, metrics_listen="127.0.0.1:0", projections=True)
    service = await Service.open(settings, dsn=database, clock=SystemClock())
    served = Served(service.address, database)
    async with served.caller(await served.token("till")) as caller:
        await served.with_member(caller)
        await caller.ledger.PostDocument(requests.sale())
        await caller.ledger.PostDocument(requests.sale())
        await refused(
            caller.ledger.BurnPoints(requests.burn(points=0)), Code.INVALID_ARGUMENT, "MALFORMED"
        )
    url = f"http://{service.metrics_address}/metrics"
    page = await asyncio.to_thread(lambda: urllib.request.urlopen(url).read().decode())
    await service.drain()
    for line in (
        'loyalty_grpc_handled_total{code="OK",method="PostDocument"} 2.0',
        'loyalty_grpc_handled_total{code="INVALID_ARGUMENT",method="BurnPoints"} 1.0',
        'loyalty_grpc_handling_seconds_count{method="PostDocument"} 2.0',
        'loyalty_refusals_total{reason="MALFORMED"} 1.0',
        "loyalty_replays_total 1.0",
        "loyalty_serving 1.0",
        'loyalty_queue_depth{queue="interactive"} ',
        "loyalty_batch_commands_count 4.0",
        "loyalty_commit_seconds_count 4.0",
        "loyalty_lane_position{",
        "loyalty_clock_skew_seconds ",
    ):
        assert line in page, f"{line} is missing in\n{page}"


@asynccontextmanager
async def process(dsn: str, folder: Path) -> AsyncIterator[tuple[subprocess.Popen[str], str]]:
    """The server in a process of its own, and its address."""
    environment = {
        **os.environ,
        "DATABASE_URL": dsn,
        "LOYALTY_DATA_DIR": str(folder),
        "LOYALTY_LISTEN": "127.0.0.1:0",
        "LOYALTY_METRICS_LISTEN": "off",
    }
    code = "from server.config import load; from server.main import run; run(load())"
    running = subprocess.Popen(
        [sys.executable, "-c", code],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    line = await asyncio.to_thread(running.stdout.readline)
    try:
        yield running, json.loads(line)["grpc"]
    finally:
        with suppress(ProcessLookupError):
            running.kill()
        running.communicate()


async def test_sigterm_answers_what_was_accepted_and_ends_well(
    database: str, tmp_path: Path
) -> None:
    acknowledged: set[str] = set()
    async with process(database, tmp_path) as (running, address):
        served = Served(address, database)
        token = await served.token("till")
        async with served.caller(token) as caller:
            await served.with_member(caller)
            tills = [
                asyncio.create_task(post_until_refused(caller, till, acknowledged))
                for till in range(TILLS)
            ]
            await asyncio.sleep(0.5)
            running.send_signal(signal.SIGTERM)
            assert set(await asyncio.gather(*tills)) == {Code.UNAVAILABLE}
        _, log = await asyncio.to_thread(running.communicate, timeout=20)
        assert running.returncode == 0
    events = [json.loads(line)["event"] for line in log.splitlines()]
    assert events[0] == "settings"
    assert events.index("draining") < events.index("stopped") == len(events) - 1
    password = re.search(r"://[^:]+:([^@]+)@", database)
    assert password is None or password[1] not in log
    async with serving(database, tmp_path) as again, again.caller(token) as reader:
        assert acknowledged <= await documents_of_the_member(reader)


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for localhost, signed by itself."""
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    try:
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
                *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
                *("-keyout", str(key), "-out", str(cert)),
            ],
            check=True,
            capture_output=True,
        )
    except FileNotFoundError:
        pytest.skip("openssl is not installed; it makes the certificate of this test")
    return cert, key


async def test_two_settings_turn_tls_on(
    database: str, tmp_path: Path, certificate: tuple[Path, Path]
) -> None:
    cert, key = certificate
    settings = settings_for(database, tmp_path, tls_cert=cert, tls_key=key)
    async with running_server(settings) as address:
        port = address.rpartition(":")[2]
        credentials = grpc.ssl_channel_credentials(cert.read_bytes())
        async with grpc.aio.secure_channel(f"localhost:{port}", credentials) as channel:
            await refused(
                Caller(channel, "").ledger.PostDocument(requests.sale()),
                Code.UNAUTHENTICATED,
                "UNAUTHENTICATED",
            )
        async with grpc.aio.insecure_channel(address) as plain:
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await Caller(plain, "").ledger.PostDocument(requests.sale(), timeout=2)
            assert error.value.code() in (Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED)
        context = ssl.create_default_context(cafile=str(cert))
        context.set_alpn_protocols(["h2"])
        _, writer = await asyncio.open_connection("localhost", int(port), ssl=context)
        writer.close()


async def test_a_certificate_that_is_not_there_is_named(database: str, tmp_path: Path) -> None:
    settings = settings_for(
        database, tmp_path, tls_cert=tmp_path / "no.pem", tls_key=tmp_path / "no.key"
    )
    with pytest.raises(SettingsError, match=r"LOYALTY_TLS_CERT = .*No such file"):
        async with running_server(settings):
            pass
