"""Connections of the read side's tests, which act as the running service does."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from server.database import connect, pool


@pytest.fixture
async def connection(database: str) -> AsyncIterator[asyncpg.Connection]:
    """One connection as the running role."""
    opened = await connect(database)
    yield opened
    await opened.close()


@pytest.fixture
async def service(database: str) -> AsyncIterator[asyncpg.Pool]:
    """A pool as the running role."""
    opened = await pool(database, min_size=1, max_size=6)
    yield opened
    await opened.close()
