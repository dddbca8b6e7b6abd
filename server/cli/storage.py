"""The database that the settings name, for commands that look into it themselves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from server import embedded
from server.config import load


@asynccontextmanager
async def database_url() -> AsyncIterator[str]:
    """URL of the configured database; the embedded one is started if nobody has, then stopped.

    Raises:
        SettingsError, EmbeddedError: with advice.
    """
    settings = load()
    dsn = settings.dsn()
    if dsn:
        yield dsn
        return
    async with embedded.running(settings.data_dir / "postgres") as url:
        yield url
