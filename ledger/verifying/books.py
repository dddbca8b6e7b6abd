"""Books kept beside the fold, as an auditor would: a fold that is wrong cannot agree with them.

The lot book: what was issued of every lot and debt, and what is left of it. The document book: what
a document gives, against the lots that were made and taken for it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from ledger.core.counting import document_key
from ledger.core.events import AccountFact
from ledger.core.state import NOTHING
from ledger.core.tally import Tally
from loyalty.v1.events_pb2 import (
    AdjustmentMade,
    ArrearsIncurred,
    ArrearsRepaid,
    BurnReversed,
    ClawbackWrittenOff,
    ConvertedPointsIssued,
    DebtsMovedIn,
    DebtsMovedOut,
    DocumentBefore,
    DocumentMovedOut,
    DocumentPosted,
    HoldCaptured,
    HoldMovedIn,
    HoldMovedOut,
    LotReinstated,
    LotsMovedIn,
    LotsMovedOut,
    MergeStepped,
    OpeningLotRecorded,
    PendingClawedBack,
    PendingMovedIn,
    PendingMovedOut,
    PointsAdjusted,
    PointsBurned,
    PointsClawedBack,
    PointsConverted,
    PointsEarned,
    PointsExpired,
    PointsPended,
    PointsReceived,
    QuarantineClawedBack,
    ReversalReversed,
    TransferCompleted,
)
from loyalty.v1.types_pb2 import Draw, Grant, LotLife, MovedDebt, MovedLot

Grants = Counter[tuple[str, str]]
"""Points by (currency, tier window)."""
_Made = (
    PointsEarned
    | PointsPended
    | OpeningLotRecorded
    | PointsAdjusted
    | ConvertedPointsIssued
    | MovedLot
)
LotTerms = tuple[str, str, str, int, int, bytes, str]
"""(currency, funder, tier window, end in seconds and nanoseconds, life, campaign)."""


class LotBook:
    """Lot identity and debt identity of one account.

    Of a lot, issued or moved in: issued = left (in transit too) + burned net + expired net + clawed
    back + repaid + converted + moved out. What comes back to an account that was merged may have
    been spent in the other one: whether it was, the book of merges finds. Otherwise never less than
    nothing of it is gone, never more than all, and nothing comes back that had not expired. Of a
    debt: incurred = open + repaid. Closed lots stay in the book: a reversal may open them again.
    """

    __slots__ = (
        "_away",
        "_back",
        "_burned",
        "_by_hand",
        "_debts",
        "_expired",
        "_issued",
        "_left",
        "_merged",
    )

    def __init__(self) -> None:
        """Begin with an empty account."""
        self._issued: dict[str, int] = {}
        self._left: dict[str, int] = {}
        self._debts: dict[str, int] = {}
        self._expired: Counter[str] = Counter()
        self._back: Counter[tuple[str, str]] = Counter()
        """By (entry, lot): what came back for a burn that has not drawn it yet."""
        self._by_hand = ""
        """The last adjustment: what comes back by it may stay."""
        self._merged = False
        """Whether it was ever merged with another: what was burned there comes back here."""
        self._away: Counter[str] = Counter()
        """By lot, what moved to the other account of a merge and did not come back."""
        self._burned: Counter[str] = Counter()

    def enter(self, fact: AccountFact) -> Iterator[str]:  # noqa: C901 - one arm per shape of fact
        """Enter a fact; yield what is wrong about it."""
        match fact:
            case PointsEarned() if fact.tier_window and fact.lot_id in self._issued:
                # Qualifying points join the lot of their window.
                self._issued[fact.lot_id] += fact.points
                self._left[fact.lot_id] += fact.points
            case (
                PointsEarned()
                | PointsPended()
                | OpeningLotRecorded()
                | PointsAdjusted()
                | ConvertedPointsIssued()
            ):
                yield from self._issue(fact)
            case PointsReceived():
                for lot in fact.lots:
                    yield from self._issue(lot)
            case PointsBurned():
                yield from self._take(fact.draws)
                for draw in fact.draws:
                    self._draw_back(fact.entry_id, draw)
                    self._burned[draw.lot_id] += draw.points
            case ReversalReversed() | HoldCaptured():
                yield from self._take(fact.draws)
                for draw in fact.draws:
                    self._burned[draw.lot_id] += draw.points
            case (
                PointsClawedBack()
                | PendingClawedBack()
                | QuarantineClawedBack()
                | PointsConverted()
                | TransferCompleted()
            ):
                yield from self._take(fact.draws)
            case PointsExpired():
                yield from self._change(fact.lot_id, -fact.points)
                self._expired[fact.lot_id] += fact.points
            case AdjustmentMade():
                self._by_hand = fact.entry_id
            case LotReinstated():
                yield from self._reinstate(fact)
            case BurnReversed():
                for draw in fact.draws:
                    yield from self._give_back(draw.lot_id, draw.points)
                    self._burned[draw.lot_id] -= draw.points
            case MergeStepped():
                self._merged = True
            case LotsMovedOut() | PendingMovedOut() | HoldMovedOut():
                yield from self._take(fact.draws)
                for draw in fact.draws:
                    self._away[draw.lot_id] += draw.points
            case LotsMovedIn() | PendingMovedIn() | HoldMovedIn():
                self._move_in(fact.lots)
            case DebtsMovedOut():
                for debt in fact.debts:
                    yield from self._repay(debt)
            case DebtsMovedIn():
                for debt in fact.debts:
                    self._debts[debt.debt_id] = self._debts.get(debt.debt_id, 0) + debt.points
            case ArrearsIncurred():
                if fact.debt_id in self._debts:
                    yield f"debt {fact.debt_id} was incurred before"
                self._debts[fact.debt_id] = fact.points
            case ArrearsRepaid():
                yield from self._take(fact.draws)
                yield from self._repay(fact)
            case _:
                pass  # Other facts move points inside a lot, or none at all.

    def _issue(self, lot: _Made) -> Iterator[str]:
        if lot.lot_id in self._issued:
            yield f"lot {lot.lot_id} was issued before"
        self._issued[lot.lot_id] = self._left[lot.lot_id] = lot.points

    def _move_in(self, lots: Iterable[MovedLot]) -> None:
        """Make the lots that came, or add to those that are here; what had left comes back."""
        for lot in lots:
            back = min(self._away[lot.lot_id], lot.points)
            self._away[lot.lot_id] -= back
            self._issued[lot.lot_id] = self._issued.get(lot.lot_id, 0) + lot.points - back
            self._left[lot.lot_id] = self._left.get(lot.lot_id, 0) + lot.points

    def _give_back(self, lot_id: str, points: int) -> Iterator[str]:
        """Give a burn back; whether another account made it, all of them together tell."""
        if self._merged:
            left = self._left.get(lot_id, 0) + points
            self._left.setdefault(lot_id, 0)
            self._issued[lot_id] = max(self._issued.get(lot_id, 0), left)
        yield from self._change(lot_id, points)

    def shared(self) -> tuple[Counter[str], Counter[str]]:
        """By lot, what was burned and what expired, less what came back; empty if never merged."""
        return (self._burned, self._expired) if self._merged else (Counter(), Counter())

    def _reinstate(self, fact: LotReinstated) -> Iterator[str]:
        yield from self._give_back(fact.lot_id, fact.points)
        self._expired[fact.lot_id] -= fact.points
        if self._expired[fact.lot_id] < 0 and not self._merged:
            yield f"more of lot {fact.lot_id} came back than had expired"
        if fact.entry_id != self._by_hand:
            self._back[fact.entry_id, fact.lot_id] += fact.points

    def _draw_back(self, entry_id: str, draw: Draw) -> None:
        key = entry_id, draw.lot_id
        if key in self._back:
            self._back[key] -= draw.points
            if self._back[key] <= 0:
                del self._back[key]

    def _take(self, draws: Iterable[Draw]) -> Iterator[str]:
        for draw in draws:
            yield from self._change(draw.lot_id, -draw.points)

    def _change(self, lot_id: str, points: int) -> Iterator[str]:
        issued = self._issued.get(lot_id)
        if issued is None:
            yield f"lot {lot_id} was never issued"
            return
        left = self._left[lot_id] = self._left[lot_id] + points
        if not 0 <= left <= issued:
            yield f"lot {lot_id} is left with {left} of {issued} points"

    def _repay(self, fact: ArrearsRepaid | MovedDebt) -> Iterator[str]:
        left = self._debts[fact.debt_id] = self._debts.get(fact.debt_id, 0) - fact.points
        if left < 0:
            yield f"debt {fact.debt_id} is repaid {-left} points too often"

    def compare(self, tally: Tally) -> Iterator[str]:
        """Hold the folded account against the book; yield what differs."""
        for _, lot_id in self._back:
            yield f"lot {lot_id} came back for a burn that did not draw it"
        open_lots: Counter[str] = Counter()
        sums: dict[str, list[int]] = {currency: list(NOTHING) for currency in tally.balances}
        for lot in tally.lots.items:
            if min(lot.available, lot.pending, lot.held, lot.in_transit) < 0:
                yield f"lot {lot.lot_id} is below zero"
            open_lots[lot.lot_id] += lot.left
            row = sums.setdefault(lot.currency, list(NOTHING))
            row[0] += lot.available
            row[1] += lot.pending
            row[2] += lot.held
            row[4] += lot.in_transit
        for lot_id, left in self._left.items():
            if open_lots.pop(lot_id, 0) != left:
                yield f"lot {lot_id} should be left with {left} of {self._issued[lot_id]} points"
        for lot_id, left in open_lots.items():
            yield f"lot {lot_id} has {left} points and was never issued"
        for debt in tally.debts:
            sums.setdefault(debt.currency, list(NOTHING))[3] += debt.points
        open_debts = {debt.debt_id: debt.points for debt in tally.debts}
        if open_debts != {debt: left for debt, left in self._debts.items() if left}:
            yield "open debts are not what was incurred less what was repaid"
        if sums != tally.balances:
            yield f"balances {tally.balances} are not the sums {sums} of lots and debts"


class DocumentBook:
    """Holds what was posted for a document against what its rules gave.

    The difference of two versions' grants is what is issued, less what is taken back, owed or
    written off.
    Tier-qualifying points alone may be taken back in part: what is missing of them is not owed.
    What is issued has the terms of one of the version's grants: its funder, end, life and campaign.
    """

    __slots__ = ("_due", "_given", "_open", "_terms", "pos")

    def __init__(self) -> None:
        """Begin with no document."""
        self._given: dict[str, Grants] = {}
        self._open = ""
        self._due: Grants = Counter()
        self._terms: set[LotTerms] = set()
        self.pos = 0
        """Position of the version that is being posted."""

    def post(self, posted: DocumentPosted, pos: int) -> Iterator[str]:
        """Enter a version; yield what is wrong with the one before it."""
        document = posted.document
        key = document_key(posted.business_unit, document.source, document.document_id)
        before = posted.before if posted.HasField("before") else None
        if posted.HasField("arrival"):
            # What stood here of an owner who has gone is the owner's.
            self._given.pop(key, None)
        yield from self._open_document(key, posted.grants, posted.pins.policy_digest, pos, before)

    def leave(self, left: DocumentMovedOut, pos: int) -> Iterator[str]:
        """Enter that a document leaves the account; yield what is wrong with what was before."""
        before = left.before if left.HasField("before") else None
        yield from self._open_document(left.document, (), "", pos, before)
        self._given.pop(left.document, None)

    def _open_document(
        self,
        key: str,
        grants: Iterable[Grant],
        policy_digest: str,
        pos: int,
        elsewhere: DocumentBefore | None,
    ) -> Iterator[str]:
        yield from self.settle()
        grants = list(grants)
        given = _granted(grants)
        before = self._given.get(key)
        if elsewhere is not None:
            before = _granted(elsewhere.posted.grants)
        self._due = given.copy()
        if before is not None:
            self._due.subtract(before)
        if given or before is not None:
            self._given[key] = given
        self._terms = {_terms(grant, policy_digest) for grant in grants}
        self._open, self.pos = key, pos

    def enter(self, fact: AccountFact) -> Iterator[str]:
        """Enter what was posted for the open document."""
        window = ""
        match fact:
            case PointsEarned() | PointsPended():
                window, points = fact.tier_window, -fact.points
                if _terms(fact, fact.life.policy_digest) not in self._terms:
                    yield f"lot {fact.lot_id} has the terms of no grant of its document"
            case PointsClawedBack() | PendingClawedBack():
                window, points = fact.tier_window, fact.points
            case ArrearsIncurred() | ClawbackWrittenOff():
                points = fact.points
            case _:
                return
        if fact.document != self._open:
            yield f"{points} points for document {fact.document}, which is not being posted"
            return
        self._due[fact.currency, window] += points

    def settle(self) -> Iterator[str]:
        """Close the open document; yield what its grants do not explain."""
        for (currency, window), points in self._due.items():
            if points > 0 or (points < 0 and not window):
                yield (
                    f"document {self._open}: its grants and what was posted for it differ by"
                    f" {points} {currency}"
                )
        self._due = Counter()


def _granted(grants: Iterable[Grant]) -> Grants:
    given: Grants = Counter()
    for grant in grants:
        given[grant.currency, grant.tier_window] += grant.granted
    return given


def _terms(made: Grant | PointsEarned | PointsPended, policy_digest: str) -> LotTerms:
    """What a lot and the grant it comes from have in common."""
    life = b""
    if made.HasField("life"):
        pinned = LotLife(policy_digest=policy_digest)
        pinned.MergeFrom(made.life)
        life = pinned.SerializeToString(deterministic=True)
    end = made.expire_time
    campaign = "" if made.tier_window else made.campaign
    return made.currency, made.funder, made.tier_window, end.seconds, end.nanos, life, campaign
