"""What breaks around the service: no acknowledged write is lost, and none is doubled."""

import asyncio
import os
import signal
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import grpc
import pytest

from loyalty.v1.account_service_pb2 import Entry, GetAccountRequest, ListEntriesRequest
from server.database import migrate
from server.embedded import Lease
from tests.server import requests
from tests.server.served import Caller, Served, info_of, serving, status_of
from tests.server.test_drain import process

Code = grpc.StatusCode
TILLS = 20
# Long enough in CI for every caller's own deadline to pass meanwhile, and then some.
AWAY_SECONDS = 30 if os.environ.get("LOYALTY_CI") == "1" else 2


class Tills:
    """Cashiers that post sale after sale, and send one again until it is answered."""

    def __init__(self) -> None:
        """Nothing is posted yet."""
        self.acknowledged: set[str] = set()
        self.codes: Counter[grpc.StatusCode] = Counter()
        self.caller: Caller
        self._over = False

    async def run(self, till: int) -> None:
        """Post until `finish`."""
        number = 0
        while not self._over:
            number += 1
            await self._post(f"{till}-{number}")

    async def _post(self, key: str) -> None:
        while True:
            try:
                sale = requests.sale(key, document_id=key)
                await self.caller.ledger.PostDocument(sale, timeout=10)
            except grpc.aio.AioRpcError as error:
                self.codes[error.code()] += 1
                await asyncio.sleep(0.1)
                continue
            self.acknowledged.add(f"market/till/{key}")
            return

    def finish(self) -> None:
        """Let every till end its last sale."""
        self._over = True


async def assert_exactly_once(caller: Caller, tills: Tills) -> None:
    """Every acknowledged sale has earned, nothing has earned twice, and the balance says so."""
    entries: list[Entry] = []
    request = ListEntriesRequest(member=requests.member(), page_size=1000, currency="point")
    while not entries or request.page_token:
        page = await caller.accounts.ListEntries(request)
        entries.extend(page.entries)
        request.page_token = page.next_page_token
    found = Counter(entry.document for entry in entries)
    assert tills.acknowledged <= set(found)
    assert set(found.values()) == {1}
    read = await caller.accounts.GetAccount(GetAccountRequest(member=requests.member()))
    [points] = [row.available for row in read.account.balances if row.currency == "point"]
    assert points == sum(entry.movement.points for entry in entries)


async def test_killing_the_server_under_load_loses_and_doubles_nothing(
    database: str, tmp_path: Path
) -> None:
    tills = Tills()
    async with process(database, tmp_path) as (running, address):
        served = Served(address, database)
        token = await served.token("till")
        async with served.caller(token) as caller:
            await served.with_member(caller)
            tills.caller = caller
            posting = [asyncio.create_task(tills.run(till)) for till in range(TILLS)]
            await asyncio.sleep(0.7)
            running.send_signal(signal.SIGKILL)
            await asyncio.to_thread(running.wait, 10)
            before = len(tills.acknowledged)
            async with serving(database, tmp_path) as again, again.caller(token) as other:
                tills.caller = other
                await asyncio.sleep(0.7)
                tills.finish()
                await asyncio.gather(*posting)
                await assert_exactly_once(other, tills)
    assert 0 < before < len(tills.acknowledged)
    assert tills.codes


async def migrated(data_dir: Path) -> str:
    """URL of an embedded PostgreSQL with our schema, stopped: who starts it has to tend it."""
    lease = Lease(data_dir / "postgres", parameters={"shared_buffers": "32MB"})
    url = await asyncio.to_thread(lease.open)
    try:
        await migrate(url)
    finally:
        await asyncio.to_thread(lease.close)
    return url


async def test_killing_postgresql_under_load_loses_and_doubles_nothing(
    data_dir: Path, tmp_path: Path
) -> None:
    url = await migrated(data_dir)
    tills = Tills()
    key = tmp_path / "identity.key"
    key.write_text("ab" * 32)
    # Without a URL the service takes the embedded one, and starts it again when it has died.
    async with serving("", data_dir, identity_key_file=key) as running:
        served = Served(running.address, url)
        async with served.caller(await served.token("till")) as caller:
            await served.with_member(caller)
            tills.caller = caller
            posting = [asyncio.create_task(tills.run(till)) for till in range(TILLS)]
            await asyncio.sleep(0.7)
            before = len(tills.acknowledged)
            [pid_file] = list(data_dir.rglob("postmaster.pid"))
            os.kill(int(pid_file.read_text().splitlines()[0]), signal.SIGKILL)
            async with asyncio.timeout(30):
                while len(tills.acknowledged) < before + TILLS:
                    await asyncio.sleep(0.1)
            tills.finish()
            await asyncio.gather(*posting)
            await assert_exactly_once(caller, tills)


