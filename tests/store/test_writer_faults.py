"""The writer at fault, or ended: nobody hangs on it, and nothing wrong is recorded."""

import asyncio
import gc
from typing import Any

import pytest

from ledger.act import Act, Answer
from ledger.core.decision import Decision, Outcome
from ledger.core.events import Fact
from ledger.core.refusals import NotServing
from ledger.core.state import Account
from ledger.handlers import HANDLERS
from ledger.lanes import account_stream
from ledger.rows import AppendBatch, Moved
from ledger.store import Store
from ledger.work import Work
from loyalty.v1.events_pb2 import PointsExpired
from loyalty.v1.ledger_service_pb2 import PostDocumentRequest
from tests.store.till import open_till


class Held(Store):
    """A store whose appends wait for a word, and then break."""

    begun: asyncio.Event
    word: asyncio.Event

    async def append(self, batch: AppendBatch) -> Moved | None:
        self.begun.set()
        await self.word.wait()
        raise ZeroDivisionError("nothing was written")


@pytest.mark.parametrize("documents_at_once", [1, 12])
async def test_nobody_hangs_on_a_writer_that_is_ended(
    database: str, documents_at_once: int
) -> None:
    """One alone is being committed; of many one batch is, and the next is decided on top of it."""
    unseen: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unseen.append(context))
    async with open_till(database, batch_max=4) as till:
        await till.publish()
        member = await till.enrol("1")
        ledger, store = till.ledger, till.ledger._writer._store
        store.__class__ = Held
        assert isinstance(store, Held)
        store.begun, store.word = asyncio.Event(), asyncio.Event()
        writes = [
            asyncio.create_task(till.write(till.document(member, f"D{number}", 1, 100)))
            for number in range(documents_at_once)
        ]
        await store.begun.wait()
        ledger._writing.cancel()
        await asyncio.wait({ledger._writing})
        store.word.set()
        async with asyncio.timeout(10):
            results = await asyncio.gather(*writes, return_exceptions=True)
        assert {type(result) for result in results} == {NotServing}
        assert not ledger.serving
        # What is left of it ends as a process would.
        ledger._writing = asyncio.create_task(asyncio.sleep(0))
    gc.collect()
    assert unseen == []


async def test_nothing_is_recorded_for_an_account_that_nobody_looked_up(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would look new, and its versions would begin anew beside those that it has."""
    blind: list[str] = []

    def forgetful(act: Act, work: Work) -> Answer:
        facts = (Fact(PointsExpired(), work.clock_now()),)
        work.record(blind[0], Decision(facts, Account(blind[0]), Outcome.POSTED))
        raise AssertionError("that was recorded")

    async with open_till(database) as till:
        await till.publish()
        member, other = await till.enrol("1"), await till.enrol("2")
        blind.append(account_stream((await till.ledger.reads.member(other)).member_id))
        monkeypatch.setitem(HANDLERS, PostDocumentRequest, forgetful)
        with pytest.raises(AssertionError, match="not looked up: nothing begins with Points"):
            await till.post(till.document(member, "D1", 1, 100))
