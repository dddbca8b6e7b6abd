"""The sweeper where it runs: inside the service until it drains, and as `loyalty sweep`."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from ledger.clock import SystemClock
from ledger.core.events import KIND_NUMBER
from server.auth import Verb
from server.config import Settings
from server.database import connect
from server.service import Service
from tests.cli.test_commands import data, loyalty
from tests.server.served import Served, settings_for
from tests.store.till import KEY, POLICY, open_till

MEMBERS = 5
MONTH = POLICY.replace("role: spendable}", "role: spendable, expiry: month}") + (
    "expiries: [{kind: fixed, id: month, days: 30}]\n"
)


async def long_ago(dsn: str, folder: Path) -> Path:
    """Let members earn what has expired since, with nobody asking; the file of the identity key."""
    async with open_till(dsn) as till:
        await till.publish(MONTH)
        for number in range(MEMBERS):
            member = await till.enrol(str(number))
            await till.post(till.document(member, f"D{number}", 1, 10_00))
    key = folder / "key"
    key.write_text(KEY.hex())
    return key


def settings(dsn: str, folder: Path, key: Path, *, seconds: int) -> Settings:
    """Of a server that sweeps."""
    return settings_for(
        dsn,
        folder,
        identity_key_file=key,
        projections=True,
        sweep_seconds=seconds,
        metrics_listen="127.0.0.1:0",
    )


async def expired(connection: asyncpg.Connection) -> int:
    """How many lots the history says have expired."""
    found: int = await connection.fetchval(
        "SELECT count(*) FROM event WHERE kind = $1", KIND_NUMBER["points_expired"]
    )
    return found


async def swept_until(connection: asyncpg.Connection, wanted: int) -> None:
    """Wait until so many lots have expired."""
    async with asyncio.timeout(20):
        while await expired(connection) < wanted:
            await asyncio.sleep(0.1)


async def test_the_service_sweeps_by_itself_and_a_drain_ends_it(
    database: str, tmp_path: Path
) -> None:
    key = await long_ago(database, tmp_path)
    connection = await connect(database)
    service = await Service.open(
        settings(database, tmp_path, key, seconds=1), dsn=database, clock=SystemClock()
    )
    try:
        await swept_until(connection, MEMBERS)
    finally:
        began = asyncio.get_running_loop().time()
        await service.drain()
    assert asyncio.get_running_loop().time() - began < 5
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "sweeper"]
    assert await expired(connection) == MEMBERS
    await connection.close()


async def test_the_command_sweeps_once_and_finds_nothing_afterwards(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await long_ago(database, tmp_path)
    service = await Service.open(
        settings(database, tmp_path, key, seconds=0), dsn=database, clock=SystemClock()
    )
    try:
        await calling(monkeypatch, Served(service.address, database), Verb.ADVANCE)
        connection = await connect(database)
        await followed(connection)
        assert await expired(connection) == 0
        first = data(await loyalty("sweep", "--once", "--json"))
        assert first["accounts"] == MEMBERS
        assert first["points"] == {"points_expired": {"p": 10 * MEMBERS}}
        assert await expired(connection) == MEMBERS
        await followed(connection)
        second = data(await loyalty("sweep", "--until", "2026-01-01T00:00:00Z", "--json"))
        assert second == {"accounts": 0, "replayed": 0, "refused": {}, "points": {}}
        await connection.close()
        early = await loyalty("sweep", "--until", "2999-01-01T00:00:00Z")
        assert early.exit_code == 2
        assert "expected a time that has passed" in early.stderr
        naive = await loyalty("sweep", "--until", "2025-01-01T00:00:00")
        assert naive.exit_code == 2
    finally:
        await service.drain()


async def test_a_token_that_may_not_advance_is_told_so(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await long_ago(database, tmp_path)
    service = await Service.open(
        settings(database, tmp_path, key, seconds=0), dsn=database, clock=SystemClock()
    )
    try:
        await calling(monkeypatch, Served(service.address, database), Verb.READ)
        connection = await connect(database)
        await followed(connection)
        result = await loyalty("sweep", "--once")
        assert result.exit_code == 1
        assert f"PERMISSION   {MEMBERS} accounts" in result.stderr
        assert await expired(connection) == 0
        await connection.close()
    finally:
        await service.drain()


async def calling(monkeypatch: pytest.MonkeyPatch, served: Served, verb: Verb) -> None:
    """Let commands find the database and the server, with a token that may do one thing."""
    monkeypatch.setenv("DATABASE_URL", served.dsn)
    monkeypatch.setenv("LOYALTY_SERVER", served.address)
    monkeypatch.setenv("LOYALTY_TOKEN", await served.token("ops", verbs=(verb.value,)))


async def followed(connection: asyncpg.Connection) -> None:
    """Wait until the projection has everything."""
    behind = """
    SELECT count(*) FROM lane LEFT JOIN subscription s ON s.lane = lane.lane AND s.name = 'due'
    WHERE s.pos IS DISTINCT FROM lane.next_pos"""
    async with asyncio.timeout(20):
        while await connection.fetchval(behind):
            await asyncio.sleep(0.1)
