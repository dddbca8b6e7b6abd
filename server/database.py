"""Connections to PostgreSQL and the state of its schema, with errors that say what to do next."""

import re
from pathlib import Path
from typing import Final

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

APP_ROLE: Final = "loyalty_app"
AUDIT_ROLE: Final = "loyalty_audit"
MIGRATIONS: Final = Path(__file__).parent.parent / "migrations"
MAX_LANES: Final = 1024
CONNECT_SECONDS: Final = 10.0
_SCHEME: Final = re.compile(r"^postgres(?:ql)?(?:\+\w+)?://")
_URL_ADVICE: Final = "Write postgresql://user:password@host:5432/database, or leave it empty"


class DatabaseError(Exception):
    """Base of what can be wrong with a database, each with advice on what to do next."""

    def __init__(self, problem: str, *, advice: str) -> None:
        """Keep what is wrong and what the operator can do about it."""
        super().__init__(f"{problem}. {advice}")
        self.problem = problem
        self.advice = advice


class DatabaseUnreachable(DatabaseError):
    """Nothing answers at the database's address, or it does not let us in."""


class NotMigrated(DatabaseError):
    """The database has no tables of ours, or those of another release."""


class RoleMissing(DatabaseError):
    """The role of the running service does not exist, or our login may not take it."""


class MigrationRefused(DatabaseError):
    """The schema could not be brought to the wanted state; nothing of the step was kept."""


def normalised(url: str) -> str:
    """Return `url` as `postgresql://…`, whatever spelling of the scheme it came with.

    Raises:
        DatabaseUnreachable: it is not a PostgreSQL URL.
    """
    if not _SCHEME.match(url):
        raise DatabaseUnreachable(
            "DATABASE_URL is not a PostgreSQL URL",
            advice=_URL_ADVICE,
        )
    return _SCHEME.sub("postgresql://", url)


def redacted(url: str) -> str:
    """Return `url` without its password, for messages and logs."""
    return re.sub(r"(://[^:/@]+):[^@]*@", r"\1:***@", url)


async def connect(url: str, *, role: str | None = APP_ROLE) -> asyncpg.Connection:
    """Open one connection that acts as `role` (None: as the login itself).

    Raises:
        DatabaseUnreachable, RoleMissing: with advice.
    """
    target = normalised(url)
    settings = {"application_name": "loyalty"}
    if role is not None:
        settings["role"] = role
    try:
        return await asyncpg.connect(target, server_settings=settings, timeout=CONNECT_SECONDS)
    except ValueError as error:
        # asyncpg's own reading of the URL: a port that is no number, an unknown sslmode.
        raise DatabaseUnreachable(
            f"DATABASE_URL cannot be read: {error}", advice=_URL_ADVICE
        ) from error
    except asyncpg.InvalidAuthorizationSpecificationError as error:
        raise _login_refused(target, error) from error
    except asyncpg.InvalidCatalogNameError as error:
        raise DatabaseUnreachable(
            f"the database of {redacted(target)} does not exist",
            advice="Create it (`createdb`), or correct DATABASE_URL",
        ) from error
    except (asyncpg.InvalidParameterValueError, asyncpg.InsufficientPrivilegeError) as error:
        raise RoleMissing(
            f"cannot act as role {role}: {error}",
            advice="Run `loyalty migrate` as the owner of the database; it creates the role."
            f" For another login: GRANT {role} TO <login>",
        ) from error
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise DatabaseUnreachable(
            f"cannot reach {redacted(target)}: {error or type(error).__name__}",
            advice="Check that PostgreSQL runs there and that DATABASE_URL is right",
        ) from error


def _login_refused(url: str, error: asyncpg.PostgresError) -> DatabaseUnreachable:
    return DatabaseUnreachable(
        f"{redacted(url)} refuses the login: {error}",
        advice="Check the user and the password in DATABASE_URL",
    )


async def pool(
    url: str, *, min_size: int = 1, max_size: int = 8, role: str | None = APP_ROLE
) -> asyncpg.Pool:
    """Open a pool of connections that act as `role`; the caller closes it.

    Raises:
        DatabaseUnreachable, RoleMissing: with advice.
        NotMigrated: the schema is not the one that this release was written for.
    """
    probe = await connect(url, role=role)
    try:
        await require_migrated(probe)
    finally:
        await probe.close()
    settings = {"application_name": "loyalty"}
    if role is not None:
        settings["role"] = role
    return await asyncpg.create_pool(
        normalised(url),
        min_size=min_size,
        max_size=max_size,
        server_settings=settings,
        timeout=CONNECT_SECONDS,
    )


