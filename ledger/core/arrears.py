"""Arrears: debts are repaid by awards, first thing when their points can be spent."""

from ledger.core.decision import Draft
from ledger.core.draws import draw_of
from ledger.core.instant import write_timestamp
from ledger.core.state import Lot
from loyalty.v1.events_pb2 import ArrearsRepaid, PointsReleased


def release_lot(draft: Draft, lot: Lot, *, entry_id: str) -> None:
    """Make what is pending in a lot available; `entry_id` is empty when time does it."""
    released = PointsReleased(
        lot_id=lot.lot_id,
        currency=lot.currency,
        points=lot.pending,
        business_unit=lot.issuer,
        available_after=draft.available(lot.currency) + lot.pending,
        entry_id=entry_id,
        tier_window=lot.tier_window,
    )
    if lot.life is not None and lot.life.from_release:
        expires_at = draft.ends.released(lot.life, draft.at)
        if expires_at is not None:
            write_timestamp(released.expire_time, expires_at)
    draft.record(released)
    repay(draft, lot.lot_id, currency=lot.currency, entry_id=entry_id)


def repay(draft: Draft, lot_id: str, *, currency: str, entry_id: str) -> None:
    """Pay open debts of the lot's currency from this lot alone, the oldest first."""
    owed = [debt for debt in draft.tally.debts if debt.currency == currency]
    for debt in owed:
        lot = next((lot for lot in draft.tally.lots.items if lot.lot_id == lot_id), None)
        if lot is None or not lot.available:
            return
        points = min(debt.points, lot.available)
        draft.record(
            ArrearsRepaid(
                debt_id=debt.debt_id,
                currency=currency,
                points=points,
                business_unit=debt.business_unit,
                draws=[draw_of(lot, points)],
                available_after=draft.available(currency) - points,
                entry_id=entry_id,
            )
        )
