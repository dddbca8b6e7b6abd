"""Facts that make a debt, and repay it."""

from ledger.core.lots import CorruptHistory
from ledger.core.state import Debt
from ledger.core.tally import Tally
from loyalty.v1.events_pb2 import ArrearsIncurred, ArrearsRepaid


def owe(tally: Tally, event: ArrearsIncurred) -> None:
    """Add a debt."""
    tally.debts.append(
        Debt(
            event.debt_id,
            event.business_unit,
            event.currency,
            event.points,
            event.document,
            event.owner_id,
        )
    )


def repay(tally: Tally, event: ArrearsRepaid) -> None:
    """Take points of a lot for a debt."""
    tally.lots.draw(event.draws)
    for index, debt in enumerate(tally.debts):
        if debt.debt_id == event.debt_id:
            left = debt.points - event.points
            if left:
                tally.debts[index] = debt._replace(points=left)
            else:
                del tally.debts[index]
            return
    raise CorruptHistory(f"there is no open debt {event.debt_id}")
