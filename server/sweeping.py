"""The sweeper: asks the ledger to record what time has decided, and decides nothing itself.

Each due account gets one AdvanceAccount with a request id made of the account and the due instant,
so that a second sweeper, or the same one after a crash, only repeats requests that are answered
with their first answer. There is nothing to remember and nothing to lock.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog

from ledger.core.instant import DAY, SECOND, Instant
from ledger.core.refusals import Refusal
from ledger.service import Ledger
from loyalty.v1.ledger_service_pb2 import (
    OUTCOME_REPLAYED,
    AdvanceAccountRequest,
    Posting,
)
from loyalty.v1.types_pb2 import MemberRef, Origin
from projections.due import EVER, DueAccount, Range

SWEEPER: Final = "sweeper"
"""Who asks, where nobody says otherwise: the unit, and inside the server the client too."""
PAGE: Final = 500
BEHIND: Final = SECOND
"""A request id counts once, so no request may come before the writer's clock has reached its due
instant. That clock is at most half a second from the database's, else nothing is written."""

Outcome = Posting | str
"""An answer, or the reason of a refusal."""
Send = Callable[[Sequence[AdvanceAccountRequest]], Awaitable[list[Outcome]]]
"""Hands requests to a ledger behind whatever waits there; outcomes by index."""

_LATER: Final = frozenset({"NOT_SERVING", "QUEUE_FULL", "DEADLINE_PASSED"})
"""Reasons for which the ledger takes nothing at present: clocks that differ, a drain, a crowd."""

log = structlog.get_logger(__name__)


class SweepStopped(Exception):
    """The ledger takes nothing at present. The next pass goes on where this one ended."""

    def __init__(self, reason: str) -> None:
        """Keep the reason of the refusal."""
        super().__init__(f"the ledger takes no writes at present: {reason}")
        self.reason = reason


