"""What the tests of adapters share: the recorded payloads, and a ledger to post to."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.adapters import shop
from tests.adapters.rig import Rig, rig
from tests.adapters.sending import MEMBER, SECRETS
from tests.conftest import SHARED
from tests.server.served import Caller, Served, serving


@pytest.fixture(scope="session")
def payloads() -> Path:
    """The folder of recorded payloads, which is not part of the project."""
    folder = SHARED / "payloads"
    if not folder.is_dir():
        pytest.skip("no payloads/ in the folder of real data; set LOYALTY_SHARED")
    return folder


@pytest.fixture
async def served(database: str, tmp_path: Path) -> AsyncIterator[Served]:
    """A ledger over a fresh database."""
    async with serving(database, tmp_path) as running:
        yield running


@pytest.fixture
async def caller(served: Served) -> AsyncIterator[Caller]:
    """A client that may do everything, with the policy published."""
    async with served.caller(await served.token("till")) as client:
        await served.with_member(client)
        yield client


@pytest.fixture
async def web(served: Served, caller: Caller, tmp_path: Path) -> AsyncIterator[Rig]:
    """A shop's connection, and a customer who is a member."""
    async with rig(served, caller, tmp_path, shop.MAPPING, SECRETS) as running:
        await running.enrol(*MEMBER)
        yield running