def engine(url: str, *, role: str | None = APP_ROLE, pooled: bool = True) -> AsyncEngine:
    """Return a SQLAlchemy engine whose sessions act as `role`; nothing is opened yet.

    Connections are opened by `connect`, so they fail with the same advice.
    """
    target = normalised(url)

    async def open_connection() -> asyncpg.Connection:
        return await connect(target, role=role)

    dialect = "postgresql+asyncpg://"
    if not pooled:
        return create_async_engine(dialect, async_creator=open_connection, poolclass=NullPool)
    # The ping lets a pool outlive a restart of the database.
    return create_async_engine(dialect, async_creator=open_connection, pool_pre_ping=True)


def _alembic() -> Config:
    config = Config(MIGRATIONS / "alembic.ini")
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def head_revision() -> str:
    """Return the revision that this release was written for."""
    head = ScriptDirectory.from_config(_alembic()).get_current_head()
    assert head is not None, "every release has migrations"
    return head


async def current_revision(url: str) -> str | None:
    """Return the revision of the database's schema, None before the first migration."""
    connection = await connect(url, role=None)
    try:
        return await _revision(connection)
    finally:
        await connection.close()


async def _revision(connection: asyncpg.Connection) -> str | None:
    if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
        return None
    revision: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    return revision


async def require_migrated(connection: asyncpg.Connection) -> None:
    """Do nothing if the schema is the one of this release.

    Raises:
        NotMigrated: it is older, newer, or not there.
    """
    found, wanted = await _revision(connection), head_revision()
    if found == wanted:
        return
    known = {script.revision for script in ScriptDirectory.from_config(_alembic()).walk_revisions()}
    raise NotMigrated(
        f"the schema is at {found or 'nothing'}, this release needs {wanted}",
        advice="Run `loyalty migrate`; it is safe while the service runs"
        if found is None or found in known
        else "A newer release has migrated it: start that one",
    )


async def migrate(url: str, lanes: int = 16) -> None:
    """Bring the schema to this release's revision; harmless when it is already there.

    Args:
        url: a login that owns the database.
        lanes: how many lanes a new ledger has; fixed from then on.

    Raises:
        DatabaseUnreachable: with advice.
        MigrationRefused: the lanes differ from those the ledger was created with, a busy table
            could not be locked within 2 s, or a right is missing.
    """
    if not 1 <= lanes <= MAX_LANES:
        raise MigrationRefused(
            f"{lanes} lanes", advice=f"Set LOYALTY_LANES to a number from 1 to {MAX_LANES}"
        )
    owner = engine(url, role=None, pooled=False)
    try:
        async with owner.connect() as connection:
            await connection.run_sync(_upgrade, lanes)
    except DBAPIError as error:
        raise _migration_refused(error) from error
    finally:
        await owner.dispose()


def _upgrade(connection: Connection, lanes: int) -> None:
    config = _alembic()
    config.attributes |= {"connection": connection, "lanes": lanes}
    command.upgrade(config, "head")
    fixed = connection.execute(
        text("SELECT value FROM programme_setting WHERE name = 'lanes'")
    ).scalar_one()
    if int(fixed) != lanes:
        raise MigrationRefused(
            f"this ledger has {fixed} lanes for good, not {lanes}",
            advice=f"Set LOYALTY_LANES={fixed}, or use a new database",
        )


def _migration_refused(error: DBAPIError) -> MigrationRefused:
    state = getattr(error.orig, "sqlstate", None)
    advice = {
        "55P03": "Another session holds a table for more than 2 s: run `loyalty migrate` again",
        "42501": "Use a login that owns the database and may create roles, or let an"
        f" administrator run: CREATE ROLE {APP_ROLE} NOLOGIN; CREATE ROLE {AUDIT_ROLE} NOLOGIN;"
        f" GRANT {APP_ROLE} TO <login>",
    }.get(state or "", "The step was rolled back; correct the cause and run it again")
    return MigrationRefused(f"the migration failed: {error.orig}", advice=advice)
