"""A running server with a policy and a member, and a gateway in front of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.json.asking import Web, gateway_to
from tests.server.served import Served, serving


@pytest.fixture
async def served(database: str, tmp_path: Path) -> AsyncIterator[Served]:
    """A server over a fresh database, with projections that keep up: settlements need them."""
    async with serving(database, tmp_path, projections=True) as running:
        yield running


@pytest.fixture
async def web(served: Served) -> AsyncIterator[Web]:
    """A client of the gateway that may do everything, with a policy and the member card:8800."""
    token = await served.token("till")
    async with served.caller(token) as client:
        await served.with_member(client)
    async with gateway_to(served.address) as gateway:
        yield gateway.with_token(token)
