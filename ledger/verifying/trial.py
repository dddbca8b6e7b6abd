"""One account on trial: its facts are folded, and held against books kept beside the fold."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from ledger.core.applying import apply
from ledger.core.events import AccountFact
from ledger.core.instant import Instant
from ledger.core.lots import CorruptHistory
from ledger.core.state import OWN, Account
from ledger.core.tally import Tally
from ledger.evaluation import pinned_instant
from ledger.verifying.adjustment_books import AdjustmentBook, Moment
from ledger.verifying.books import DocumentBook, LotBook
from ledger.verifying.counting_books import CountingBook
from ledger.verifying.erasure_books import wrong_of_erasure
from ledger.verifying.findings import Finding, Reason
from ledger.verifying.hold_books import HoldBook
from ledger.verifying.lot_echoes import wrong_echo
from ledger.verifying.merge_books import Tier, changes_of, tiers_offered, wrong_step, wrong_tier
from ledger.verifying.opening_books import RowBook
from ledger.verifying.pin_books import PinBook, not_in_force
from ledger.verifying.pool_books import told_of_pools, wrong_of_pools
from ledger.verifying.reawarding import NO_TIERS, Awards
from ledger.verifying.recall_books import RecallBook
from ledger.verifying.referral_books import CauseBook
from ledger.verifying.speed_books import SpeedBook
from ledger.verifying.spending_books import SpendingBook
from ledger.verifying.transfer_books import TransferBook, is_moving
from ledger.verifying.two_sides import Told
from loyalty.v1.events_pb2 import (
    TIER_CAUSE_MERGED,
    TIER_CAUSE_UNMERGED,
    AdjustmentMade,
    DocumentMovedOut,
    DocumentPosted,
    Event,
    HoldCaptured,
    HoldReleased,
    MergeStepped,
    TierChanged,
)


def _with_field(field: str) -> frozenset[str]:
    kinds = Event.DESCRIPTOR.oneofs_by_name["kind"].fields
    messages = [kind.message_type for kind in kinds if kind.message_type is not None]
    return frozenset(each.name for each in messages if field in each.fields_by_name)


_MOVES: Final = _with_field("points")
_DRAWS: Final = _with_field("draws")
_TELLS_AVAILABLE: Final = _with_field("available_after")


class Trial:
    """Folds an account fact by fact; each reason is told once, since what follows repeats it."""

    __slots__ = (
        "_account_id",
        "_adjustments",
        "_awards",
        "_causes",
        "_counting",
        "_documents",
        "_holds",
        "_lots",
        "_openings",
        "_pins",
        "_pools",
        "_recalls",
        "_speeds",
        "_spending",
        "_tiers_offered",
        "_told",
        "_transfers",
        "last_pos",
        "sound",
        "tally",
    )

    def __init__(self, account_id: str, awards: Awards | None = None) -> None:
        """Begin with an empty account; without `awards` pins are not looked at."""
        self._account_id = account_id
        self.tally = Tally(Account(account_id))
        self.sound = True
        """Whether the fold could follow the facts so far."""
        self.last_pos = 0
        self._lots = LotBook()
        self._documents = DocumentBook()
        self._adjustments = AdjustmentBook()
        self._counting = CountingBook()
        self._holds = HoldBook(awards)
        self._pins = PinBook()
        self._openings = RowBook()
        self._causes = CauseBook(account_id)
        self._recalls = RecallBook()
        self._speeds = SpeedBook(awards)
        self._spending = SpendingBook(awards)
        self._transfers = TransferBook(account_id)
        self._pools: list[Told] = []
        self._awards = awards
        self._tiers_offered: tuple[Tier, ...] = ()
        self._told: set[Reason] = set()

    def is_part(self, owner: str) -> bool:
        """Whether an owner is one with the account: its own, or one who was merged into it."""
        return owner == OWN or owner in self.tally.parts

    def enter(
        self, fact: AccountFact, pos: int, recorded_at: Instant, occurred_at: Instant
    ) -> Iterator[Finding]:
        """Take the next fact; yield what does not match."""
        self.last_pos = pos
        if self.sound:
            recalled = self._recalls.takes(fact)
            for wrong in self._recalls.enter(fact) if recalled else ():
                yield Finding(pos, Reason.RECALL_MISMATCH, wrong)
            self._recalls.hear(fact)
            for wrong in (
                *self._holds.enter(fact, self.tally, occurred_at),
                *self._spending.enter(fact, self.tally),
                *wrong_echo(fact, self.tally),
            ):
                yield Finding(pos, Reason.BALANCE_MISMATCH, wrong)
            by_hand = not recalled and self._adjustments.takes(fact)
            if by_hand:
                for wrong in self._enter_by_hand(fact, recorded_at, occurred_at):
                    yield Finding(pos, Reason.ADJUSTMENT_MISMATCH, wrong)
            for finding in self._enter(
                fact, pos, recorded_at, of_document=not (by_hand or recalled)
            ):
                if finding.reason not in self._told:
                    self._told.add(finding.reason)
                    yield finding

    def _enter(
        self, fact: AccountFact, pos: int, recorded_at: Instant, *, of_document: bool
    ) -> Iterator[Finding]:
        for wrong in self._lots.enter(fact):
            yield Finding(pos, Reason.LOT_BELOW_ZERO, wrong)
        if self._awards is not None:
            try:
                yield from self._check_pins(fact, pos, recorded_at, self._awards)
            except ValueError as error:
                # A damaged time: the verification must go on.
                yield Finding(pos, Reason.AWARD_MISMATCH, f"pins cannot be read: {error}")
        if of_document:
            yield from self._enter_document(fact, pos)
        for wrong in self._speeds.enter(fact, recorded_at):
            yield Finding(pos, Reason.VELOCITY_MISMATCH, wrong)
        yield from self._enter_care(fact, pos)
        yield from self._enter_moving(fact, pos)
        if isinstance(fact, MergeStepped):
            yield from self._enter_step(fact, pos)
        yield from self._enter_pools(fact, pos)
        yield from self._fold(fact, pos)

    def _fold(self, fact: AccountFact, pos: int) -> Iterator[Finding]:
        try:
            apply(self.tally, fact)
        except CorruptHistory as error:
            self.sound = False
            yield Finding(pos, Reason.LOT_BELOW_ZERO, str(error))
        except Exception as error:
            # A damaged fact can break the fold in any way; the verification must go on.
            self.sound = False
            yield Finding(pos, Reason.BALANCE_MISMATCH, f"cannot be folded: {error!r}")
        else:
            for wrong in _unlike(fact, self.tally):
                yield Finding(pos, Reason.BALANCE_MISMATCH, wrong)

    def _enter_care(self, fact: AccountFact, pos: int) -> Iterator[Finding]:
        yield from self._openings.enter(fact, pos)
        if self._awards is not None:
            referral = self.tally.care.referral
            yield from self._causes.enter(fact, referral, self._awards, pos)
        for wrong in wrong_of_erasure(fact, self.tally, self._account_id):
            yield Finding(pos, Reason.ERASURE_MISMATCH, wrong)

    def _enter_document(self, fact: AccountFact, pos: int) -> Iterator[Finding]:
        posted_at = self._documents.pos
        if isinstance(fact, DocumentMovedOut):
            for wrong in self._counting.leave(fact, self.tally.counting):
                yield Finding(pos, Reason.ROOM_MISMATCH, wrong)
            for wrong in self._documents.leave(fact, pos):
                yield Finding(posted_at, Reason.AWARD_MISMATCH, wrong)
            return
        if not isinstance(fact, DocumentPosted):
            for wrong in self._documents.enter(fact):
                yield Finding(pos, Reason.AWARD_MISMATCH, wrong)
            return
        for wrong in self._counting.post(fact, self.tally.counting):
            yield Finding(pos, Reason.ROOM_MISMATCH, wrong)
        for wrong in self._documents.post(fact, pos):
            yield Finding(posted_at, Reason.AWARD_MISMATCH, wrong)

    def _enter_by_hand(
        self, fact: AccountFact, recorded_at: Instant, occurred_at: Instant
    ) -> Iterator[str]:
        policy = None
        if isinstance(fact, AdjustmentMade) and self._awards is not None:
            policy = self._awards.policy(fact.policy_digest)
            if policy is None:
                yield f"no published policy has the digest {fact.policy_digest}"
            wrong = not_in_force(
                self._awards.programme, fact.policy_digest, occurred_at, recorded_at
            )
            if wrong:
                yield wrong
        moment = Moment(occurred_at, recorded_at, self.tally.account())
        yield from self._adjustments.enter(fact, moment, policy)

    def _enter_moving(self, fact: AccountFact, pos: int) -> Iterator[Finding]:
        if not is_moving(fact):
            return
        policy, digest = None, self._transfers.digest_of(fact)
        if digest and self._awards is not None:
            policy = self._awards.policy(digest)
            if policy is None:
                missing = f"no published policy has the digest {digest}"
                yield Finding(pos, Reason.TRANSFER_MISMATCH, missing)
        since = self.tally.enrolled_at
        for wrong in self._transfers.enter(fact, pos, policy, since):
            yield Finding(pos, Reason.TRANSFER_MISMATCH, wrong)

    def _enter_step(self, step: MergeStepped, pos: int) -> Iterator[Finding]:
        account = self.tally.account()
        for wrong in wrong_step(step, account):
            yield Finding(pos, Reason.MERGE_MISMATCH, wrong)
        self._tiers_offered = tiers_offered(step, account)
        changes = changes_of(step, account)
        self._counting.merge(step, changes, self._account_id)
        self._speeds.merge(changes)

    def spent_while_merged(self) -> tuple[Counter[str], Counter[str]]:
        """By lot, what was burned and what expired, if the account was ever merged."""
        return self._lots.shared()

    def _enter_pools(self, fact: AccountFact, pos: int) -> Iterator[Finding]:
        for wrong in wrong_of_pools(fact, self.tally, self._account_id):
            yield Finding(pos, Reason.POOL_MISMATCH, wrong)
        self._pools.extend(told_of_pools(fact, self._account_id, pos))

    def said(self) -> list[Told]:
        """What the facts so far say of other accounts, for whoever hears the other side too."""
        return [*self._transfers.told, *self._pools, *self._causes.told]

    def _check_pins(
        self, fact: AccountFact, pos: int, recorded_at: Instant, awards: Awards
    ) -> Iterator[Finding]:
        terms = NO_TIERS
        if isinstance(fact, DocumentPosted) and fact.pins.policy_digest:
            digest = fact.pins.policy_digest
            terms = awards.tier_terms(digest)
            if self._pins.is_first(fact):
                at = pinned_instant(fact.pins.local_time)
                wrong = not_in_force(awards.programme, digest, at, recorded_at)
                if wrong:
                    yield Finding(pos, Reason.POLICY_NOT_IN_FORCE, wrong)
        if isinstance(fact, TierChanged):
            if fact.cause in (TIER_CAUSE_MERGED, TIER_CAUSE_UNMERGED):
                wrong = wrong_tier(fact, self._tiers_offered)
            else:
                wrong = awards.wrong_tier(fact, self.tally.account())
            if wrong:
                yield Finding(pos, Reason.TIER_MISMATCH, wrong)
        if isinstance(fact, DocumentPosted | DocumentMovedOut | TierChanged):
            yield from self._pins.enter(fact, pos, self.tally.tiers, terms)

    def recalled_while_merged(self) -> tuple[Counter[str], Counter[str]]:
        """By lot, what was spent and what recalls charged, if the account was ever merged."""
        return self._recalls.shared()

    def close(self) -> Iterator[Finding]:
        """Hold the final account against the books."""
        yield from self._pins.close()
        yield from self._openings.settle()
        yield from self._causes.close(self.tally.care.referral)
        if not self.sound:
            return
        for wrong in self._holds.close():
            yield Finding(self.last_pos, Reason.BALANCE_MISMATCH, wrong)
        for wrong in self._transfers.close():
            yield Finding(self.last_pos, Reason.TRANSFER_MISMATCH, wrong)
        for wrong in self._counting.compare(self.tally.counting):
            yield Finding(self.last_pos, Reason.ROOM_MISMATCH, wrong)
        for wrong in (*self._recalls.settle(), *self._recalls.compare(self.tally)):
            yield Finding(self.last_pos, Reason.RECALL_MISMATCH, wrong)
        for wrong in self._adjustments.settle():
            yield Finding(self.last_pos, Reason.ADJUSTMENT_MISMATCH, wrong)
        for wrong in self._documents.settle():
            yield Finding(self._documents.pos, Reason.AWARD_MISMATCH, wrong)
        for wrong in self._lots.compare(self.tally):
            if not self._told & {Reason.LOT_BELOW_ZERO, Reason.BALANCE_MISMATCH}:
                yield Finding(self.last_pos, Reason.BALANCE_MISMATCH, wrong)
                return


def _unlike(fact: Any, tally: Tally) -> Iterator[str]:
    """What a fact says of itself and of the balance after it, and is not so."""
    kind = type(fact).__name__
    if kind not in _MOVES:
        return
    # What is written off moves nothing, and may be of a currency that the member never had.
    row = tally.balances.get(fact.currency, [0, 0, 0, 0])
    if fact.points < 1:
        yield f"moves {fact.points} points"
    if kind in _DRAWS:
        yield from _wrong_draws(fact)
    if kind in _TELLS_AVAILABLE and fact.available_after != row[0]:
        yield f"available_after is {fact.available_after}, the fold has {row[0]} {fact.currency}"
    if min(row) < 0:
        yield f"the fold of {fact.currency} is below zero: {row}"
    if isinstance(fact, HoldCaptured | HoldReleased):
        yield from _wrong_hold(fact, tally)


def _wrong_draws(fact: Any) -> Iterator[str]:
    drawn = sum(draw.points for draw in fact.draws)
    if drawn != fact.points:
        yield f"draws add up to {drawn}, not {fact.points}"
    if any(draw.points < 1 for draw in fact.draws):
        yield "a draw is not above zero"


def _wrong_hold(fact: HoldCaptured | HoldReleased, tally: Tally) -> Iterator[str]:
    if any(lot.held < 0 for lot in tally.lots.items):
        yield "a lot has less than nothing held"
    left = sum(hold.points for hold in tally.holds if _is_of(hold, fact))
    if fact.hold_left != left:
        yield f"hold_left is {fact.hold_left}, the fold has {left}"


def _is_of(hold: Any, fact: HoldCaptured | HoldReleased) -> bool:
    same = hold.hold_id == fact.hold_id and hold.business_unit == fact.business_unit
    return bool(same and not hold.recalled)
