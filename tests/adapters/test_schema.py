"""The adapters' migrations: they lead to the tables of the metadata, twice changes nothing, and a
schema of another release is refused with what to do.
"""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from adapters.frame import database
from adapters.frame.schema import SCHEMA, metadata
from tests.database_fixtures import execute


async def test_the_migrations_lead_to_exactly_the_tables_of_the_metadata(
    empty_database: str,
) -> None:
    before, after = await database.migrate(empty_database)
    assert before is None
    assert (await database.migrate(empty_database)) == (after, after)

    def differences(connection: Connection) -> object:
        options = {
            "include_schemas": True,
            "version_table_schema": SCHEMA,
            "include_name": lambda name, kind, _: kind != "schema" or name == SCHEMA,
        }
        context = MigrationContext.configure(connection, opts=options)
        return compare_metadata(context, metadata)

    url = empty_database.replace("postgresql://", "postgresql+asyncpg://").partition("?")[0]
    owner = create_async_engine(url)
    async with owner.connect() as connection:
        assert await connection.run_sync(differences) == []
    await owner.dispose()


async def test_a_process_does_not_start_on_another_schema(empty_database: str) -> None:
    with pytest.raises(database.InboxUnusable, match="loyalty adapter migrate"):
        await database.pool(empty_database)
    await database.migrate(empty_database)
    await execute(empty_database, "UPDATE adapters.alembic_version SET version_num = '2020'")
    with pytest.raises(database.InboxUnusable, match="is at 2020"):
        await database.pool(empty_database)


@pytest.mark.parametrize("url", ["mysql://a", "postgresql://nobody:secret@127.0.0.1:1/none"])
async def test_a_database_that_is_not_there_is_named_without_its_password(url: str) -> None:
    with pytest.raises(database.InboxUnusable) as unusable:
        await database.pool(url)
    assert "secret" not in str(unusable.value)
