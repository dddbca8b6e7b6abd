"""The history for those who follow it: every event once, in position order within each lane."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Final

from ledger.core import refusals
from ledger.core.instant import to_timestamp
from ledger.envelope import StoredEvent
from ledger.log import Log
from loyalty.v1.audit_service_pb2 import LanePosition, RecordedEvent, StreamEventsResponse
from loyalty.v1.events_pb2 import Event

PAGE: Final = 500
"""Positions read at once."""
MESSAGE_BYTES: Final = 1 << 20
"""A message stays below this, unless a single event is larger."""
ENVELOPE_BYTES: Final = 120
"""What an event weighs in a message beside its stream and payload, at most."""
POLL_SECONDS: Final = 0.2
POLL_SECONDS_MAX: Final = 1.0
HEARTBEAT_SECONDS: Final = 5.0

Positions = dict[int, int]
"""First position, by lane, that was not sent yet."""


class History:
    """Reads the log forwards."""

    def __init__(self, log: Log, *, heartbeat_seconds: float = HEARTBEAT_SECONDS) -> None:
        """Read from `log`; an idle follower hears something this often."""
        self._log = log
        self._heartbeat_seconds = heartbeat_seconds

    async def heads(self) -> Positions:
        """First position of every lane that is not taken."""
        return await self._log.heads()

    async def follow(
        self,
        positions: Mapping[int, int],
        *,
        follow: bool,
        business_unit: str = "",
        decode: bool = False,
    ) -> AsyncIterator[StreamEventsResponse]:
        """Events from `positions` on; every message tells all positions to go on from.

        Args:
            positions: first wanted position by lane; a lane that is missing begins at 0.
            follow: stay and send what comes, with heartbeats; else end at the present.
            business_unit: only its events; positions move over the others. Empty: all.
            decode: add the decoded payload.

        Raises:
            Malformed: a lane that does not exist.
        """
        at = await self._begin(positions)
        if not follow:
            async for message in self._rest(at, business_unit, decode):
                yield message
            yield _message([], at, decode)
            return
        loop = asyncio.get_running_loop()
        pause, spoke_at = POLL_SECONDS, loop.time()
        while True:
            before = dict(at)
            async for message in self._rest(at, business_unit, decode):
                yield message
                spoke_at = loop.time()
            if loop.time() - spoke_at >= self._heartbeat_seconds:
                yield _message([], at, decode)
                spoke_at = loop.time()
            pause = POLL_SECONDS if at != before else min(pause * 2, POLL_SECONDS_MAX)
            due = spoke_at + self._heartbeat_seconds - loop.time()
            await asyncio.sleep(max(min(pause, due), 0))

    async def _begin(self, positions: Mapping[int, int]) -> Positions:
        heads = await self._log.heads()
        for lane in positions:
            if lane not in heads:
                raise refusals.Malformed(
                    field="positions", value=lane, expected=f"a lane from 0 to {len(heads) - 1}"
                )
        return {lane: positions.get(lane, 0) for lane in heads}

    async def _rest(
        self, at: Positions, business_unit: str, decode: bool
    ) -> AsyncIterator[StreamEventsResponse]:
        """What there is now from `at` on, which moves along."""
        for lane, head in (await self._log.heads()).items():
            while at[lane] < head:
                before = min(at[lane] + PAGE, head)
                events = await self._log.between(
                    lane, at[lane], before, business_unit=business_unit
                )
                for part in _parts(events, decode):
                    at[lane] = part[-1].pos + 1
                    # Behind the page's last event only those are left that the filter left out.
                    if part[-1] is events[-1]:
                        at[lane] = before
                    yield _message(part, at, decode)
                at[lane] = before


def _parts(events: list[StoredEvent], decode: bool) -> Iterator[list[StoredEvent]]:
    """Events cut where a message would become too large."""
    part: list[StoredEvent] = []
    size = 0
    times_sent = 2 if decode else 1
    for event in events:
        weight = ENVELOPE_BYTES + len(event.stream) + times_sent * len(event.payload)
        if part and size + weight > MESSAGE_BYTES:
            yield part
            part, size = [], 0
        part.append(event)
        size += weight
    if part:
        yield part


def _message(events: list[StoredEvent], at: Positions, decode: bool) -> StreamEventsResponse:
    return StreamEventsResponse(
        events=[_recorded(event, decode) for event in events],
        positions=[LanePosition(lane=lane, next_pos=pos) for lane, pos in at.items()],
    )


def _recorded(event: StoredEvent, decode: bool) -> RecordedEvent:
    return RecordedEvent(
        lane=event.lane,
        pos=event.pos,
        stream=event.stream,
        version=event.version,
        kind=event.kind,
        occurred_time=to_timestamp(event.occurred_at),
        recorded_time=to_timestamp(event.recorded_at),
        payload=event.payload,
        leaf_hash=event.leaf_hash,
        # A kind that this build does not know stays empty here; the payload is the fact.
        event=Event.FromString(event.payload) if decode else None,
    )