class Cable:
    """A way to the database that can be pulled out."""

    def __init__(self, host: str, port: int) -> None:
        """Lead to `host`:`port`."""
        self._target = (host, port)
        self._plugged = True
        self._ends: set[asyncio.StreamWriter] = set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        if not self._plugged:
            writer.close()
            return
        there, back = await asyncio.open_connection(*self._target)
        self._ends |= {writer, back}
        await asyncio.gather(self._copy(reader, back), self._copy(there, writer))

    async def _copy(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        sink.close()
        self._ends.discard(sink)

    def pull(self) -> None:
        """Cut all connections, and let no new one through."""
        self._plugged = False
        for end in self._ends:
            end.transport.abort()

    def plug(self) -> None:
        """Let connections through again."""
        self._plugged = True


@asynccontextmanager
async def cable_to(url: str) -> AsyncIterator[tuple[Cable, str]]:
    """A cable, and the URL that leads through it."""
    parts = urlsplit(url)
    cable = Cable(parts.hostname or "127.0.0.1", parts.port or 5432)
    server = await asyncio.start_server(cable.carry, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    login = parts.netloc.rpartition("@")[0]
    async with server:
        yield cable, urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{port}"))
        cable.pull()


async def test_an_absent_database_delays_or_refuses_but_loses_and_doubles_nothing(
    database: str, tmp_path: Path
) -> None:
    tills = Tills()
    async with cable_to(database) as (cable, url), serving(url, tmp_path) as running:
        served = Served(running.address, database)
        async with served.caller(await served.token("till")) as caller:
            await served.with_member(caller)
            tills.caller = caller
            posting = [asyncio.create_task(tills.run(till)) for till in range(TILLS)]
            await asyncio.sleep(0.5)
            before = len(tills.acknowledged)
            cable.pull()
            await asyncio.sleep(1)
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await caller.accounts.GetAccount(GetAccountRequest(member=requests.member()))
            assert error.value.code() is Code.UNAVAILABLE
            assert info_of(status_of(error.value)).reason == "NOT_SERVING"
            await asyncio.sleep(AWAY_SECONDS)
            cable.plug()
            async with asyncio.timeout(30):
                while len(tills.acknowledged) < before + TILLS:
                    await asyncio.sleep(0.1)
            tills.finish()
            await asyncio.gather(*posting)
            await assert_exactly_once(caller, tills)
    assert Code.INTERNAL not in tills.codes


async def test_a_drain_does_not_wait_for_ever_for_an_absent_database(
    database: str, tmp_path: Path
) -> None:
    loop = asyncio.get_running_loop()
    async with cable_to(database) as (cable, url):
        async with serving(url, tmp_path, drain_grace_seconds=1) as running:
            served = Served(running.address, database)
            connection = served.caller(await served.token("till"))
            caller = await connection.__aenter__()
            await served.with_member(caller)
            cable.pull()
            waiting = asyncio.ensure_future(caller.ledger.PostDocument(requests.sale()))
            await asyncio.sleep(0.5)
            began = loop.time()
        assert loop.time() - began < 10
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await waiting
        assert error.value.code() in (Code.UNAVAILABLE, Code.CANCELLED)
        await connection.__aexit__(None, None, None)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of its own that is soon full."""
    folder = Path(f"/tmp/loyalty-small-{os.getpid()}")
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=160m,mode=711", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        folder.rmdir()
        pytest.skip("mounting a small disk needs the rights of an administrator")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)
    folder.rmdir()


async def test_a_full_disk_refuses_and_what_was_acknowledged_stays(
    small_disk: Path, tmp_path: Path
) -> None:
    data_dir = small_disk / "data"
    lease = Lease(data_dir / "postgres", parameters={"shared_buffers": "16MB"})
    url = await asyncio.to_thread(lease.open)
    try:
        await migrate(url)
        tills = Tills()
        async with serving(url, tmp_path) as running:
            served = Served(running.address, url)
            async with served.caller(await served.token("till")) as caller:
                await served.with_member(caller)
                tills.caller = caller
                posting = [asyncio.create_task(tills.run(till)) for till in range(4)]
                await asyncio.sleep(0.3)
                ballast = small_disk / "ballast"
                fill(ballast)
                async with asyncio.timeout(60):
                    while not tills.codes:
                        await asyncio.sleep(0.1)
                ballast.unlink()
                before = len(tills.acknowledged)
                async with asyncio.timeout(60):
                    while len(tills.acknowledged) < before + 4:
                        await asyncio.sleep(0.1)
                tills.finish()
                await asyncio.gather(*posting)
                await assert_exactly_once(caller, tills)
        assert Code.INTERNAL not in tills.codes
    finally:
        await asyncio.to_thread(lease.close)


def fill(file: Path) -> None:
    """Write until nothing more fits on the disk."""
    with suppress(OSError), file.open("wb", buffering=0) as ballast:
        while True:
            ballast.write(bytes(4096))
