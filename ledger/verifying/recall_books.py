"""The book of recalls: what each set aside, gave back and took, against what it says of itself."""

from collections import Counter
from collections.abc import Iterator

from ledger.core.events import AccountFact
from ledger.core.lot_history import told_of
from ledger.core.tally import Tally
from ledger.verifying.adjustment_books import Taken
from loyalty.v1.events_pb2 import (
    ArrearsIncurred,
    ClawbackWrittenOff,
    MergeStepped,
    PendingClawedBack,
    PendingQuarantined,
    PendingQuarantineLifted,
    PointsClawedBack,
    PointsQuarantined,
    QuarantineClawedBack,
    QuarantineLifted,
    RecallMade,
)
from loyalty.v1.types_pb2 import (
    RECALL_ACTION_CLAW_BACK,
    RECALL_ACTION_QUARANTINE,
    RECALL_ACTION_RELEASE,
    RECALL_SPENT_UNSPECIFIED,
    RecallAction,
)

SetAside = PointsQuarantined | PendingQuarantined
Lifted = QuarantineLifted | PendingQuarantineLifted
Recalling = RecallMade | SetAside | Lifted | QuarantineClawedBack
Clawed = QuarantineClawedBack | PointsClawedBack | PendingClawedBack


class RecallBook:
    """Recalls of one account.

    Nothing moves for a recall that nobody made; of each lot exactly so much is set aside, given
    back, taken or charged as the recall says; none gives back or takes what it has not set aside;
    nobody is charged twice for the same points, nor for points that were never spent. Of an account
    that was merged the points may have been spent in the other one: whether they were, the book of
    merges finds.
    """

    __slots__ = ("_aside", "_charge", "_charged", "_due", "_made", "_merged", "_spent", "_total")

    def __init__(self) -> None:
        """Begin with none."""
        self._made: RecallMade | None = None
        self._due: Counter[str] = Counter()
        """By lot: what the open recall still has to move."""
        self._charge: Counter[str] = Counter()
        """By currency: what it still has to charge."""
        self._aside: Counter[tuple[str, str]] = Counter()
        """By recall and lot."""
        self._merged = False
        self._spent: Counter[str] = Counter()
        self._total: Counter[str] = Counter()
        """By lot: as spent, and never less for what came back."""
        self._charged: Counter[str] = Counter()

    def takes(self, fact: AccountFact) -> bool:
        """Whether a fact belongs here: what the open recall takes back does too."""
        if isinstance(fact, Recalling):
            return True
        made = self._made
        return isinstance(fact, Taken) and made is not None and fact.entry_id == made.entry_id

    def hear(self, fact: AccountFact) -> None:
        """Enter what tells of lots that were spent: any fact may."""
        self._merged = self._merged or isinstance(fact, MergeStepped)
        if not isinstance(fact, RecallMade):
            for told in told_of(fact):
                self._spent[told.lot_id] += told.spent
                self._total[told.lot_id] += max(0, told.spent)

    def enter(self, fact: AccountFact) -> Iterator[str]:
        """Enter a fact of a recall; yield what is wrong about it."""
        match fact:
            case RecallMade():
                yield from self.settle()
                yield from self._open(fact)
            case PointsQuarantined() | PendingQuarantined():
                yield from self._of_open(fact, RECALL_ACTION_QUARANTINE)
                yield from self._move(fact, fact.recall_id, aside=1)
            case QuarantineLifted() | PendingQuarantineLifted():
                yield from self._of_open(fact, RECALL_ACTION_RELEASE)
                yield from self._move(fact, fact.recall_id, aside=-1)
            case QuarantineClawedBack():
                yield from self._of_open(fact, RECALL_ACTION_CLAW_BACK)
                yield from self._move(fact, fact.recall_id, aside=-1)
                yield from _issuers(fact)
            case PointsClawedBack() | PendingClawedBack():
                yield from self._move(fact, "", aside=0)
                yield from _issuers(fact)
            case ArrearsIncurred() | ClawbackWrittenOff():
                self._charge[fact.currency] -= fact.points
            case _:
                raise AssertionError(f"a {type(fact).__name__} is of no recall")

    def settle(self) -> Iterator[str]:
        """Close the open recall; yield what it did not do."""
        if self._made is not None:
            for lot_id, points in self._due.items():
                if points:
                    yield f"recall {self._made.recall_id}: {points} points of {lot_id} not moved"
            for currency, points in self._charge.items():
                if points:
                    yield f"recall {self._made.recall_id}: {points} {currency} were not charged"
        self._made, self._due, self._charge = None, Counter(), Counter()

    def compare(self, tally: Tally) -> Iterator[str]:
        """Hold what the folded account has set aside against the book."""
        folded: Counter[tuple[str, str]] = Counter()
        for held in tally.holds:
            if held.recalled:
                for draw in held.draws:
                    folded[held.hold_id, draw.lot_id] += draw.points
        if folded != +self._aside:
            yield f"recalls hold {dict(folded)}, not {dict(+self._aside)}"

    def _open(self, made: RecallMade) -> Iterator[str]:
        self._made = made
        takes = made.action == RECALL_ACTION_CLAW_BACK
        for told in made.lots:
            self._due[told.lot_id] += told.taken if takes else told.quarantined
            self._charge[told.currency] += told.charged
            due = 0
            if made.spent != RECALL_SPENT_UNSPECIFIED:
                spent = told.spent if self._merged else self._spent[told.lot_id]
                due = max(0, spent - self._charged[told.lot_id])
                if told.spent != spent:
                    yield f"{told.lot_id}: {told.spent} are told as spent, {spent} were"
            # The other account of a merge may have been charged before.
            if told.charged != due and not (self._merged and told.charged < due):
                yield f"{told.lot_id}: {told.charged} points are charged, {due} are due"
            self._charged[told.lot_id] += told.charged

    def shared(self) -> tuple[Counter[str], Counter[str]]:
        """By lot, what was spent at all, and charged; empty if the account was never merged."""
        return (self._total, self._charged) if self._merged else (Counter(), Counter())

    def _of_open(
        self, fact: SetAside | Lifted | QuarantineClawedBack, action: RecallAction.ValueType
    ) -> Iterator[str]:
        made = self._made
        if made is None or (made.entry_id, made.recall_id, made.action) != (
            fact.entry_id,
            fact.recall_id,
            action,
        ):
            yield f"{fact.points} points move for recall {fact.recall_id}, which nobody made"

    def _move(
        self, fact: SetAside | Lifted | Clawed, recall_id: str, *, aside: int
    ) -> Iterator[str]:
        for draw in fact.draws:
            self._due[draw.lot_id] -= draw.points
            if aside:
                self._aside[recall_id, draw.lot_id] += aside * draw.points
                if self._aside[recall_id, draw.lot_id] < 0:
                    yield f"recall {recall_id} has not set so much of {draw.lot_id} aside"


def _issuers(fact: Clawed) -> Iterator[str]:
    for draw in fact.draws:
        if draw.issuer != fact.business_unit:
            yield f"{draw.points} points of {draw.issuer} are taken back for {fact.business_unit}"
