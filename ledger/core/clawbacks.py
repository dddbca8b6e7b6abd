"""Clawback: what a document gave is taken back, is owed, or written off; so are points by hand."""

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from ledger.core.commands import RefundTerms
from ledger.core.decision import Draft
from ledger.core.draws import draw_available, draw_pending
from ledger.core.refusals import ClawbackRefused, InsufficientPoints
from ledger.core.state import NOTHING, Lot
from loyalty.v1 import types_pb2
from loyalty.v1.events_pb2 import (
    ArrearsIncurred,
    ClawbackWrittenOff,
    PendingClawedBack,
    PointsClawedBack,
)


class Loss(NamedTuple):
    """Points that a document, or somebody by hand, takes back in one currency and tier window."""

    document: str
    """Empty when they are taken by hand."""
    currency: str
    window: str
    points: int
    lot_id: str = ""
    """By hand: the lot that they are taken from first; empty: none."""
    owner: str = ""
    """Account whose document it is, where that was merged into this one."""
    like: tuple[str, str] | None = None
    """(funder, campaign) of points that are given anew: of their lots first; None: in the order."""

    def may_take(self, lot: Lot) -> bool:
        """Whether a lot has such points; those that count for tiers are their owner's alone."""
        if lot.currency != self.currency or lot.tier_window != self.window:
            return False
        return not self.window or lot.owner == self.owner

    def owns(self, lot: Lot) -> bool:
        """Whether points are taken from a lot before all others, pending ones too."""
        if self.document:
            return lot.document == self.document
        return bool(self.lot_id) and lot.lot_id == self.lot_id


class Taker(Protocol):
    """Whoever takes points back: a command."""

    @property
    def entry_id(self) -> str: ...
    @property
    def business_unit(self) -> str: ...
    @property
    def refunds(self) -> RefundTerms: ...


def claw_back(draft: Draft, command: Taker, loss: Loss) -> None:
    """Take back from what is pending of the document, its own lots, others; the rest is missing.

    Tier-qualifying points are taken from their own window only, and never missed.
    Raises ClawbackRefused, InsufficientPoints.
    """
    lots = [lot for lot in draft.lots() if loss.may_take(lot)]
    own = [lot for lot in lots if loss.owns(lot)]
    if loss.like is not None:
        own.sort(key=lambda lot: (lot.funder, lot.campaign) != loss.like)
    # By hand and of no lot in particular, any points are meant.
    anywhere = command.refunds.any_lot or not (loss.document or loss.lot_id)
    others = [lot for lot in lots if anywhere and not loss.owns(lot)]
    pending, left = draw_pending(own, loss.points)
    draws, left = draw_available(own, left)
    more, missing = draw_available(others, left)
    draws += more
    if pending:
        draft.record(
            PendingClawedBack(
                entry_id=command.entry_id,
                currency=loss.currency,
                points=_sum(pending),
                business_unit=command.business_unit,
                draws=pending,
                document=loss.document,
                tier_window=loss.window,
            )
        )
    if draws:
        points = _sum(draws)
        draft.record(
            PointsClawedBack(
                entry_id=command.entry_id,
                currency=loss.currency,
                points=points,
                business_unit=command.business_unit,
                draws=draws,
                document=loss.document,
                available_after=draft.available(loss.currency) - points,
                tier_window=loss.window,
            )
        )
    if missing and not loss.window:
        _miss(draft, command, loss, missing)


def _miss(draft: Draft, command: Taker, loss: Loss, missing: int) -> None:
    """Let somebody bear what could not be taken back, as the policy says."""
    terms = command.refunds
    if terms.when_spent == "refuse":
        raise _refused(loss, missing)
    if terms.when_spent == "write_off":
        _write_off(draft, command, loss, missing, over_limit=False)
        return
    owed = missing
    if terms.arrears_limit is not None:
        row = draft.tally.balances.get(loss.currency, NOTHING)
        owed = min(missing, max(0, terms.arrears_limit - row[3]))
        if owed < missing and terms.over_limit == "refuse":
            raise _refused(loss, missing - owed)
    if owed:
        _owe(draft, command, loss, owed)
    if owed < missing:
        _write_off(draft, command, loss, missing - owed, over_limit=True)


def _refused(loss: Loss, missing: int) -> ClawbackRefused | InsufficientPoints:
    if not loss.document:
        there = loss.points - missing
        return InsufficientPoints(available=there, requested=loss.points, currency=loss.currency)
    return ClawbackRefused(missing=missing, currency=loss.currency, document=loss.document)


def _write_off(draft: Draft, command: Taker, loss: Loss, points: int, *, over_limit: bool) -> None:
    draft.record(
        ClawbackWrittenOff(
            entry_id=command.entry_id,
            currency=loss.currency,
            points=points,
            business_unit=command.refunds.write_off_to or command.business_unit,
            document=loss.document,
            over_limit=over_limit,
        )
    )


def _sum(draws: Iterable[types_pb2.Draw]) -> int:
    return sum(draw.points for draw in draws)


def _owe(draft: Draft, command: Taker, loss: Loss, points: int) -> None:
    draft.check_room(loss.currency, points)
    debts = sum(isinstance(fact.event, ArrearsIncurred) for fact in draft.facts)
    draft.record(
        ArrearsIncurred(
            debt_id=f"{command.entry_id}.d{debts + 1}",
            currency=loss.currency,
            points=points,
            business_unit=command.business_unit,
            document=loss.document,
            entry_id=command.entry_id,
            owner_id=loss.owner,
        )
    )
