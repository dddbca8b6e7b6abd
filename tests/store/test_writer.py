"""The writer: batches, groups, lost connections, rivals, and a database that went back in time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import asyncpg
import pytest

from ledger.act import Act, Answer
from ledger.core.refusals import (
    AtomicRefused,
    DeadlinePassed,
    InsufficientPoints,
    NotServing,
    QueueFull,
    Refusal,
)
from ledger.handlers import HANDLERS, documents
from ledger.rows import AppendBatch, Head, Moved
from ledger.service import Ledger, LedgerSettings, WrongIdentityKey
from ledger.store import Store
from ledger.work import Work
from loyalty.v1.ledger_service_pb2 import PostDocumentRequest
from server.database import connect
from server.database import pool as connected_pool
from tests.store.till import POLICY, Till, at, open_till


async def count(url: str, statement: str) -> Any:
    connection = await connect(url, role=None)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_concurrent_burns_of_the_last_points_have_one_winner(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        member = await till.enrol("1")
        await till.post(till.document(member, "D1", 1, 10000))
        results = await asyncio.gather(
            *(till.write(till.burn(member, 100)) for _ in range(8)), return_exceptions=True
        )
        assert sum(isinstance(result, InsufficientPoints) for result in results) == 7
        assert await till.available(member) == 0


async def test_a_refusal_in_a_batch_touches_nobody_else(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        member = await till.enrol("1")
        requests = [till.document(member, f"D{i}", 1, 100) for i in range(3)]
        results = await till.ledger.write_batch(
            [*requests, till.burn(member, 99), till.burn(member, 3)], client="till"
        )
        assert [isinstance(result, Refusal) for result in results] == [False] * 3 + [True, False]


async def test_an_atomic_batch_is_all_or_nothing(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        member = await till.enrol("1")
        refused = await till.ledger.write_batch(
            [till.document(member, "D1", 1, 10000), till.burn(member, 101)],
            client="till",
            atomic=True,
        )
        assert isinstance(refused[0], AtomicRefused)
        assert isinstance(refused[1], InsufficientPoints)
        assert await till.available(member) == 0
        await till.ledger.write_batch(
            [till.document(member, "D1", 1, 10000), till.burn(member, 100)],
            client="till",
            atomic=True,
        )
        account, _ = await till.ledger.reads.account(member)
        assert account.balances["p"].available == 0


async def test_a_full_queue_refuses_and_a_late_request_is_not_executed(database: str) -> None:
    async with open_till(database, queue_max=4) as till:
        await till.publish()
        member = await till.enrol("1")
        writes = [till.write(till.document(member, f"D{i}", 1, 100)) for i in range(9)]
        results = await asyncio.gather(*writes, return_exceptions=True)
        assert sum(isinstance(result, QueueFull) for result in results) == 5
        with pytest.raises(DeadlinePassed):
            await till.ledger.write(till.burn(member, 1), client="till", deadline=0.0)
        assert await till.available(member) == 4


async def test_a_caller_that_leaves_does_not_hurt_the_writer(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        member = await till.enrol("1")
        writes = [
            asyncio.create_task(till.write(till.document(member, f"D{i}", 1, 100)))
            for i in range(20)
        ]
        await asyncio.sleep(0.002)
        for write in writes[::2]:
            write.cancel()
        results = await asyncio.gather(*writes, return_exceptions=True)
        assert not any(isinstance(result, Exception) for result in results[1::2])
        assert await till.post(till.burn(member, 1))


async def test_draining_answers_what_waits_and_refuses_what_comes(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        member = await till.enrol("1")
        writes = [
            asyncio.create_task(till.write(till.document(member, f"D{i}", 1, 100)))
            for i in range(50)
        ]
        await asyncio.sleep(0)
        await till.ledger.drain()
        assert len(await asyncio.gather(*writes)) == 50
        with pytest.raises(NotServing):
            await till.post(till.burn(member, 1))


async def test_two_processes_on_one_database_never_fork_a_position(database: str) -> None:
    async with open_till(database) as one:
        await one.publish()
        members = [await one.enrol(str(i)) for i in range(8)]
        async with open_till(database) as two:
            rival = Till(two.ledger, two.clock, client="rival")

            async def shop(till: Till, name: str) -> None:
                for turn in range(15):
                    await asyncio.gather(
                        *(
                            till.write(till.document(member, f"{name}-{turn}-{i}", 1, 100))
                            for i, member in enumerate(members)
                        ),
                        # The same document from both: it counts once.
                        till.write(till.document(members[0], f"both-{turn}", 1, 100)),
                    )

            await asyncio.gather(shop(one, "one"), shop(rival, "two"))
            assert await one.available(members[0]) == 45
            assert await two.available(members[1]) == 30
    forks = """SELECT count(*) FROM (SELECT stream, version FROM event
               GROUP BY stream, version HAVING count(*) > 1) AS forked"""
    gaps = """SELECT count(*) FROM lane l WHERE next_pos <>
              (SELECT count(*) FROM event e WHERE e.lane = l.lane)"""
    assert await count(database, forks) == 0
    assert await count(database, gaps) == 0


async def test_a_refusal_on_a_stale_state_is_decided_again(database: str) -> None:
    async with open_till(database) as one, open_till(database) as two:
        await one.publish()
        member = await one.enrol("1")
        await two.ledger.policies.refresh(two.ledger.reading)
        rival = Till(two.ledger, two.clock, client="rival")
        with pytest.raises(InsufficientPoints):
            await rival.post(rival.burn(member, 100))
        await one.post(one.document(member, "D1", 1, 10000))
        assert await rival.post(rival.burn(member, 100))


class Unlucky(Store):
    """A store whose connection breaks at the next append, before or after the commit."""

    breaks = ""

    async def append(self, batch: AppendBatch) -> Moved | None:
        when, self.breaks = self.breaks, ""
        if when == "before":
            raise ConnectionResetError("broke before the statement arrived")
        result = await super().append(batch)
        if when == "after":
            raise asyncpg.ConnectionDoesNotExistError("broke before the answer arrived")
        return result


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_lost_answer_is_looked_up_not_guessed(database: str, when: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        member = await till.enrol("1")
        store = till.ledger._writer._store
        store.__class__ = Unlucky
        assert isinstance(store, Unlucky)
        store.breaks = when
        await till.post(till.document(member, "D1", 1, 10000))
        store.breaks = when
        await till.post(till.burn(member, 40))
        assert await till.available(member) == 60
    assert await count(database, "SELECT count(*) FROM event WHERE kind = 23") == 1


class Overtaken(Store):
    """A store whose connection breaks before the next append, and a rival commits meanwhile."""

    rival: Callable[[], Awaitable[object]] | None = None

    async def append(self, batch: AppendBatch) -> Moved | None:
        rival, self.rival = self.rival, None
        if rival is None:
            return await super().append(batch)
        await rival()
        raise ConnectionResetError("broke before the statement arrived")


async def test_the_same_fact_of_a_rival_is_not_taken_for_the_lost_commit(database: str) -> None:
    """What has expired is the same fact, whichever process records it at that instant."""
    lives = "expiries: [{id: june, kind: calendar_date, month_day: 06-30}]\n"
    policy = POLICY.replace("role: spendable}", "role: spendable, expiry: june}") + lives
    async with open_till(database) as one, open_till(database) as two:
        await one.publish(policy)
        old, other = await one.enrol("1"), await one.enrol("2")
        await one.post(one.document(old, "D1", 1, 10000))
        one.clock.set(at("2025-08-01T12:00"))
        two.clock.set(at("2025-08-01T12:00"))
        await one.post(one.document(other, "D2", 1, 10000))
        await two.ledger.policies.refresh(two.ledger.reading)
        rival = Till(two.ledger, two.clock, client="rival")
        store = one.ledger._writer._store
        store.__class__ = Overtaken
        assert isinstance(store, Overtaken)
        store.rival = lambda: rival.post(rival.advance(old))
        answers = await one.ledger.write_batch(
            [one.advance(old), one.burn(other, 40)], client="till", atomic=True
        )
        assert all(isinstance(answer, Answer) for answer in answers)
        assert await two.available(other) == 60
        await one.post(one.burn(other, 60))
    assert await count(database, "SELECT count(*) FROM event WHERE kind = 23") == 2


async def test_a_database_that_went_back_is_not_written_to(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        member = await till.enrol("1")
        await till.post(till.document(member, "D1", 1, 10000))
        connection = await connect(database, role=None)
        await connection.execute("UPDATE lane SET next_pos = next_pos - 1 WHERE next_pos > 1")
        await connection.close()
        with pytest.raises(NotServing):
            await till.post(till.document(member, "D2", 1, 10000))
        assert not till.ledger.serving


async def test_recorded_times_rise_though_the_clock_stands_or_falls(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        member = await till.enrol("1")
        await till.post(till.document(member, "D1", 1, 10000))
        till.clock.set(at("2025-02-01T00:00"))
        await till.post(till.document(member, "D2", 1, 10000))
    falls = """SELECT count(*) FROM event a JOIN event b ON a.lane = b.lane AND b.pos = a.pos + 1
               WHERE b.recorded_at <= a.recorded_at"""
    assert await count(database, falls) == 0


async def test_states_are_the_same_with_and_without_snapshots(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        member = await till.enrol("1")
        for i in range(120):
            await till.post(till.document(member, f"D{i}", 1, 10000))
        before, _ = await till.ledger.reads.account(member)
    assert await count(database, "SELECT count(*) FROM snapshot") == 1
    async with open_till(database) as with_snapshot:
        assert (await with_snapshot.ledger.reads.account(member))[0] == before
    connection = await connect(database, role=None)
    await connection.execute("DELETE FROM snapshot")
    await connection.close()
    async with open_till(database) as without:
        assert (await without.ledger.reads.account(member))[0] == before


async def test_another_identity_key_is_refused_at_the_start(database: str) -> None:
    async with open_till(database):
        pass
    pool = await connected_pool(database)
    with pytest.raises(WrongIdentityKey, match="LOYALTY_IDENTITY_KEY_FILE"):
        await Ledger.open(pool, LedgerSettings(identity_key=bytes(32)))
    await pool.close()


class Gone(Store):
    """A store whose database has left for good."""

    async def append(self, batch: AppendBatch) -> Moved | None:
        raise ConnectionResetError("nobody there")

    async def settle(self, lanes: Iterable[int]) -> dict[int, Head]:
        raise ConnectionRefusedError("nobody there")


async def test_a_ledger_ends_though_its_database_does_not_come_back(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        member = await till.enrol("1")
        till.ledger._writer._store.__class__ = Gone
        write = asyncio.create_task(till.write(till.document(member, "D1", 1, 10000)))
        await asyncio.sleep(0.1)
        async with asyncio.timeout(10):
            await till.ledger.close()
        with pytest.raises(NotServing):
            await write


async def test_an_act_that_breaks_halfway_leaves_nothing_and_hurts_nobody(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = documents.post_document

    def breaking(act: Act, work: Work) -> Answer:
        answer = whole(act, work)
        if "broken" in act.document:
            raise ZeroDivisionError("after its facts were recorded")
        return answer

    monkeypatch.setitem(HANDLERS, PostDocumentRequest, breaking)
    async with open_till(database) as till:
        await till.publish()
        member = await till.enrol("1")
        results = await asyncio.gather(
            *(till.write(till.document(member, name, 1, 100)) for name in ("D1", "broken", "D2")),
            return_exceptions=True,
        )
        assert [isinstance(result, ZeroDivisionError) for result in results] == [False, True, False]
        assert await till.available(member) == 2
    assert await count(database, "SELECT count(*) FROM event WHERE kind = 60") == 2


class Full(Store):
    """A store whose disk is full for one append."""

    full = True

    async def append(self, batch: AppendBatch) -> Moved | None:
        if self.full:
            self.full = False
            raise asyncpg.DiskFullError("no space left on device")
        return await super().append(batch)


async def test_a_batch_that_cannot_be_written_is_refused_and_the_next_one_is_served(
    database: str,
) -> None:
    async with open_till(database) as till:
        await till.publish()
        member = await till.enrol("1")
        till.ledger._writer._store.__class__ = Full
        with pytest.raises(NotServing, match="no space left"):
            await till.post(till.document(member, "D1", 1, 100))
        await till.post(till.document(member, "D1", 1, 100))
        assert await till.available(member) == 1
