"""The database that the settings name, for commands that look into it themselves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from server import main
from server.config import load


@asynccontextmanager
async def database_url() -> AsyncIterator[str]:
    """URL of the configured database; the embedded one is started if nobody has, then stopped.

    Raises:
        SettingsError, EmbeddedError: with advice.
    """
    async with main.database_url(load()) as url:
        yield url
