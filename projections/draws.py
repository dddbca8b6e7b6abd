"""Draws: whose lots points were taken from, or given back to, in a batch of events."""

from collections import Counter
from typing import Final, NamedTuple

from loyalty.v1.events_pb2 import (
    ArrearsRepaid,
    BurnReversed,
    HoldCaptured,
    PendingClawedBack,
    PointsBurned,
    PointsClawedBack,
    ReversalReversed,
)
from projections.projection import Connection, EventBatch, facts_in, numbers

BURNING: Final = numbers("points_burned", "hold_captured", "burn_reversed", "reversal_reversed")
RECLAIMING: Final = numbers("points_clawed_back", "pending_clawed_back", "arrears_repaid")


class Drawn(NamedTuple):
    """What the draws of a batch add up under."""

    lane: int
    issuer: str
    """Business unit that issued the lots."""
    business_unit: str
    """Where the points were spent, or the unit that took them back or was owed them."""
    currency: str
    reclaimed: bool
    """Taken back or repaid, as opposed to spent."""


async def drawn_in(connection: Connection, batch: EventBatch) -> Counter[Drawn]:
    """Points drawn in a batch, less those given back.

    Raises:
        Unreadable: a payload cannot be decoded.
    """
    totals: Counter[Drawn] = Counter()
    for lane, _, _, fact in await facts_in(connection, batch, BURNING | RECLAIMING):
        match fact:
            case PointsBurned() | HoldCaptured() | ReversalReversed():
                sign, reclaimed = 1, False
            case BurnReversed():
                sign, reclaimed = -1, False
            case PointsClawedBack() | PendingClawedBack() | ArrearsRepaid():
                sign, reclaimed = 1, True
            case _:
                continue
        for draw in fact.draws:
            key = Drawn(lane, draw.issuer, fact.business_unit, fact.currency, reclaimed)
            totals[key] += sign * draw.points
    return totals
