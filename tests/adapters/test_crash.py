"""Killed while webhooks arrive, a process loses nothing it acknowledged, and doubles nothing."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import httpx
import pytest

from adapters.frame import database
from loyalty.v1.account_service_pb2 import GetAccountRequest
from loyalty.v1.audit_service_pb2 import VerifyHistoryRequest
from loyalty.v1.types_pb2 import Identity, MemberRef
from tests.adapters import shop
from tests.adapters.process import AdapterProcess
from tests.adapters.rig import Rig
from tests.server.served import Caller, Served

pytestmark = pytest.mark.slow

ORDERS = 240
SENDERS = 16
KILLS = 4


@pytest.fixture
async def process(served: Served, caller: Caller, tmp_path: Path) -> AsyncIterator[AdapterProcess]:
    """A process that is ended whatever happens."""
    await database.migrate(served.dsn)
    made = AdapterProcess(served, tmp_path, shop.MAPPING, {"webhook_secret": shop.SECRET})
    yield made
    await made.kill()


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """One client for all that is sent."""
    async with httpx.AsyncClient(timeout=10) as client:
        yield client


class Shop:
    """Sends every message until it is acknowledged, as Shopify does for hours."""

    def __init__(self, process: AdapterProcess, http: httpx.AsyncClient) -> None:
        """Send to `process`, wherever it is at the moment."""
        self._process = process
        self._http = http
        self.acknowledged: set[str] = set()
        self.grown = asyncio.Condition()

    async def send(self, number: int) -> None:
        """An order of one pound that becomes one of two, and a retry of the first message."""
        lines = [shop.line(1, "1.00"), shop.line(2, "1.00")]
        first = shop.order(lines[0], id=number)
        grown = {**shop.order(*lines, id=number), "updated_at": shop.days_ago(2)}
        for step, told in (("a", first), ("b", grown), ("a", first)):
            await self._deliver(shop.body(told), f"{number}-{step}")

    async def _deliver(self, sent: bytes, delivery: str) -> None:
        headers = shop.headers(sent, "orders/updated", delivery)
        while True:
            try:
                address = f"http://{self._process.address}/hooks/web-shop"
                answer = await self._http.post(address, content=sent, headers=headers)
            except httpx.TransportError:
                # Killed, or starting: nothing was acknowledged.
                await asyncio.sleep(0.05)
                continue
            if answer.status_code == 200:
                break
            assert answer.status_code == 503
        async with self.grown:
            self.acknowledged.add(delivery)
            self.grown.notify_all()

    async def reached(self, count: int) -> None:
        """Wait until so many were acknowledged."""
        async with self.grown:
            await self.grown.wait_for(lambda: len(self.acknowledged) >= count)


async def test_killed_again_and_again_it_loses_and_doubles_nothing(
    served: Served, caller: Caller, process: AdapterProcess, http: httpx.AsyncClient
) -> None:
    await Rig.enrol_with(caller, "shopify-customer", "207119551")
    await process.start()
    sender = Shop(process, http)
    numbers = iter(range(1, ORDERS + 1))

    async def send_some() -> None:
        for number in numbers:
            await sender.send(number)

    sending = [asyncio.create_task(send_some()) for _ in range(SENDERS)]
    for kill in range(1, KILLS + 1):
        await asyncio.wait_for(sender.reached(2 * ORDERS * kill // (KILLS + 1)), 120)
        await process.kill()
        await process.start()
    await asyncio.wait_for(asyncio.gather(*sending), 120)
    await _all_is_done(served.dsn)
    assert await process.stop() == 0

    connection = await asyncpg.connect(served.dsn)
    kept = await connection.fetch("SELECT event_id, state FROM adapters.delivery")
    final = await connection.fetch("SELECT state, reason FROM adapters.subject")
    await connection.close()
    assert {row["event_id"] for row in kept} == sender.acknowledged
    assert len(kept) == len(sender.acknowledged) == 2 * ORDERS
    assert {row["state"] for row in kept} == {"taken"}
    assert [row["state"] for row in final] == ["done"] * ORDERS
    member = MemberRef(identity=Identity(scheme="shopify-customer", value="207119551"))
    answer = await caller.accounts.GetAccount(GetAccountRequest(member=member))
    points = [each.available for each in answer.account.balances if each.currency == "point"]
    assert points == [2 * ORDERS]
    async for last in caller.audit.VerifyHistory(VerifyHistoryRequest()):
        checked = last
    assert checked.done
    assert not checked.divergences


async def _all_is_done(dsn: str) -> None:
    """Wait until the worker has nothing left to do."""
    connection = await asyncpg.connect(dsn)
    async with asyncio.timeout(120):
        while await connection.fetchval(
            "SELECT EXISTS (SELECT FROM adapters.delivery WHERE state = 'new')"
            " OR EXISTS (SELECT FROM adapters.part WHERE unread)"
            " OR EXISTS (SELECT FROM adapters.subject WHERE state IN ('new', 'due'))"
        ):
            await asyncio.sleep(0.1)
    await connection.close()
