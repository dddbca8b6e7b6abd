"""The database that the settings name, for commands that look into it themselves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from server import database, main
from server.config import load


@asynccontextmanager
async def database_url() -> AsyncIterator[str]:
    """URL of the configured database; the embedded one is started if nobody has, then stopped.

    Raises:
        SettingsError, EmbeddedError: with advice.
    """
    async with main.database_url(load()) as url:
        yield url


@asynccontextmanager
async def connection() -> AsyncIterator[asyncpg.Connection]:
    """A connection to the configured database, which has this release's schema.

    Raises:
        SettingsError, EmbeddedError, DatabaseError: with advice.
    """
    async with database_url() as url:
        opened = await database.connect(url)
        try:
            await database.require_migrated(opened)
            yield opened
        finally:
            await opened.close()
