"""One history for all tests of a module that change what was recorded, and put it back."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.store.tampering import Story


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def whole_story(request: pytest.FixtureRequest, module_database: str) -> AsyncIterator[Story]:
    """What the `tell` of the module tells; it verifies before the first test and after the last."""
    async with request.module.tell(module_database) as story:
        yield story
        assert await story.found() == {}


@pytest_asyncio.fixture(loop_scope="module")
async def story(whole_story: Story) -> AsyncIterator[Story]:
    """The module's history, which each test finds as it was told. It is for its owner to change."""
    yield whole_story
    await whole_story.put_back()
