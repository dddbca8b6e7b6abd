"""A place to measure at: a PostgreSQL of its own with a ledger, its members, and the yardsticks."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import grpc
import psutil

from bench import pgbench
from bench.pgbench import Yardsticks
from bench.processes import Watched
from bench.seeding import SeedOptions
from bench.server import ServerOptions
from ledger.core.events import KIND_NAME
from server import embedded
from server.auth import Verb, create_token
from server.database import connect, migrate

PARAMETERS: Final[Mapping[str, str]] = {"shared_buffers": "1GB", "max_wal_size": "8GB"}
"""Of a small server made for this; the same for the yardsticks."""
START_SECONDS: Final = 120.0
_HEADS: Final = "SELECT coalesce(sum(next_pos), 0)::bigint FROM lane"
_KINDS: Final = "SELECT kind, count(*) FROM event GROUP BY kind ORDER BY count(*) DESC, kind"


class SiteFailed(Exception):
    """A process of the site failed; what it wrote to stderr says why."""


@dataclass(frozen=True, slots=True)
class Window:
    """The members of a round: so many from `start` on, and those set apart right after them."""

    start: int
    size: int
    apart: int


class Site:
    """A running PostgreSQL with a seeded ledger. Servers come and go on it."""

    def __init__(self, folder: Path, url: str, *, members: int, occurred_seconds: int) -> None:
        """Over a server that runs; `prepare` fills it."""
        self.folder = folder
        self.url = url
        self.members = members
        self.occurred_seconds = occurred_seconds
        self.watched = Watched(folder / "postgres")
        self.yardsticks = Yardsticks(_renamed(url, pgbench.DATABASE), scale=pgbench.SCALE)
        self.token = ""
        self.address = ""

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        folder: Path,
        *,
        members: int,
        occurred_seconds: int,
        enrolled: Callable[[int], None],
        env: Mapping[str, str] | None = None,
    ) -> AsyncIterator["Site"]:
        """Start a PostgreSQL in a folder, fill it, and stop it at the end.

        Args:
            folder: made if missing.
            members: how many to enrol.
            occurred_seconds: when documents of this run occur, since the epoch.
            enrolled: told how many more members there are, now and then.
            env: of the PostgreSQL server.
        """
        async with embedded.running(folder / "postgres", parameters=PARAMETERS, env=env) as url:
            site = cls(folder, url, members=members, occurred_seconds=occurred_seconds)
            await site._prepare(enrolled)
            yield site

    async def _prepare(self, enrolled: Callable[[int], None]) -> None:
        await migrate(self.url)
        connection = await connect(self.url, role=None)
        try:
            verbs = [verb.value for verb in Verb]
            self.token = await create_token(
                connection, name="bench", business_units=["*"], verbs=verbs
            )
            await connection.execute(f"CREATE DATABASE {pgbench.DATABASE}")
        finally:
            await connection.close()
        await self.yardsticks.prepare()
        options = SeedOptions(self.url, str(self.folder), self.members)
        async with _process("bench.seeding", options.as_json()) as process:
            assert process.stdout is not None
            async for line in process.stdout:
                enrolled(int(line))
            if await process.wait():
                raise SiteFailed("the members could not be enrolled")
        await self.vacuum()

    async def vacuum(self) -> None:
        """Have what was written so far tidied up before something is measured."""
        connection = await connect(self.url, role=None)
        try:
            await connection.execute("VACUUM ANALYZE")
            await connection.execute("CHECKPOINT")
        finally:
            await connection.close()

    @asynccontextmanager
    async def serving(
        self, *, cache_accounts: int = 200_000, projections: bool = False, split: bool = False
    ) -> AsyncIterator[None]:
        """Run a server of the ledger inside the block."""
        options = ServerOptions(
            url=self.url,
            data_dir=str(self.folder),
            members=self.members,
            occurred_seconds=self.occurred_seconds,
            cache_accounts=cache_accounts,
            projections=projections,
            split=split,
        )
        async with _process("bench.server", options.as_json()) as process:
            assert process.stdout is not None
            line = await asyncio.wait_for(process.stdout.readline(), START_SECONDS)
            if not line:
                raise SiteFailed("the server did not start")
            self.address = json.loads(line)["grpc"]
            self.watched.server = psutil.Process(process.pid)
            try:
                yield
            finally:
                self.watched.server = None
                self.address = ""

    async def control(self, method: str, body: bytes = b"") -> bytes:
        """Call one of the server's methods for the benchmark itself."""
        async with grpc.aio.insecure_channel(self.address) as channel:
            call: Any = channel.unary_unary(f"/bench.Control/{method}")
            answer: bytes = await call(body, wait_for_ready=True)
            return answer

    async def move(self, window: Window) -> None:
        """Let warm and hot members be those of the window."""
        await self.control("Window", b"%d %d %d" % (window.start, window.size, window.apart))

    async def events(self) -> int:
        """How many events the ledger has."""
        connection = await asyncpg.connect(self.url)
        try:
            return int(await connection.fetchval(_HEADS))
        finally:
            await connection.close()

    async def kinds(self) -> dict[str, int]:
        """How many events of each kind it has, most first."""
        connection = await asyncpg.connect(self.url)
        try:
            return {KIND_NAME[row[0]]: row[1] for row in await connection.fetch(_KINDS)}
        finally:
            await connection.close()


@asynccontextmanager
async def _process(module: str, argument: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A module of ours as a process, which ends when its stdin does."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        argument,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), START_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()


async def told_by(module: str, argument: str) -> dict[str, float]:
    """What a module of ours prints as JSON, run as a process. Raises SiteFailed."""
    async with _process(module, argument) as process:
        assert process.stdout is not None
        output = await process.stdout.read()
        if await process.wait() or not output:
            raise SiteFailed(f"{module} failed")
    told: dict[str, float] = json.loads(output)
    return told


def _renamed(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))
