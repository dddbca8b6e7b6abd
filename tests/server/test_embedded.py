"""The embedded PostgreSQL: starts, stops, keeps the data, survives being killed, is shared."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from server.database import connect
from server.embedded import EmbeddedError, Lease, running
from server.embedded.account import Account
from server.embedded.binaries import binaries_for
from server.embedded.processes import find_postmaster
from tests.database_fixtures import execute

ROOT = Path(__file__).resolve().parents[2]
SMALL = {"shared_buffers": "16MB"}
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")


def cluster_of(data_dir: Path) -> Path:
    """Return the folder of the cluster below `data_dir`."""
    return data_dir / "postgresql" / "data"


def pid_of(data_dir: Path) -> int:
    """Return the process id of the running server."""
    found = find_postmaster(cluster_of(data_dir))
    assert found is not None, "the server runs"
    return found.pid


async def one(url: str, query: str) -> object:
    """Return the first value of a query, asked as the login."""
    connection = await connect(url, role=None)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_a_restart_keeps_the_data_the_port_and_the_password(data_dir: Path) -> None:
    async with running(data_dir, parameters=SMALL) as first:
        await execute(first, "CREATE TABLE kept AS SELECT 7 AS points")
    assert find_postmaster(cluster_of(data_dir)) is None, "stopped cleanly"
    assert not (cluster_of(data_dir) / "postmaster.pid").exists()
    async with running(data_dir, parameters=SMALL) as second:
        assert second == first
        assert await one(second, "SELECT points FROM kept") == 7


async def test_it_is_durable_checks_pages_and_listens_on_loopback_only(data_dir: Path) -> None:
    async with running(data_dir, parameters={**SMALL, "work_mem": "5MB"}) as url:
        for name, value in {
            "fsync": "on",
            "synchronous_commit": "on",
            "full_page_writes": "on",
            "data_checksums": "on",
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "password_encryption": "scram-sha-256",
            "server_encoding": "UTF8",
            "jit": "off",
            "work_mem": "5MB",
        }.items():
            assert (name, await one(url, f"SHOW {name}")) == (name, value)
        assert stat.S_IMODE((data_dir / "password").stat().st_mode) == 0o600
        assert stat.S_IMODE((data_dir / "postgresql").stat().st_mode) == 0o700
        wrong = url.replace((data_dir / "password").read_text().strip(), "guess")
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(wrong)


@as_root
async def test_root_serves_as_nobody_and_leaves_parent_folders_alone(data_dir: Path) -> None:
    before = data_dir.parent.stat()
    async with running(data_dir, parameters=SMALL):
        assert Path(f"/proc/{pid_of(data_dir)}").stat().st_uid == 65534
        assert cluster_of(data_dir).stat().st_uid == 65534
        assert (data_dir / "password").stat().st_uid == 0
    assert (data_dir.parent.stat().st_mode, data_dir.parent.stat().st_uid) == (
        before.st_mode,
        before.st_uid,
    )


@as_root
async def test_a_folder_that_nobody_may_not_enter_is_refused_by_name(data_dir: Path) -> None:
    closed = data_dir.parent / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(EmbeddedError, match=rf"enter {closed}\. Set LOYALTY_DATA_DIR"):
        async with running(closed / "data"):
            pass
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@as_root
def test_binaries_that_nobody_may_not_read_are_copied_once(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_dir.mkdir(parents=True)
    monkeypatch.setattr(Account, "can_run", lambda *_: False)
    nobody = Account.for_data(data_dir / "postgresql")
    first = binaries_for(nobody, cache=data_dir)
    assert first.is_relative_to(data_dir)
    assert binaries_for(nobody, cache=data_dir) == first
    version = subprocess.run(
        [first / "postgres", "--version"], user=65534, capture_output=True, check=True, text=True
    )
    assert version.stdout.startswith("postgres (PostgreSQL) ")


async def test_a_killed_server_recovers_everything_committed(data_dir: Path) -> None:
    async with running(data_dir, parameters=SMALL) as url:
        await execute(url, "CREATE TABLE kept AS SELECT generate_series(1, 1000)")
        killed = pid_of(data_dir)
        os.kill(killed, signal.SIGKILL)
        for _ in range(300):
            found = find_postmaster(cluster_of(data_dir))
            if found is not None and found.ready and found.pid != killed:
                break
            await asyncio.sleep(0.1)
        assert await one(url, "SELECT count(*) FROM kept") == 1000, "revived under the same URL"


def test_a_stale_pid_file_whose_number_is_taken_again_does_not_stop_a_start(
    data_dir: Path,
) -> None:
    lease = Lease(data_dir, parameters=SMALL)
    lease.open()
    lease.close()
    stale = cluster_of(data_dir) / "postmaster.pid"
    stale.write_text(f"{os.getpid()}\n{cluster_of(data_dir)}\n0\n1\n\n\n\nready\n")
    lease.open()
    assert pid_of(data_dir) != os.getpid()
    lease.close()


async def test_the_last_user_stops_the_server_whoever_started_it(data_dir: Path) -> None:
    first, second = Lease(data_dir, parameters=SMALL), Lease(data_dir, parameters=SMALL)
    url = await asyncio.to_thread(first.open)
    assert await asyncio.to_thread(second.open) == url, "attached"
    pid = pid_of(data_dir)
    await asyncio.to_thread(first.close)
    assert pid_of(data_dir) == pid, "still in use by the second"
    assert await one(url, "SELECT 1") == 1
    await asyncio.to_thread(second.close)
    assert find_postmaster(cluster_of(data_dir)) is None


USER = (
    "import asyncio, sys, pathlib\n"
    "from server.embedded import running\n"
    "async def main():\n"
    "    async with running(pathlib.Path(sys.argv[1])) as url:\n"
    "        print(url, flush=True)\n"
    "        sys.stdin.read()\n"
    "asyncio.run(main())\n"
)


async def user_of(data_dir: Path) -> asyncio.subprocess.Process:
    """A process that uses the server until its stdin ends, and tells all that Python warns of."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "default", "-c", USER, str(data_dir)),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_who_leaves_a_server_to_others_ends_without_a_warning(data_dir: Path) -> None:
    first = await user_of(data_dir)
    assert first.stdout is not None
    url = (await first.stdout.readline()).decode().strip()
    async with running(data_dir, parameters=SMALL) as shared:
        assert shared == url
        _, warned = await first.communicate(b"")
        assert not warned, "the server that it started lives on, and is not forgotten"
        assert await one(url, "SELECT 1") == 1
    assert find_postmaster(cluster_of(data_dir)) is None


