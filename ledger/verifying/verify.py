"""Verification: everything that the history says of itself is worked out again, and compared.

Lane by lane, in position order: positions and versions without gaps, times that rise, leaf hashes,
typed columns, known kinds, the fold of every account beside independent books, and every award
under its pins. What was recorded after the check began is not looked at. Memory holds the accounts,
open and closed lots and newest grants of one lane at a time.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Final, NamedTuple, cast

from google.protobuf.message import DecodeError

from ledger.core.care import Referral
from ledger.core.counting import document_key
from ledger.core.events import (
    AccountFact,
    AnyFact,
    PolicyFact,
    UnknownKind,
    decode,
)
from ledger.core.instant import Instant, to_datetime
from ledger.digests import StateDigest
from ledger.envelope import StoredEvent, leaf_hash
from ledger.lanes import account_of, lane_of
from ledger.log import LaneEnds, Log
from ledger.purses import is_deed
from ledger.tree import Frontier
from ledger.verifying.findings import Finding, Findings, Reason
from ledger.verifying.merge_books import MergeBook, Place
from ledger.verifying.move_book import LaneMoves, MoveBook
from ledger.verifying.opening_books import SourceBook
from ledger.verifying.period_books import PeriodBooks
from ledger.verifying.pin_books import PinBook
from ledger.verifying.policy_trial import Contents, PolicyTrial
from ledger.verifying.pool_books import unmatched_pools
from ledger.verifying.purse_books import PurseBook
from ledger.verifying.reawarding import Awards
from ledger.verifying.referral_books import RewardBook, unexplained_losses
from ledger.verifying.row_checks import at_home, wrong_row
from ledger.verifying.transfer_books import unmatched_transfers
from ledger.verifying.trial import Trial
from ledger.verifying.two_sides import Sides
from loyalty.v1.audit_service_pb2 import LaneRoot, VerifyHistoryResponse
from loyalty.v1.events_pb2 import (
    BudgetUsed,
    DocumentClaimed,
    DocumentMovedOut,
    DocumentPosted,
    OpeningRecorded,
    OpeningSourceDeclared,
    ReferralCauseChanged,
)

PAGE: Final = 500
"""Events read at once."""
TURN: Final = 50
"""Events checked at once: one or two milliseconds, in which the event loop serves nobody else."""
PROGRESS_EVERY: Final = 20_000


async def verify(log: Log, *, skip_awards: bool) -> AsyncIterator[VerifyHistoryResponse]:
    """Check the history as it stands now; progress as it goes, the last word has `done` set."""
    ends = await log.lane_ends()
    policies = await log.policy_events()
    periods = PeriodBooks(await log.period_events(), lanes=log.lanes)
    # In a thread, since policies are compiled for it: long enough to be felt at the tills.
    awards = None if skip_awards else await asyncio.to_thread(Awards, policies)
    contents = await asyncio.to_thread(Contents, [payload for _, _, payload in policies])
    check = _Check(log.lanes, awards, contents, periods)
    total = sum(end.next_pos for end in ends)
    for lane, pos in await log.stray_events():
        stray = Finding(pos, Reason.POSITION_GAP, f"there is no lane {lane}")
        check.findings.add(lane, stray)
    told = 0
    for end in ends:
        check.begin(end)
        async for page in _pages(log, end):
            for begin in range(0, len(page), TURN):
                check.take(page[begin : begin + TURN])
                await asyncio.sleep(0)
            if check.events - told >= PROGRESS_EVERY:
                told = check.events
                yield check.progress(total)
        check.end(end)
    await check.close(log)
    last = check.progress(total)
    last.done = True
    last.lane_roots.extend(check.roots)
    last.state_digest = check.states.hexdigest()
    yield last


async def _pages(log: Log, end: LaneEnds) -> AsyncIterator[list[StoredEvent]]:
    """What stood in a lane when the check began, whatever its positions are."""
    if end.first_pos is None or end.last_pos is None:
        return
    pos, last = end.first_pos, end.last_pos
    while pos <= last:
        page = [event for event in await log.page(end.lane, pos, PAGE) if event.pos <= last]
        if not page:
            return
        pos = page[-1].pos + 1
        yield page


class _Check:
    """What was checked so far, in all lanes."""

    def __init__(
        self, lanes: int, awards: Awards | None, contents: Contents, periods: PeriodBooks
    ) -> None:
        self.lanes = lanes
        self.contents = contents
        self.periods = periods
        self.awards = awards
        self.findings = Findings()
        self.states = StateDigest()
        self.roots: list[LaneRoot] = []
        self.events = 0
        self.purses = PurseBook()
        self.moves = MoveBook()
        self.merges = MergeBook()
        self.rewards = RewardBook()
        self.sides = Sides()
        self.sources = SourceBook()
        self._lane = _Lane(0, self)

    def begin(self, end: LaneEnds) -> None:
        self._lane = _Lane(end.lane, self)

    def take(self, events: list[StoredEvent]) -> None:
        lane = self._lane
        for event in events:
            for finding in lane.enter(event):
                self.findings.add(lane.lane, finding)
        lane.grow_tree()
        self.events += len(events)

    def end(self, end: LaneEnds) -> None:
        lane = self._lane
        for finding in lane.close(end):
            self.findings.add(lane.lane, finding)
        for trial in lane.trials.values():
            self.sides.hear(trial.said(), lane.lane)
            self.merges.spent(*trial.spent_while_merged())
            self.merges.recalled(*trial.recalled_while_merged())
            if trial.sound:
                self.states.add(trial.tally.account())
        size = lane.tree.size
        self.roots.append(LaneRoot(lane=lane.lane, size=size, root=lane.tree.root()))

    async def close(self, log: Log) -> None:
        """Hold the lanes against each other."""
        moved = await asyncio.to_thread(list, self.moves.close())
        sources = await asyncio.to_thread(list, self.sources.close())
        transfers = await asyncio.to_thread(list, unmatched_transfers(self.sides))
        pools = await asyncio.to_thread(list, unmatched_pools(self.sides))
        rewards = await asyncio.to_thread(list, self.rewards.close())
        losses = await asyncio.to_thread(list, unexplained_losses(self.sides))
        merges = await self.merges.close(log, self.awards)
        across = (*moved, *sources, *transfers, *pools, *rewards, *losses, *merges)
        for lane, finding in (*self.purses.close(), *across):
            self.findings.add(lane, finding)

    def progress(self, total: int) -> VerifyHistoryResponse:
        return VerifyHistoryResponse(
            events_checked=self.events,
            events_total=total,
            awards_checked=0 if self.awards is None else self.awards.checked,
            divergences=self.findings.divergences,
        )


class _Last(NamedTuple):
    """What is remembered of the event before."""

    pos: int
    recorded_at: Instant


class _Lane:
    """A lane while it is checked."""

    def __init__(self, lane: int, check: _Check) -> None:
        self.lane = lane
        self.tree = Frontier()
        self.trials: dict[str, Trial] = {}
        self._lanes, self._awards = check.lanes, check.awards
        self._policies = PolicyTrial(check.contents)
        self._purses = check.purses
        self._moves = LaneMoves(lane, check.moves)
        self._merges = check.merges
        self._periods = check.periods
        self._sources = check.sources
        self._rewards = check.rewards
        self._firsts: dict[tuple[str, str], DocumentPosted] = {}
        """By stream and document."""
        self._firsts_of: dict[tuple[str, str], str] = {}
        """The account in whose stream the first one stands, where that is another."""
        self._nobodys = PinBook()
        """Pins of documents without a member."""
        self._versions: dict[str, int] = {}
        self._leaves = bytearray()
        self._last = _Last(-1, -(2**62))

    def enter(self, event: StoredEvent) -> Iterator[Finding]:
        """Check one event; yield what does not match."""
        yield from self._place(event)
        follows = self._follows(event)
        if not follows:
            due = self._versions.get(event.stream, 0) + 1
            detail = f"{event.stream} has version {event.version} where {due} is due"
            yield Finding(event.pos, Reason.VERSION_GAP, detail)
        self._versions[event.stream] = event.version
        yield from self._hash(event)
        try:
            fact = decode(event.payload)
        except (UnknownKind, DecodeError) as error:
            self._distrust(event.stream)
            yield Finding(event.pos, Reason.UNKNOWN_KIND, f"kind {event.kind}: {error}")
            return
        yield from wrong_row(event, fact)
        if not follows:
            # With an event missing, the rest of the fold would only repeat that.
            self._distrust(event.stream)
        try:
            yield from self._periods.enter(fact, event)
            yield from self._meaning(event, fact)
        except Exception as error:
            # A damaged fact can break any book in any way; the verification must go on.
            self._distrust(event.stream)
            detail = f"a {type(fact).__name__} that cannot be followed: {error!r}"
            yield Finding(event.pos, Reason.BALANCE_MISMATCH, detail)

    def _place(self, event: StoredEvent) -> Iterator[Finding]:
        """The event's place among its neighbours."""
        last, pos = self._last, event.pos
        if pos != last.pos + 1:
            detail = f"position {last.pos + 1} is due, {pos} follows"
            yield Finding(last.pos + 1, Reason.POSITION_GAP, detail)
        if event.recorded_at <= last.recorded_at:
            detail = f"recorded_at {to_datetime(event.recorded_at)} is not after the event before"
            yield Finding(pos, Reason.COLUMN_MISMATCH, detail)
        self._last = _Last(pos, event.recorded_at)
        if lane_of(event.stream, self._lanes) != self.lane:
            detail = f"{event.stream} belongs to lane {lane_of(event.stream, self._lanes)}"
            yield Finding(pos, Reason.COLUMN_MISMATCH, detail)

    def _follows(self, event: StoredEvent) -> bool:
        return event.version == self._versions.get(event.stream, 0) + 1

    def _hash(self, event: StoredEvent) -> Iterator[Finding]:
        try:
            leaf = leaf_hash(event)
        except Exception as error:
            # A column out of its range: there is no envelope that it could have been hashed in.
            self._leaves += event.leaf_hash
            yield Finding(event.pos, Reason.HASH_MISMATCH, f"has no envelope: {error}")
            return
        self._leaves += leaf
        if leaf != event.leaf_hash:
            detail = f"leaf_hash is {event.leaf_hash.hex()}, the row hashes to {leaf.hex()}"
            yield Finding(event.pos, Reason.HASH_MISMATCH, detail)

    def _distrust(self, stream: str) -> None:
        account_id = account_of(stream)
        if account_id:
            self.trials.setdefault(stream, Trial(account_id)).sound = False

    def _meaning(self, event: StoredEvent, fact: AnyFact) -> Iterator[Finding]:
        account_id = account_of(event.stream)
        if account_id:
            trial = self.trials.get(event.stream)
            if trial is None:
                trial = self.trials[event.stream] = Trial(account_id, self._awards)
            yield from trial.enter(
                cast(AccountFact, fact), event.pos, event.recorded_at, event.occurred_at
            )
        elif not at_home(event.stream, fact):
            detail = f"a {type(fact).__name__} does not belong in {event.stream}"
            yield Finding(event.pos, Reason.COLUMN_MISMATCH, detail)
        elif isinstance(fact, PolicyFact):
            entered = self._policies.enter(fact, stream=event.stream, recorded_at=event.recorded_at)
            for wrong in entered:
                yield Finding(event.pos, Reason.POLICY_MISMATCH, wrong)
        elif isinstance(fact, BudgetUsed):
            yield from self._purses.enter(fact, event.stream, self.lane, event.pos)
        elif isinstance(fact, OpeningSourceDeclared):
            yield from self._sources.declare(fact, event.stream, self.lane, event.pos)
        yield from self._beyond_account(event, fact)

    def _beyond_account(self, event: StoredEvent, fact: AnyFact) -> Iterator[Finding]:
        """Enter what is held against other streams."""
        account_id = account_of(event.stream)
        if account_id:
            place = Place(self.lane, event.pos)
            self._merges.enter(cast(AccountFact, fact), account_id, place)
        if isinstance(fact, OpeningRecorded):
            self._sources.enter(fact, self.lane, event.pos)
        elif isinstance(fact, ReferralCauseChanged):
            self._rewards.change(fact, self._referral(event.stream), self.lane, event.pos)
        elif isinstance(fact, DocumentPosted):
            yield from self._document(event, fact)
        elif isinstance(fact, DocumentClaimed | DocumentMovedOut):
            yield from self._leave(event, fact)
        elif is_deed(fact):
            self._purses.post(fact, self.lane, event.pos)

    def _document(self, event: StoredEvent, posted: DocumentPosted) -> Iterator[Finding]:
        document = posted.document
        key = document_key(posted.business_unit, document.source, document.document_id)
        yield from self._moves.post(posted, key, event, self.trials.get(event.stream))
        self._purses.post(posted, self.lane, event.pos)
        if not account_of(event.stream):
            yield from self._of_nobody(event, posted)
            return
        self._rewards.post(posted, account_of(event.stream), self.lane, event.pos)
        if self._awards and posted.pins.policy_digest:
            difference = self._difference((event.stream, key), posted, self._awards, event.pos)
            if difference:
                yield Finding(event.pos, Reason.AWARD_MISMATCH, difference)

    def _of_nobody(self, event: StoredEvent, posted: DocumentPosted) -> Iterator[Finding]:
        if posted.grants or posted.usages or posted.numbers or posted.benefits:
            detail = "a document without a member gives nobody anything"
            yield Finding(event.pos, Reason.AWARD_MISMATCH, detail)
        if self._awards is not None and posted.pins.policy_digest:
            try:
                yield from self._nobodys.enter_of_nobody(
                    posted, event.pos, event.recorded_at, self._awards.programme
                )
            except ValueError as error:
                detail = f"pins cannot be read: {error}"
                yield Finding(event.pos, Reason.AWARD_MISMATCH, detail)

    def _referral(self, stream: str) -> Referral | None:
        trial = self.trials.get(stream)
        return None if trial is None else trial.tally.care.referral

    def _leave(
        self, event: StoredEvent, left: DocumentClaimed | DocumentMovedOut
    ) -> Iterator[Finding]:
        yield from self._moves.leave(left, event.stream, event.pos)
        self._forget_first((event.stream, left.document))
        if isinstance(left, DocumentMovedOut):
            self._purses.post(left, self.lane, event.pos)

    def _difference(
        self, key: tuple[str, str], posted: DocumentPosted, awards: Awards, pos: int
    ) -> str:
        """How a version differs from what it gives when it is evaluated again."""
        if not awards.needs_first(posted.pins.policy_digest):
            return awards.difference(posted)
        if posted.HasField("arrival"):
            self._forget_first(key)
        if posted.HasField("before") and posted.before.posted.pinned:
            self._firsts_of[key] = posted.before.account_id
        if key in self._firsts_of:
            place = Place(self.lane, pos)
            self._merges.reckon(posted, self._firsts_of[key], place)
            return ""
        # The first final version, from which later ones are reckoned.
        first = self._firsts.get(key)
        if first is None and posted.pinned:
            self._firsts[key] = posted
        return awards.difference(posted, first)

    def _forget_first(self, key: tuple[str, str]) -> None:
        self._firsts.pop(key, None)
        self._firsts_of.pop(key, None)

    def grow_tree(self) -> None:
        """Hash the leaves gathered since the last time into the tree."""
        self.tree.extend(bytes(self._leaves))
        self._leaves.clear()

    def close(self, end: LaneEnds) -> Iterator[Finding]:
        """Hold the lane against its head, and every account against its books."""
        next_pos = self._last.pos + 1
        if next_pos < end.next_pos:
            detail = f"the lane goes to {end.next_pos}, its events end before {next_pos}"
            yield Finding(next_pos, Reason.POSITION_GAP, detail)
        elif next_pos > end.next_pos:
            detail = f"the lane goes to {end.next_pos} only"
            yield Finding(end.next_pos, Reason.POSITION_GAP, detail)
        elif next_pos and end.last_recorded_at != self._last.recorded_at:
            detail = "the lane's last_recorded_at is not that of its last event"
            yield Finding(self._last.pos, Reason.COLUMN_MISMATCH, detail)
        yield from self._periods.close(self.lane, next_pos)
        for trial in self.trials.values():
            yield from trial.close()