@dataclass(slots=True)
class Swept:
    """What a pass did."""

    accounts: int = 0
    """For which something may have been recorded now."""
    replayed: int = 0
    """Which another sweeper, or an earlier pass, had asked for already."""
    moved: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Points by (kind of movement, point currency)."""
    refused: Counter[str] = field(default_factory=Counter)
    """Accounts by the reason of their refusal."""

    def count(self, outcome: Outcome) -> None:
        """Count what became of one request; an account counts once, when all is done with it."""
        if isinstance(outcome, str):
            self.refused[outcome] += 1
            return
        again = outcome.outcome == OUTCOME_REPLAYED
        if not again:
            for movement in outcome.movements:
                self.moved[movement.kind, movement.currency] += movement.points
        if not outcome.more:
            self.replayed += again
            self.accounts += not again

    @property
    def asked(self) -> int:
        """Accounts that were dealt with."""
        return self.accounts + self.replayed + self.refused.total()


class Due(Protocol):
    """Knows for which accounts time has decided something."""

    async def now(self) -> Instant:
        """The clock that dues are judged by."""
        ...

    async def page(self, wanted: Range, *, last: DueAccount | None, limit: int) -> list[DueAccount]:
        """The next due accounts behind `last`, by due instant; each account once."""
        ...

    async def count(self, wanted: Range) -> int:
        """How many accounts are due."""
        ...

    async def awaited(self, *, limit: int) -> list[str]:
        """Accounts with an identity that a document without a member waits for."""
        ...

    async def forget_awaited(self, until: Instant) -> None:
        """Let documents wait no longer that can be claimed no more."""
        ...


class SweeperMetrics(Protocol):
    """What the sweeper tells whoever measures it."""

    def swept(self, swept: Swept, *, seconds: float) -> None:
        """A pass is over."""


class Shown(Protocol):
    """What the sweeper tells whoever watches it."""

    def __call__(self, done: int, *, total: int) -> None:
        """So many of the accounts of a pass are done."""


class Sweeper:
    """Goes through due accounts page by page, oldest first."""

    def __init__(self, due: Due, send: Send, *, unit: str = SWEEPER, rate: int = 0) -> None:
        """Send at most `rate` requests a second; 0: as fast as they are answered."""
        self._due = due
        self._send = send
        self._unit = unit
        self._rate = rate
        self._seen: Instant = EVER
        """Until when parts that may be due were asked about."""

    async def now(self) -> Instant:
        """The newest instant until which can be swept, by the database's clock."""
        return await self._due.now() - BEHIND

    async def sweep(self, until: Instant, *, shown: Shown | None = None) -> Swept:
        """Let everything be recorded that fell due by `until`, which must have passed.

        Raises SweepStopped, and what `send` raises; what was answered until then is recorded.
        """
        midnight = until // DAY * DAY
        due = Range(early=False, after=EVER, until=until)
        # Where only the earliest possible instant is known, the question is put then, and again
        # each midnight: a member whom a tier protects for years is not asked about every minute.
        after = self._seen if self._seen >= midnight else EVER
        may_be_due = Range(early=True, after=after, until=until)
        total = await self._due.count(due) + await self._due.count(may_be_due)
        swept = Swept()
        done = 0
        for wanted in (due, may_be_due):
            last: DueAccount | None = None
            while page := await self._page(wanted, last):
                began = asyncio.get_running_loop().time()
                asked = await self._ask(page, swept, wanted, midnight)
                last = page[-1]
                done += len(page)
                if shown is not None:
                    shown(done, total=max(total, done))
                await self._pace(asked, began)
        await self._credit(until, swept)
        self._seen = max(self._seen, until)
        return swept

    async def _credit(self, until: Instant, swept: Swept) -> None:
        """Let documents be credited that wait for what members are known by.

        Whoever enrols is credited at once. Left are those that were posted at the same moment by
        another process, and the rest of very many.
        """
        await self._due.forget_awaited(until)
        accounts = await self._due.awaited(limit=min(PAGE, self._rate or PAGE))
        await self._finish(
            [self._request(account, until, why="credit") for account in accounts], swept
        )

    async def _page(self, wanted: Range, last: DueAccount | None) -> list[DueAccount]:
        limit = min(PAGE, self._rate or PAGE)
        return await self._due.page(wanted, last=last, limit=limit)

    async def _ask(
        self, page: Sequence[DueAccount], swept: Swept, wanted: Range, midnight: Instant
    ) -> int:
        """Let a page be recorded; how many requests that took."""
        if not wanted.early:
            return await self._finish([self._request(due.account, due.at) for due in page], swept)
        questions = [self._request(due.account, max(due.at, midnight)) for due in page]
        needed = await self._needed(questions, swept)
        return len(questions) + await self._finish(needed, swept)

    async def _finish(self, requests: Sequence[AdvanceAccountRequest], swept: Swept) -> int:
        """Ask until nothing more is due: a merge is brought to its end step by step, each a commit.

        The steps' ids follow from the first one's, so that whoever repeats them takes none twice.
        """
        ids = {request.member.member_id: request.request_id for request in requests}
        asked, step = 0, 0
        while requests:
            outcomes = await self._sent(requests)
            asked, step = asked + len(requests), step + 1
            again: list[AdvanceAccountRequest] = []
            for request, outcome in zip(requests, outcomes, strict=True):
                swept.count(outcome)
                if not isinstance(outcome, str) and outcome.more:
                    account = request.member.member_id
                    again.append(self._named(f"{ids[account]}/{step}", account))
            requests = again
        return asked

    async def _needed(
        self, questions: Sequence[AdvanceAccountRequest], swept: Swept
    ) -> list[AdvanceAccountRequest]:
        """Those of the requests that would record something: the others shall not use up an id."""
        for question in questions:
            question.validate_only = True
        needed: list[AdvanceAccountRequest] = []
        outcomes = await self._sent(questions)
        for question, outcome in zip(questions, outcomes, strict=True):
            if isinstance(outcome, str):
                swept.count(outcome)
            elif outcome.movements and outcome.outcome != OUTCOME_REPLAYED:
                question.validate_only = False
                needed.append(question)
        return needed

    async def _sent(self, requests: Sequence[AdvanceAccountRequest]) -> list[Outcome]:
        outcomes = await self._send(requests)
        for outcome in outcomes:
            if isinstance(outcome, str) and outcome in _LATER:
                raise SweepStopped(outcome)
        return outcomes

    def _request(self, account: str, at: Instant, *, why: str = "sweep") -> AdvanceAccountRequest:
        return self._named(f"{why}/{account}/{at}", account)

    def _named(self, request_id: str, account: str) -> AdvanceAccountRequest:
        return AdvanceAccountRequest(
            request_id=request_id,
            origin=Origin(business_unit=self._unit),
            member=MemberRef(member_id=account),
        )

    async def _pace(self, accounts: int, began: float) -> None:
        if self._rate:
            spent = asyncio.get_running_loop().time() - began
            await asyncio.sleep(max(0.0, accounts / self._rate - spent))


def into(ledger: Ledger) -> Send:
    """Send to a ledger of this process, behind the tills."""

    async def send(requests: Sequence[AdvanceAccountRequest]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for answer in await ledger.write_batch(requests, client=SWEEPER):
            if isinstance(answer, Refusal):
                outcomes.append(answer.reason)
            else:
                assert isinstance(answer.message, Posting), "an advance is answered with a posting"
                outcomes.append(answer.message)
        return outcomes

    return send


async def keep_sweeping(sweeper: Sweeper, *, seconds: float, metrics: SweeperMetrics) -> None:
    """Sweep again and again until cancelled; a failure is logged and the next pass goes on."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(seconds)
        began = loop.time()
        try:
            swept = await sweeper.sweep(await sweeper.now())
        except Exception as error:
            log.warning("sweep_failed", error=str(error) or type(error).__name__)
            continue
        metrics.swept(swept, seconds=loop.time() - began)
        if swept.asked:
            log.info(
                "swept",
                accounts=swept.accounts,
                replayed=swept.replayed,
                refused=dict(swept.refused),
            )