async def test_two_processes_that_start_at_once_share_one_server(data_dir: Path) -> None:
    processes = [await user_of(data_dir) for _ in range(2)]
    urls = set()
    for process in processes:
        assert process.stdout is not None
        urls.add((await process.stdout.readline()).decode().strip())
    assert len(urls) == 1
    assert await one(urls.pop(), "SELECT 1") == 1
    processes[0].kill()
    await processes[0].wait()
    assert pid_of(data_dir), "the kernel released the killed one's share, the other's holds"
    await processes[1].communicate(b"")
    assert find_postmaster(cluster_of(data_dir)) is None


async def test_a_server_that_cannot_start_says_what_it_logged(data_dir: Path) -> None:
    with pytest.raises(EmbeddedError, match=r"did not start: .*shared_buffers"):
        async with running(data_dir, parameters={"shared_buffers": "nonsense"}):
            pass


async def test_data_of_another_major_version_is_refused(data_dir: Path) -> None:
    async with running(data_dir, parameters=SMALL):
        pass
    (cluster_of(data_dir) / "PG_VERSION").write_text("17\n")
    with pytest.raises(EmbeddedError, match="was made by PostgreSQL 17"):
        async with running(data_dir, parameters=SMALL):
            pass


async def test_an_environment_variable_reaches_the_server(data_dir: Path) -> None:
    async with running(data_dir, parameters=SMALL, env={"LOYALTY_PROBE": "seen"}):
        environment = Path(f"/proc/{pid_of(data_dir)}/environ").read_bytes()
    assert b"LOYALTY_PROBE=seen" in environment.split(b"\0")


@pytest.mark.parametrize("seconds", [0.02, 0.3, 0.5, 0.7, 0.9])
async def test_cancelling_a_start_leaves_no_server_behind(data_dir: Path, seconds: float) -> None:
    async def start() -> None:
        async with running(data_dir, parameters=SMALL):
            await asyncio.sleep(60)

    task = asyncio.create_task(start())
    await asyncio.sleep(seconds)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0.2)
    assert find_postmaster(cluster_of(data_dir)) is None
