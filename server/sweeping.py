"""The sweeper: asks the ledger to record what time has decided, and decides nothing itself.

Each due account gets one AdvanceAccount, with a request id made of the account and the due instant.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog

from ledger.core.instant import DAY, Instant
from ledger.repeating import again_and_again
from loyalty.v1.ledger_service_pb2 import OUTCOME_REPLAYED, AdvanceAccountRequest
from loyalty.v1.types_pb2 import MemberRef, Origin
from projections.due import EVER, DueAccount, Range
from server.passes import BEHIND, Outcome, Send, outcomes_of

SWEEPER: Final = "sweeper"
"""Who asks, where nobody says otherwise: the unit, and inside the server the client too."""
PAGE: Final = 500

log = structlog.get_logger(__name__)


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

    def __init__(
        self,
        due: Due,
        send: Send[AdvanceAccountRequest],
        *,
        unit: str = SWEEPER,
        rate: int = 0,
    ) -> None:
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

        Raises PassStopped, and what `send` raises; what was answered until then is recorded.
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
            outcomes = await outcomes_of(self._send, requests)
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
        outcomes = await outcomes_of(self._send, questions)
        for question, outcome in zip(questions, outcomes, strict=True):
            if isinstance(outcome, str):
                swept.count(outcome)
            elif outcome.movements and outcome.outcome != OUTCOME_REPLAYED:
                question.validate_only = False
                needed.append(question)
        return needed

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


async def keep_sweeping(sweeper: Sweeper, *, seconds: float, metrics: SweeperMetrics) -> None:
    """Sweep again and again until cancelled; a failure is logged and the next pass goes on."""
    loop = asyncio.get_running_loop()

    async def sweep() -> None:
        began = loop.time()
        swept = await sweeper.sweep(await sweeper.now())
        metrics.swept(swept, seconds=loop.time() - began)
        if swept.asked:
            log.info(
                "swept",
                accounts=swept.accounts,
                replayed=swept.replayed,
                refused=dict(swept.refused),
            )

    await again_and_again(sweep, seconds=seconds, failed="sweep_failed")
