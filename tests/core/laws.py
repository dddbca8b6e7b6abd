"""The invariants of the ledger, computed from the facts alone, beside the code that folds them."""

from collections import Counter
from collections.abc import Sequence

from ledger.core.events import EFFECTS, AccountFact, MovingFact, kind_of
from ledger.core.evolve import fold
from ledger.core.state import Account, Lot
from loyalty.v1.events_pb2 import (
    ArrearsIncurred,
    ArrearsRepaid,
    BurnReversed,
    ConvertedPointsIssued,
    DebtsMovedIn,
    DebtsMovedOut,
    HoldCaptured,
    HoldMovedIn,
    HoldMovedOut,
    LotReinstated,
    LotsMovedIn,
    LotsMovedOut,
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
    PointsHeld,
    PointsPended,
    PointsReceived,
    PointsReturned,
    PointsSent,
    QuarantineClawedBack,
    ReversalReversed,
    TransferCompleted,
)

ISSUES = PointsEarned | PointsPended | OpeningLotRecorded | PointsAdjusted | ConvertedPointsIssued
MOVED_IN = PointsReceived | LotsMovedIn | PendingMovedIn | HoldMovedIn
LEAVES = TransferCompleted | LotsMovedOut | PendingMovedOut | HoldMovedOut
TAKES = (
    LEAVES
    | PointsBurned
    | HoldCaptured
    | ReversalReversed
    | PointsClawedBack
    | PendingClawedBack
    | QuarantineClawedBack
    | ArrearsRepaid
    | PointsConverted
)


def check_laws(events: Sequence[AccountFact], account: Account) -> None:
    """Assert everything that must hold after any fact."""
    _check_lots(events, account)
    _check_debts(events, account)
    _check_balances(account)
    _check_draws(events)
    _check_available_after(events)
    assert account == fold(Account(account.account_id), events)


def _check_lots(events: Sequence[AccountFact], account: Account) -> None:
    """Issued or moved in = left, in transit too, + burned (net) + expired + clawed back + repaid +
    converted + moved out, for every lot."""
    issued: Counter[str] = Counter()
    gone: Counter[str] = Counter()
    for event in events:
        if isinstance(event, ISSUES):
            issued[event.lot_id] += event.points
        elif isinstance(event, MOVED_IN):
            for moved in event.lots:
                issued[moved.lot_id] += moved.points
        elif isinstance(event, PointsExpired):
            gone[event.lot_id] += event.points
        elif isinstance(event, LotReinstated):
            gone[event.lot_id] -= event.points
        elif isinstance(event, TAKES | BurnReversed):
            sign = -1 if isinstance(event, BurnReversed) else 1
            for draw in event.draws:
                gone[draw.lot_id] += sign * draw.points
    left: Counter[str] = Counter()
    for lot in account.lots:
        assert min(lot.available, lot.pending, lot.held, lot.in_transit) >= 0
        assert lot.left > 0
        left[lot.lot_id] += lot.left
    assert issued == left + gone
    assert list(account.lots) == sorted(account.lots, key=Lot.order)


def _check_debts(events: Sequence[AccountFact], account: Account) -> None:
    """Incurred + moved in = open + repaid + moved out, for every debt."""
    incurred: Counter[str] = Counter()
    repaid: Counter[str] = Counter()
    for event in events:
        if isinstance(event, ArrearsIncurred):
            incurred[event.debt_id] += event.points
        elif isinstance(event, ArrearsRepaid):
            repaid[event.debt_id] += event.points
        elif isinstance(event, DebtsMovedIn):
            incurred.update({debt.debt_id: debt.points for debt in event.debts})
        elif isinstance(event, DebtsMovedOut):
            incurred.subtract({debt.debt_id: debt.points for debt in event.debts})
    incurred += Counter()
    left = Counter({debt.debt_id: debt.points for debt in account.debts})
    assert all(debt.points > 0 for debt in account.debts)
    assert incurred == left + repaid


def _check_balances(account: Account) -> None:
    """Balances are the sums of lots, holds and debts."""
    for currency, balance in account.balances.items():
        lots = [lot for lot in account.lots if lot.currency == currency]
        holds = [hold for hold in account.holds if hold.currency == currency]
        debts = [debt for debt in account.debts if debt.currency == currency]
        assert balance.available == sum(lot.available for lot in lots)
        assert balance.pending == sum(lot.pending for lot in lots)
        assert balance.held == sum(lot.held for lot in lots)
        assert balance.held == sum(hold.points for hold in holds)
        assert balance.in_transit == sum(lot.in_transit for lot in lots)
        assert balance.arrears == sum(debt.points for debt in debts)


def _check_draws(events: Sequence[AccountFact]) -> None:
    """Draws add up to the points of their fact, and are complete."""
    for event in events:
        if isinstance(event, PointsSent | PointsReceived):
            assert sum(moved.points for moved in event.lots) == event.points
        if isinstance(event, TAKES | BurnReversed | PointsHeld | PointsSent | PointsReturned):
            assert sum(draw.points for draw in event.draws) == event.points
            assert all(
                draw.points > 0 and draw.issuer and draw.funder and draw.HasField("earned_time")
                for draw in event.draws
            )


def _check_available_after(events: Sequence[AccountFact]) -> None:
    """Every fact that changes what is available states what is available after it."""
    available: Counter[str] = Counter()
    for event in events:
        effect = EFFECTS[kind_of(event)]
        if effect.available:
            assert isinstance(event, MovingFact)
            available[event.currency] += effect.available * event.points
            assert getattr(event, "available_after", None) == available[event.currency]
