"""Following the log: everything once, in order, resumable, and alive when nothing happens."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from ledger.core.events import columns_of, decode
from ledger.core.refusals import Malformed
from ledger.envelope import StoredEvent, leaf_hash
from ledger.log import Log
from ledger.reads import history
from ledger.reads.history import History
from loyalty.v1.audit_service_pb2 import RecordedEvent, StreamEventsResponse
from tests.store.lived import live
from tests.store.till import Till, open_till

Messages = list[StreamEventsResponse]


async def read(till: Till, positions: dict[int, int] | None = None, unit: str = "") -> Messages:
    """All messages up to the present."""
    following = till.ledger.history.follow(positions or {}, follow=False, business_unit=unit)
    return [message async for message in following]


def events_in(messages: Messages) -> list[RecordedEvent]:
    return [event for message in messages for event in message.events]


def place(event: RecordedEvent) -> tuple[int, int]:
    return event.lane, event.pos


def vector(message: StreamEventsResponse) -> dict[int, int]:
    return {position.lane: position.next_pos for position in message.positions}


async def test_every_event_comes_once_and_in_order_with_its_bytes(database: str) -> None:
    async with open_till(database) as till:
        await live(till, rounds=4)
        messages = await read(till)
        heads = await till.ledger.history.heads()
        assert [place(event) for event in events_in(messages)] == [
            (lane, pos) for lane, head in heads.items() for pos in range(head)
        ]
        assert vector(messages[-1]) == heads
        for event in events_in(messages):
            fact = decode(event.payload)
            kind, currency, points, unit = columns_of(fact)
            row = StoredEvent(
                event.lane,
                event.pos,
                event.stream,
                event.version,
                kind,
                currency,
                points,
                unit,
                event.occurred_time.ToMicroseconds(),
                event.recorded_time.ToMicroseconds(),
                event.payload,
                event.leaf_hash,
            )
            assert event.kind == kind
            assert leaf_hash(row) == event.leaf_hash


async def test_a_follower_goes_on_from_the_positions_of_any_message(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "PAGE", 7)
    monkeypatch.setattr(history, "MESSAGE_BYTES", 900)
    async with open_till(database) as till:
        await live(till, rounds=3)
        messages = await read(till)
        whole = [place(event) for event in events_in(messages)]
        assert max(len(message.events) for message in messages) < 7
        for index in range(0, len(messages), 5):
            rest = await read(till, vector(messages[index]))
            before = events_in(messages[: index + 1])
            assert [place(event) for event in before + events_in(rest)] == whole


async def test_positions_move_over_the_events_of_other_units(database: str) -> None:
    async with open_till(database) as till:
        await live(till, rounds=4)
        everything = events_in(await read(till))
        messages = await read(till, unit="hotel")
        theirs = [columns_of(decode(event.payload)).business_unit for event in everything]
        assert [place(event) for event in events_in(messages)] == [
            place(event) for event, unit in zip(everything, theirs, strict=True) if unit == "hotel"
        ]
        assert vector(messages[-1]) == await till.ledger.history.heads()


async def test_the_payload_is_decoded_when_asked_for(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        await till.enrol("1")
        following = till.ledger.history.follow({}, follow=False, decode=True)
        found = events_in([message async for message in following])
        assert {event.event.WhichOneof("kind") for event in found} == {
            "policy_published",
            "member_enrolled",
            "identity_linked",
        }
        assert not any(event.HasField("event") for event in events_in(await read(till)))


async def test_a_follower_hears_what_comes_and_heartbeats_when_nothing_does(
    database: str,
) -> None:
    async with open_till(database) as till:
        await till.publish()
        reading = till.ledger.reading
        lively = History(Log(reading.pool, reading.lanes), heartbeat_seconds=0.3)
        following = lively.follow({}, follow=True)
        first = await next_of(following)
        assert len(first.events) == 1
        idle = await next_of(following)
        assert not idle.events
        assert vector(idle) == await lively.heads()
        await till.enrol("1")
        come = await next_of(following)
        while not come.events:
            come = await next_of(following)
        assert [event.version for event in come.events] == [1, 2]
        assert vector(come) == await lively.heads()


async def next_of(following: AsyncIterator[StreamEventsResponse]) -> StreamEventsResponse:
    async with asyncio.timeout(10):
        return await anext(following)


async def test_a_lane_that_does_not_exist_is_refused(database: str) -> None:
    async with open_till(database) as till:
        with pytest.raises(Malformed) as refused:
            await read(till, {16: 0})
        assert refused.value.fields["expected"] == "a lane from 0 to 15"
