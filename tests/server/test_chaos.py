"""Real processes, killed at random while clients keep a list of what was acknowledged.

Two server processes by mistake on one database, and the database itself, die again and again. Each
client writes down what was answered; in the end every answer stands in the history once, nothing
else does, and verification finds nothing.
"""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import grpc
import pytest

from loyalty.v1.account_service_pb2 import Entry, GetAccountRequest, ListEntriesRequest
from loyalty.v1.audit_service_pb2 import VerifyHistoryRequest
from server import embedded
from server.database import migrate
from tests.server import requests
from tests.server.served import Caller, Served

SECONDS = 90 if os.environ.get("LOYALTY_CI") == "1" else 8
CLIENTS = 12
SERVERS = 2
SURE = (grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.INVALID_ARGUMENT)
"""Codes that say that nothing was recorded; after all others the client asks again."""


@dataclass
class Server:
    """A server process that comes back whenever it was killed."""

    url: str
    folder: Path
    process: asyncio.subprocess.Process | None = None
    address: str = ""
    deaths: int = 0

    async def start(self) -> None:
        """Start it, and wait until it listens."""
        environment = {
            **os.environ,
            "DATABASE_URL": self.url,
            "LOYALTY_DATA_DIR": str(self.folder),
            "LOYALTY_IDENTITY_KEY_FILE": str(self.folder / "identity.key"),
            "LOYALTY_LISTEN": "127.0.0.1:0",
            "LOYALTY_METRICS_LISTEN": "off",
        }
        code = "from server.config import load; from server.main import run; run(load())"
        while True:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-c",
                code,
                env=environment,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
            assert self.process.stdout is not None
            line = await self.process.stdout.readline()
            if line:
                self.address = json.loads(line)["grpc"]
                return
            # The database was away as it started.
            await self.process.wait()
            await asyncio.sleep(0.2)

    async def kill(self) -> None:
        """kill -9, and start another."""
        assert self.process is not None
        self.process.kill()
        await self.process.wait()
        self.deaths += 1
        await self.start()

    async def stop(self) -> None:
        """End it for good."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()


@dataclass
class Clients:
    """They send each write until somebody answers, to whichever server they like."""

    servers: list[Server]
    token: str
    random: Random
    answered: dict[str, str] = field(default_factory=dict)
    """Entry id by request id."""
    burned: dict[str, int] = field(default_factory=dict)
    """Points by entry id."""
    codes: Counter[grpc.StatusCode] = field(default_factory=Counter)
    over: bool = False

    async def run(self, client: int) -> None:
        """Sell and spend until it is over."""
        number = 0
        while not self.over:
            number += 1
            key = f"{client}-{number}"
            entry = await self._send("PostDocument", requests.sale(key, document_id=key))
            assert entry is not None, "a sale is not refused"
            if number % 3 == 0:
                points = self.random.randint(1, 5)
                spent = await self._send("BurnPoints", requests.burn(f"b-{key}", points))
                if spent is not None:
                    self.burned[spent] = points

    async def _send(self, name: str, request: Any) -> str | None:
        """The entry of a write; None when it was refused for good."""
        while True:
            server = self.random.choice(self.servers)
            try:
                async with grpc.aio.insecure_channel(server.address) as channel:
                    call = getattr(Caller(channel, self.token).ledger, name)
                    answer = await call(request, timeout=5)
            except grpc.aio.AioRpcError as error:
                self.codes[error.code()] += 1
                if error.code() in SURE:
                    return None
                await asyncio.sleep(self.random.random() / 5)
                continue
            entry = str(answer.posting.entry_id)
            self.answered[request.request_id] = entry
            if self.random.random() < 0.1:
                # Somebody presses the key twice.
                request = type(request).FromString(request.SerializeToString())
                await self._again(name, request, entry)
            return entry

    async def _again(self, name: str, request: Any, entry: str) -> None:
        server = self.random.choice(self.servers)
        with suppress(grpc.aio.AioRpcError):
            async with grpc.aio.insecure_channel(server.address) as channel:
                call = getattr(Caller(channel, self.token).ledger, name)
                assert (await call(request, timeout=5)).posting.entry_id == entry


@asynccontextmanager
async def running(url: str, folder: Path) -> AsyncIterator[list[Server]]:
    """Servers over a database."""
    servers = [Server(url, folder) for _ in range(SERVERS)]
    try:
        for server in servers:
            await server.start()
        yield servers
    finally:
        for server in servers:
            await server.stop()


async def kill_at_random(servers: list[Server], data_dir: Path, random: Random) -> Counter[str]:
    """Kill a server, or the database, every second or so."""
    killed: Counter[str] = Counter()
    loop = asyncio.get_running_loop()
    until = loop.time() + SECONDS
    while loop.time() < until or not {"server", "postgres"} <= set(killed):
        await asyncio.sleep(0.5 + random.random())
        if random.random() < 0.75 or not killed["server"]:
            await random.choice(servers).kill()
            killed["server"] += 1
        else:
            [pid_file] = list(data_dir.rglob("postmaster.pid"))
            with suppress(ProcessLookupError, IndexError):
                os.kill(int(pid_file.read_text().splitlines()[0]), signal.SIGKILL)
            killed["postgres"] += 1
            await asyncio.sleep(2)
    return killed


@pytest.mark.slow
async def test_nothing_acknowledged_is_lost_or_doubled_whoever_is_killed(
    data_dir: Path, tmp_path: Path
) -> None:
    random = Random(20_261_129)
    (tmp_path / "identity.key").write_text("ab" * 32)
    async with embedded.running(data_dir, parameters={"shared_buffers": "32MB"}) as url:
        await migrate(url)
        async with running(url, tmp_path) as servers:
            token = await Served("", url).token("till")
            async with Served(servers[0].address, url).caller(token) as caller:
                await Served(servers[0].address, url).with_member(caller)
            clients = Clients(servers, token, random)
            working = [asyncio.create_task(clients.run(number)) for number in range(CLIENTS)]
            killed = await kill_at_random(servers, data_dir, random)
            clients.over = True
            async with asyncio.timeout(120):
                await asyncio.gather(*working)
            async with Served(servers[0].address, url).caller(token) as caller:
                await assert_all_is_there_once(caller, clients)
    assert killed["server"] >= 1 <= killed["postgres"]
    assert clients.codes, "somebody noticed"
    assert len(clients.answered) > CLIENTS


async def assert_all_is_there_once(caller: Caller, clients: Clients) -> None:
    """What was answered is what is recorded, and the history verifies."""
    entries = await statement(caller)
    earned = Counter(each.document for each in entries if each.movement.kind == "points_earned")
    sold = {f"market/till/{key}" for key in clients.answered if not key.startswith("b-")}
    assert set(earned) == sold
    assert set(earned.values()) == {1}
    burned = {
        each.entry_id: each.movement.points
        for each in entries
        if each.movement.kind == "points_burned"
    }
    assert burned == clients.burned
    account = (
        await caller.accounts.GetAccount(GetAccountRequest(member=requests.member()))
    ).account
    [left] = [row.available for row in account.balances if row.currency == "point"]
    given = sum(each.movement.points for each in entries if each.document)
    assert left == given - sum(burned.values())
    async for progress in caller.audit.VerifyHistory(VerifyHistoryRequest(), timeout=120):
        assert not progress.divergences, progress.divergences


async def statement(caller: Caller) -> list[Entry]:
    """All entries."""
    entries: list[Entry] = []
    request = ListEntriesRequest(member=requests.member(), page_size=1000, currency="point")
    while True:
        page = await caller.accounts.ListEntries(request)
        entries.extend(page.entries)
        request.page_token = page.next_page_token
        if not request.page_token:
            return entries
