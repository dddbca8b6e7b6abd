"""Alembic's entry: runs the migrations on the connection that `adapters.frame.database` gives."""

from typing import Final

from alembic import context
from sqlalchemy import Connection, text

from adapters.frame.schema import SCHEMA, metadata

# One migration at a time per database; another constant than the ledger's.
ADVISORY_LOCK: Final = text("SELECT pg_advisory_lock(4851294038)")
ADVISORY_UNLOCK: Final = text("SELECT pg_advisory_unlock(4851294038)")


def migrate(connection: Connection) -> None:
    """Run the wanted revisions, each in a transaction of its own."""
    connection.execute(ADVISORY_LOCK)
    # After the lock: waiting for another migration is fine, for a busy table it is not.
    connection.execute(text("SET lock_timeout = '2s'"))
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transaction_per_migration=True,
        include_schemas=True,
        version_table_schema=SCHEMA,
    )
    try:
        with context.begin_transaction():
            context.run_migrations()
    finally:
        connection.rollback()
        connection.execute(ADVISORY_UNLOCK)
        connection.commit()


migrate(context.config.attributes["connection"])
