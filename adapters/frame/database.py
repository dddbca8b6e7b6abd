"""Connections to the adapters' database and the state of its schema, with advice on errors."""

import re
from pathlib import Path
from typing import Final

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

Session = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy
ROLE: Final = "loyalty_adapters"
MIGRATIONS: Final = Path(__file__).parent / "migrations"
CONNECT_SECONDS: Final = 10.0
LOST: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresIOError,
    ConnectionError,
    OSError,
    TimeoutError,
)
"""The database is away, or cannot write: what was asked is asked again later."""
_SCHEME: Final = re.compile(r"^postgres(?:ql)?(?:\+\w+)?://")
_URL_ADVICE: Final = "Write postgresql://user:password@host:5432/database, or leave it empty"


class InboxUnusable(Exception):
    """The adapters' database cannot be used as it is; says what to do."""

    def __init__(self, problem: str, *, advice: str) -> None:
        """Keep what is wrong and what the operator can do about it."""
        super().__init__(f"{problem}. {advice}")
        self.problem = problem
        self.advice = advice


def normalised(url: str) -> str:
    """Return the URL as asyncpg takes it. Raises InboxUnusable."""
    if not _SCHEME.match(url):
        raise InboxUnusable(
            "the adapters' database has no PostgreSQL URL",
            advice=_URL_ADVICE,
        )
    return _SCHEME.sub("postgresql://", url)


async def _connect(url: str, **settings: str) -> asyncpg.Connection:
    target = normalised(url)
    shown = re.sub(r"(://[^:/@]+):[^@]*@", r"\1:***@", target)
    try:
        return await asyncpg.connect(
            target,
            server_settings={"application_name": "loyalty-adapters", **settings},
            timeout=CONNECT_SECONDS,
        )
    except ValueError as error:
        # asyncpg's own reading of the URL: a port that is no number, an unknown sslmode.
        raise InboxUnusable(
            f"the URL of the adapters' database cannot be read: {error}", advice=_URL_ADVICE
        ) from error
    except (asyncpg.InvalidParameterValueError, asyncpg.InsufficientPrivilegeError) as error:
        raise InboxUnusable(
            f"cannot act as role {ROLE}: {error}",
            advice="Run `loyalty adapter migrate` as the owner of the database; it creates the"
            f" role. For another login: GRANT {ROLE} TO <login>",
        ) from error
    except (*LOST, asyncpg.PostgresError) as error:
        raise InboxUnusable(
            f"cannot reach {shown}: {error or type(error).__name__}",
            advice="Check that PostgreSQL runs there and that the URL is right",
        ) from error


async def pool(url: str, *, max_size: int = 8) -> asyncpg.Pool:
    """Open a pool of connections that act as the adapters' role; the caller closes it.

    Raises:
        InboxUnusable: no connection, no role, or the schema is not this release's.
    """
    probe = await _connect(url, role=ROLE)
    try:
        await _require_migrated(probe)
    finally:
        await probe.close()
    return await asyncpg.create_pool(
        normalised(url),
        min_size=1,
        max_size=max_size,
        server_settings={"application_name": "loyalty-adapters", "role": ROLE},
        timeout=CONNECT_SECONDS,
    )


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config


async def _require_migrated(connection: asyncpg.Connection) -> None:
    head = ScriptDirectory.from_config(_alembic()).get_current_head()
    found = await revision(connection)
    if found != head:
        raise InboxUnusable(
            f"the adapters' schema is at {found or 'nothing'}, this release needs {head}",
            advice="Run `loyalty adapter migrate`; it is safe while the service runs",
        )


async def revision(connection: Session) -> str | None:
    """Return the revision of the adapters' schema; None before the first migration."""
    if await connection.fetchval("SELECT to_regclass('adapters.alembic_version')") is None:
        return None
    found: str | None = await connection.fetchval(
        "SELECT version_num FROM adapters.alembic_version"
    )
    return found


async def migrate(url: str) -> tuple[str | None, str | None]:
    """Bring the schema to this release's; return the revisions before and after.

    Raises:
        InboxUnusable: with advice.
    """
    before = await _revision_of(url)
    target = normalised(url).replace("postgresql://", "postgresql+asyncpg://", 1)

    async def connect() -> asyncpg.Connection:
        return await _connect(url)

    owner = create_async_engine(target, async_creator=connect, poolclass=NullPool)
    try:
        async with owner.connect() as connection:
            await connection.run_sync(_upgrade)
    except DBAPIError as error:
        raise InboxUnusable(
            f"the migration failed: {error.orig}",
            advice="Use a login that owns the database and may create roles, and run it again",
        ) from error
    finally:
        await owner.dispose()
    return before, await _revision_of(url)


async def _revision_of(url: str) -> str | None:
    connection = await _connect(url)
    try:
        return await revision(connection)
    finally:
        await connection.close()


def _upgrade(connection: Connection) -> None:
    config = _alembic()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
