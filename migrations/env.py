"""Alembic's entry: runs the migrations on a given connection, on DATABASE_URL, or prints SQL."""

import asyncio
import os
from typing import Final

from alembic import context
from sqlalchemy import Connection, text

from migrations.targets import target_metadata
from server.database import engine

LOCK_TIMEOUT: Final = text("SET lock_timeout = '2s'")
# One migration at a time per database; any constant would do.
ADVISORY_LOCK: Final = text("SELECT pg_advisory_lock(4851294037)")
ADVISORY_UNLOCK: Final = text("SELECT pg_advisory_unlock(4851294037)")


def print_sql() -> None:
    """Print the SQL of the wanted revisions without a database.

    It is one transaction: who runs the script by hand gets all of it or nothing.
    """
    context.configure(
        dialect_name="postgresql", target_metadata=target_metadata(), literal_binds=True
    )
    context.execute(LOCK_TIMEOUT)
    with context.begin_transaction():
        context.run_migrations()


def migrate(connection: Connection) -> None:
    """Run the wanted revisions, each in a transaction of its own.

    Waiting for another migration is fine; waiting for a busy table is not, because every query
    that comes after would queue behind us: so the time limit starts after the advisory lock.
    """
    connection.execute(ADVISORY_LOCK)
    connection.execute(LOCK_TIMEOUT)
    connection.commit()
    context.configure(
        connection=connection, target_metadata=target_metadata(), transaction_per_migration=True
    )
    try:
        with context.begin_transaction():
            context.run_migrations()
    finally:
        connection.rollback()
        connection.execute(ADVISORY_UNLOCK)
        connection.commit()


async def migrate_database_url() -> None:
    """Run the migrations on the database that DATABASE_URL names."""
    owner = engine(os.environ["DATABASE_URL"], role=None)
    async with owner.connect() as connection:
        await connection.run_sync(migrate)
    await owner.dispose()


if context.is_offline_mode():
    print_sql()
elif (given := context.config.attributes.get("connection")) is not None:
    migrate(given)
else:
    asyncio.run(migrate_database_url())
