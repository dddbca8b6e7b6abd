"""Draws: whose lots points were taken from, or given back to, in a batch of events."""

from collections import Counter
from typing import Any, Final, Literal, NamedTuple

from ledger.core.events import AnyFact
from loyalty.v1.events_pb2 import (
    ArrearsRepaid,
    BurnReversed,
    HoldCaptured,
    PendingClawedBack,
    PointsBurned,
    PointsClawedBack,
    PointsConverted,
    ReversalReversed,
)
from projections.projection import Connection, EventBatch, facts_in, numbers

BURNING: Final = numbers("points_burned", "hold_captured", "burn_reversed", "reversal_reversed")
CONVERTING: Final = numbers("points_converted")
RECLAIMING: Final = numbers(
    "points_clawed_back", "pending_clawed_back", "quarantine_clawed_back", "arrears_repaid"
)


Use = Literal["burned", "reclaimed", "converted"]
"""Spent; taken back or repaid; given up for points of another currency."""


class Drawn(NamedTuple):
    """What the draws of a batch add up under."""

    lane: int
    issuer: str
    """Business unit that issued the lots."""
    business_unit: str
    """Where the points were spent, or the unit that took them back, was owed them, or issues what
    they became."""
    currency: str
    use: Use


_USES: Final[dict[type, Use]] = {
    PointsBurned: "burned",
    HoldCaptured: "burned",
    ReversalReversed: "burned",
    PointsClawedBack: "reclaimed",
    PendingClawedBack: "reclaimed",
    ArrearsRepaid: "reclaimed",
    PointsConverted: "converted",
}


def use_of(fact: AnyFact) -> tuple[int, Use | None]:
    """What a fact with draws does to the points, and with which sign; None for other facts."""
    if isinstance(fact, BurnReversed):
        return -1, "burned"
    return 1, _USES.get(type(fact))


async def drawn_in(connection: Connection, batch: EventBatch) -> Counter[Drawn]:
    """Points drawn in a batch, less those given back.

    Raises:
        Unreadable: a payload cannot be decoded.
    """
    totals: Counter[Drawn] = Counter()
    kinds = BURNING | RECLAIMING | CONVERTING
    for lane, _, _, fact in await facts_in(connection, batch, kinds):
        sign, use = use_of(fact)
        if use is None:
            continue
        moved: Any = fact
        for draw in moved.draws:
            key = Drawn(lane, draw.issuer, moved.business_unit, moved.currency, use)
            totals[key] += sign * draw.points
    return totals
