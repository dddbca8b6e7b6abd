"""The year as it passes: enrolment, then week by week what was sold, spent and brought back."""

import asyncio
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Final

import grpc

from ledger.core.instant import SECOND, Instant
from loyalty.v1 import ledger_service_pb2 as ledger_pb
from loyalty.v1 import member_service_pb2 as member_pb
from loyalty.v1.ledger_service_pb2_grpc import LedgerServiceStub
from loyalty.v1.member_service_pb2_grpc import MemberServiceStub
from server.cli.sending import CALL_SECONDS, chunks, metadata, reason_of, send
from server.demo import wire
from server.demo.clock import SharedClock
from server.demo.habits import told_birthday
from server.demo.sources import DAY, WEEK, Kind, SourceDocument
from server.demo.spending import Intended, Spending

if TYPE_CHECKING:
    from loyalty.v1.ledger_service_pb2_grpc import LedgerServiceAsyncStub
    from loyalty.v1.member_service_pb2_grpc import MemberServiceAsyncStub

IN_FLIGHT: Final = 3
ENROLMENTS_AT_ONCE: Final = 64
HOME_UNIT: Final = "market"


@dataclass(slots=True)
class Outcome:
    """What was sent and what became of it. `seconds` counts sending alone."""

    writes: int = 0
    seconds: float = 0.0
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By act and reason."""


class Traffic:
    """Everything that callers do to the ledger in the demo's year."""

    def __init__(self, channel: grpc.aio.Channel, clock: SharedClock, *, token: str) -> None:
        """Send through `channel`, turning `clock` on the way."""
        self._ledger: LedgerServiceAsyncStub = LedgerServiceStub(channel)
        self._members: MemberServiceAsyncStub = MemberServiceStub(channel)
        self._clock = clock
        self._token = token
        self.spending = Spending()
        self.outcome = Outcome()

    async def enrol(self, owners: Sequence[int]) -> None:
        """Enrol every member, by card, at the supermarket, with the birthdays that are told."""
        at = self._clock.now()
        room = asyncio.Semaphore(ENROLMENTS_AT_ONCE)

        async def enrol_one(owner: int) -> None:
            request = member_pb.EnrolMemberRequest(
                request_id=f"enrol-{owner}",
                origin=wire.origin_of(HOME_UNIT, at),
                identities=[wire.identity_of(owner)],
            )
            async with room:
                await self._members.EnrolMember(
                    request, metadata=metadata(self._token), timeout=CALL_SECONDS
                )
                await self._tell_birthday(owner, at)

        began = perf_counter()
        await asyncio.gather(*map(enrol_one, owners))
        told = sum(told_birthday(owner) is not None for owner in owners)
        self.spending.acts.update(enrol=len(owners), birthday=told)
        self._sent(len(owners) + told, began)

    async def _tell_birthday(self, owner: int, at: Instant) -> None:
        born = told_birthday(owner)
        if born is None:
            return
        month, day = born
        request = member_pb.UpdateMemberRequest(
            request_id=f"born-{owner}",
            origin=wire.origin_of(HOME_UNIT, at),
            member=wire.member_of(owner),
            birthday=member_pb.Birthday(month=month, day=day),
        )
        await self._members.UpdateMember(
            request, metadata=metadata(self._token), timeout=CALL_SECONDS
        )

    async def pass_time(
        self,
        documents: Iterable[SourceDocument],
        *,
        begins_at: Instant,
        week_done: Callable[[int], None],
    ) -> int:
        """Let the weeks pass in which there are documents; returns how many passed."""
        weeks: dict[int, list[SourceDocument]] = defaultdict(list)
        for document in documents:
            weeks[(document.occurred_at - begins_at) // WEEK].append(document)
        last = max(weeks, default=-1)
        for week in range(last + 1):
            ends_at = begins_at + (week + 1) * WEEK
            self._clock.set(ends_at)
            sold = sorted(
                weeks.pop(week, []),
                key=lambda document: (document.occurred_at, document.document_id, document.version),
            )
            await self._send([_intended(document) for document in sold])
            await self._send(self.spending.wishes(week, ends_at - SECOND))
            await self._send(self.spending.rewards(ends_at - SECOND))
            self._clock.set(ends_at + DAY)
            await self._send(self.spending.resolutions(ends_at + DAY - SECOND))
            week_done(week + 1)
        return last + 1

    async def advance(self, owners: Iterable[int]) -> None:
        """Let everything that is due by now be recorded, for every member."""
        at = self._clock.now()
        await self._send(
            [
                Intended(wire.advance_item(owner, HOME_UNIT, at), "advance", owner, HOME_UNIT)
                for owner in owners
            ]
        )

    async def _send(self, wanted: Sequence[Intended]) -> None:
        """Send writes, several batches at once, each member's in order through one of them."""
        began = perf_counter()
        ways: list[list[Intended]] = [[] for _ in range(IN_FLIGHT)]
        for intended in wanted:
            ways[_way(intended)].append(intended)
        await asyncio.gather(*map(self._send_in_order, ways))
        self._sent(len(wanted), began)

    async def _send_in_order(self, wanted: Sequence[Intended]) -> None:
        done = 0
        for items in chunks(intended.item for intended in wanted):
            results = await send(self._ledger, items, token=self._token)
            for intended, result in zip(wanted[done : done + len(items)], results, strict=True):
                self._understand(intended, result)
            done += len(items)

    def _understand(self, intended: Intended, result: ledger_pb.BatchResult) -> None:
        if result.HasField("refusal"):
            self.outcome.refused[intended.act, reason_of(result.refusal)] += 1
            return
        if intended.owner is not None:
            self.spending.learn(intended.owner, result.posting)
        self.spending.settle(intended, result.posting)

    def _sent(self, writes: int, began: float) -> None:
        self.outcome.writes += writes
        self.outcome.seconds += perf_counter() - began


def _intended(document: SourceDocument) -> Intended:
    item = wire.document_item(document)
    act = "activity" if document.kind is Kind.ACTIVITY else "document"
    return Intended(item, act, document.owner, document.business_unit)


def _way(intended: Intended) -> int:
    if intended.owner is not None:
        return intended.owner % IN_FLIGHT
    document = intended.item.post_document.document
    return zlib.crc32(document.document_id.encode()) % IN_FLIGHT
