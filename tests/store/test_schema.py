"""The schema: reached by migrations, the same as the metadata, and append-only."""

import asyncio
import sys
from datetime import UTC, datetime

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData

from migrations.targets import target_metadata
from server.database import (
    MIGRATIONS,
    DatabaseUnreachable,
    MigrationRefused,
    NotMigrated,
    RoleMissing,
    connect,
    current_revision,
    engine,
    head_revision,
    migrate,
    normalised,
    pool,
    redacted,
)
from tests.database_fixtures import execute

INSERT_EVENT = """
INSERT INTO event (lane, pos, stream, version, kind, occurred_at, recorded_at, payload, leaf_hash)
VALUES (0, 0, 'account/m', 1, 1, $1, $1, 'fact', sha256('fact'))"""
CHANGES = ["UPDATE event SET kind = 2", "DELETE FROM event", "TRUNCATE event"]


async def append_one(url: str) -> None:
    """Append an event as the running service does."""
    service = await connect(url)
    await service.execute(INSERT_EVENT, datetime(2025, 3, 1, 12, tzinfo=UTC))
    await service.close()


async def test_the_migrations_lead_to_exactly_the_tables_of_the_metadata(database: str) -> None:
    # The comparison takes one metadata, and a table missing from it would count as a difference.
    combined = MetaData()
    for metadata in target_metadata():
        for table in metadata.tables.values():
            table.to_metadata(combined)

    def differences(connection: Connection) -> object:
        context = MigrationContext.configure(connection)
        return compare_metadata(context, combined)

    owner = engine(database, role=None, pooled=False)
    async with owner.connect() as connection:
        assert await connection.run_sync(differences) == []
    await owner.dispose()


async def test_migrating_twice_changes_nothing(empty_database: str) -> None:
    assert await current_revision(empty_database) is None
    await migrate(empty_database, lanes=4)
    await append_one(empty_database)
    await migrate(empty_database, lanes=4)
    assert await current_revision(empty_database) == head_revision()
    service = await connect(empty_database)
    assert [row["lane"] for row in await service.fetch("SELECT lane FROM lane ORDER BY 1")] == [
        0,
        1,
        2,
        3,
    ]
    assert await service.fetchval("SELECT count(*) FROM event") == 1
    await service.close()


async def test_two_processes_that_migrate_at_the_same_time_both_succeed(
    empty_database: str,
) -> None:
    script = "import asyncio, sys, server.database as d; asyncio.run(d.migrate(sys.argv[1]))"
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", script, empty_database, cwd=MIGRATIONS.parent
        )
        for _ in range(2)
    ]
    assert [await process.wait() for process in processes] == [0, 0]
    assert await current_revision(empty_database) == head_revision()


async def test_the_number_of_lanes_is_fixed_for_good(database: str) -> None:
    with pytest.raises(MigrationRefused, match="16 lanes for good, not 8"):
        await migrate(database, lanes=8)
    with pytest.raises(MigrationRefused, match="0 lanes"):
        await migrate(database, lanes=0)


@pytest.mark.parametrize("change", CHANGES)
async def test_the_running_role_may_not_change_an_event(database: str, change: str) -> None:
    await append_one(database)
    service = await connect(database)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
        await service.execute(change)
    await service.close()


@pytest.mark.parametrize("change", CHANGES)
async def test_a_trigger_stops_even_the_owner_from_changing_an_event(
    database: str, change: str
) -> None:
    await append_one(database)
    with pytest.raises(asyncpg.RestrictViolationError, match="only ever appended"):
        await execute(database, change)
    with pytest.raises(asyncpg.RestrictViolationError, match="only ever appended"):
        await execute(database, f"SET session_replication_role = replica; {change}")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE request SET answer = NULL",
        "DELETE FROM request",
        "TRUNCATE request",
        "DELETE FROM lane",
        "INSERT INTO lane (lane) VALUES (99)",
        "UPDATE lane SET lane = lane + 100",
        "UPDATE api_token SET business_units = '{*}'",
        "UPDATE api_token SET token_hash = 'x', name = 'y'",
        "UPDATE programme_setting SET value = '1'",
        "DELETE FROM api_token",
        "ALTER TABLE event DISABLE TRIGGER event_append_only",
        "DROP TABLE event",
    ],
)
async def test_the_running_role_has_no_other_way_around_it(database: str, statement: str) -> None:
    service = await connect(database)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await service.execute(statement)
    await service.close()


async def test_the_audit_role_reads_the_log_and_writes_nothing(database: str) -> None:
    await append_one(database)
    auditor = await connect(database, role="loyalty_audit")
    assert await auditor.fetchval("SELECT count(*) FROM event") == 1
    for statement in (
        "INSERT INTO lane (lane) VALUES (99)",
        "DELETE FROM snapshot",
        "TABLE api_token",
        "TABLE identity",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await auditor.execute(statement)
    await auditor.close()


async def test_a_pool_acts_as_the_running_role_each_time_a_connection_is_used(
    database: str,
) -> None:
    service = await pool(database, max_size=1)
    for _ in range(2):
        async with service.acquire() as connection:
            assert await connection.fetchval("SELECT current_user") == "loyalty_app"
    await service.close()


async def test_a_database_without_our_tables_says_to_migrate(empty_database: str) -> None:
    with pytest.raises(NotMigrated, match="Run `loyalty migrate`"):
        await pool(empty_database, role=None)


async def test_a_database_of_a_newer_release_says_so(database: str) -> None:
    await execute(database, "UPDATE alembic_version SET version_num = '2999_01_01_0000'")
    with pytest.raises(NotMigrated, match="A newer release has migrated it"):
        await pool(database)


async def test_a_role_that_does_not_exist_says_how_to_get_it(database: str) -> None:
    with pytest.raises(RoleMissing, match="cannot act as role nobody_made_this"):
        await connect(database, role="nobody_made_this")


async def test_an_address_where_nothing_answers_is_named_without_its_password() -> None:
    with pytest.raises(DatabaseUnreachable, match=r"u:\*\*\*@127\.0\.0\.1:1/") as caught:
        await connect("postgres://u:secret@127.0.0.1:1/loyalty")
    assert "secret" not in str(caught.value)


def test_every_spelling_of_the_scheme_means_postgresql() -> None:
    assert normalised("postgres://h/d") == "postgresql://h/d"
    assert normalised("postgresql+asyncpg://h/d") == "postgresql://h/d"
    assert redacted("postgresql://u:p%40x@h/d") == "postgresql://u:***@h/d"
    with pytest.raises(DatabaseUnreachable, match="not a PostgreSQL URL"):
        normalised("mysql://h/d")


async def test_a_migration_that_meets_a_busy_table_gives_up_and_says_so(
    empty_database: str,
) -> None:
    blocker = await connect(empty_database, role=None)
    await blocker.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
    transaction = blocker.transaction()
    await transaction.start()
    await blocker.execute("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE")
    with pytest.raises(MigrationRefused, match="run `loyalty migrate` again"):
        await migrate(empty_database)
    await transaction.rollback()
    await blocker.close()
    await migrate(empty_database)
