"""A running server with one member and one client that may do everything."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.server.served import Caller, Served, serving


@pytest.fixture
async def served(database: str, tmp_path: Path) -> AsyncIterator[Served]:
    """A server over a fresh database."""
    async with serving(database, tmp_path) as running:
        yield running


@pytest.fixture
async def caller(served: Served) -> AsyncIterator[Caller]:
    """A client that may do everything, with the policy published and a member enrolled."""
    async with served.caller(await served.token("till")) as client:
        await served.with_member(client)
        yield client
