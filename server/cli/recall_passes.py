"""A recall of all accounts that have bad points: one act for each, pass after pass.

Between a look at where the points are and the act about them, points move on. So it is looked again
after a pass, until a pass finds no lot that it has not been at. Whoever ran into trouble runs it
again: what is done already is passed over, and what an act finds done moves nothing.
"""

import uuid
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from loyalty.v1 import audit_service_pb2 as audit_pb
from loyalty.v1 import ledger_service_pb2 as pb
from loyalty.v1.types_pb2 import (
    RECALL_ACTION_CLAW_BACK,
    RECALL_ACTION_QUARANTINE,
    RECALL_SPENT_UNSPECIFIED,
    MemberRef,
)
from server.cli.sending import reason_of

Post = Callable[[Sequence[pb.BatchItem]], Awaitable[list[pb.BatchResult]]]
Trace = Callable[[audit_pb.TraceLotsRequest], Awaitable[audit_pb.TraceLotsResponse]]
Shown = Callable[[int, int], None]
"""Told of accounts done, and of how many there are in this pass."""
BATCH: Final = 50
LOTS_AN_ACT: Final = 1000
PAGE: Final = 1000
PASSES_MAX: Final = 10
_Key = tuple[str, str]
"""(account, lot)"""


@dataclass(slots=True)
class Recalled:
    """What a run did."""

    accounts: int = 0
    """In which something moved."""
    points: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By kind of fact and currency."""
    refused: Counter[str] = field(default_factory=Counter)
    """By reason."""


class Recall:
    """Recalls what came of an origin, as `asked` says; its member and lots are filled in."""

    def __init__(self, post: Post, trace: Trace, asked: pb.RecallPointsRequest) -> None:
        """Act through `post`, look through `trace`."""
        self._post = post
        self._trace = trace
        self._asked = asked
        self._positions: dict[int, int] = {}

    async def traced(self, origin: audit_pb.TraceLotsRequest) -> list[audit_pb.TracedLot]:
        """All lots that came of an origin, as they stand after what this run did."""
        return [lot async for lot in self._pages(origin)]

    async def run(self, origin: audit_pb.TraceLotsRequest, shown: Shown) -> Recalled:
        """Go through all accounts, until nothing new is found."""
        recalled = Recalled()
        done: set[_Key] = set()
        for _ in range(PASSES_MAX):
            lots = [
                lot
                for lot in await self.traced(origin)
                if (lot.account_id, lot.lot_id) not in done and self.concerns(lot)
            ]
            if not lots:
                break
            await self._pass(lots, recalled, shown)
            done.update((lot.account_id, lot.lot_id) for lot in lots)
        return recalled

    def concerns(self, lot: audit_pb.TracedLot) -> bool:
        """Whether there may be something to do about a lot."""
        asked = self._asked
        if lot.converted:
            return False
        if asked.action == RECALL_ACTION_QUARANTINE:
            return lot.left > 0
        if asked.action == RECALL_ACTION_CLAW_BACK:
            uncharged = asked.spent != RECALL_SPENT_UNSPECIFIED and lot.spent > lot.charged
            return lot.left > 0 or lot.quarantined > 0 or uncharged
        return lot.quarantined > 0

    async def _pages(self, origin: audit_pb.TraceLotsRequest) -> AsyncIterator[audit_pb.TracedLot]:
        request = audit_pb.TraceLotsRequest()
        request.CopyFrom(origin)
        request.page_size = PAGE
        request.min_positions.extend(f"{lane}-{pos}" for lane, pos in self._positions.items())
        while True:
            page = await self._trace(request)
            for lot in page.lots:
                yield lot
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def _pass(
        self, lots: Iterable[audit_pb.TracedLot], recalled: Recalled, shown: Shown
    ) -> None:
        by_account: dict[str, list[str]] = defaultdict(list)
        for lot in lots:
            by_account[lot.account_id].append(lot.lot_id)
        acts = [(account, part) for account, named in by_account.items() for part in _parts(named)]
        touched = set()
        for begin in range(0, len(acts), BATCH):
            some = acts[begin : begin + BATCH]
            items = [self._item(account, named) for account, named in some]
            for (account, _), result in zip(some, await self._post(items), strict=True):
                if self._tell(result, recalled):
                    touched.add(account)
            shown(begin + len(some), len(acts))
        recalled.accounts += len(touched)

    def _item(self, account: str, lots: Sequence[str]) -> pb.BatchItem:
        item = pb.BatchItem(recall_points=self._asked)
        request = item.recall_points
        # Each act finds by itself what is left to do, so that its id need not be found again.
        request.request_id = str(uuid.uuid4())
        request.member.CopyFrom(MemberRef(member_id=account))
        request.lot_ids.extend(lots)
        return item

    def _tell(self, result: pb.BatchResult, recalled: Recalled) -> bool:
        """Count a result; whether something moved."""
        if result.HasField("refusal"):
            recalled.refused[reason_of(result.refusal)] += 1
            return False
        lane, _, pos = result.posting.position.partition("-")
        self._positions[int(lane)] = max(int(pos), self._positions.get(int(lane), 0))
        for moved in result.posting.movements:
            recalled.points[moved.kind, moved.currency] += moved.points
        return bool(result.posting.movements)


def _parts(lots: Sequence[str]) -> Iterator[Sequence[str]]:
    for begin in range(0, len(lots), LOTS_AN_ACT):
        yield lots[begin : begin + LOTS_AN_ACT]
