"""Which facts change what is due, and the names of the parts of an account that time ends."""

from collections.abc import Iterator
from typing import Final

from ledger.core.events import AnyFact
from loyalty.v1.events_pb2 import (
    ArrearsRepaid,
    BurnReversed,
    ConvertedPointsIssued,
    HoldCaptured,
    HoldMovedIn,
    HoldMovedOut,
    HoldReleased,
    LotExtended,
    LotReinstated,
    LotsMovedIn,
    LotsMovedOut,
    MergeStepped,
    OpeningLotRecorded,
    PendingClawedBack,
    PendingMovedIn,
    PendingMovedOut,
    PendingQuarantined,
    PendingQuarantineLifted,
    PointsAdjusted,
    PointsBurned,
    PointsClawedBack,
    PointsConverted,
    PointsEarned,
    PointsExpired,
    PointsHeld,
    PointsPended,
    PointsQuarantined,
    PointsReceived,
    PointsReleased,
    PointsReturned,
    PointsSent,
    QuarantineLifted,
    ReversalReversed,
    TierChanged,
)
from projections.projection import numbers

TIER: Final = "tier"
HELD: Final = "held/"
MERGE: Final = "merge"
"""A merge, or its undoing, that is under way: whoever asks brings it on by a step."""
KINDS: Final = numbers(
    "points_earned",
    "points_pended",
    "points_released",
    "points_burned",
    "points_held",
    "hold_captured",
    "hold_released",
    "points_expired",
    "lot_reinstated",
    "points_clawed_back",
    "pending_clawed_back",
    "arrears_repaid",
    "burn_reversed",
    "reversal_reversed",
    "opening_lot_recorded",
    "points_adjusted",
    "lot_extended",
    "points_quarantined",
    "pending_quarantined",
    "quarantine_lifted",
    "pending_quarantine_lifted",
    "document_posted",
    "tier_changed",
    "points_sent",
    "points_received",
    "points_returned",
    "points_converted",
    "converted_points_issued",
    "merge_stepped",
    "lots_moved_out",
    "lots_moved_in",
    "pending_moved_out",
    "pending_moved_in",
    "hold_moved_out",
    "hold_moved_in",
)


def lot_part(lot_id: str) -> str:
    """Name of a lot's part."""
    return f"lot/{lot_id}"


def hold_part(business_unit: str, hold_id: str) -> str:
    """Name of a hold's part; hold ids are unique in a unit."""
    return f"hold/{business_unit}/{hold_id}"


def held_part(business_unit: str, hold_id: str, lot_id: str) -> str:
    """Name of the part of what a hold has of a lot, where it expires though it is held."""
    return f"{HELD}{business_unit}/{hold_id}/{lot_id}"


def held_parts(
    fact: PointsHeld | HoldCaptured | HoldReleased | HoldMovedIn | HoldMovedOut,
) -> Iterator[str]:
    """Names of what a hold has of each lot that a fact names."""
    parts = fact.lots if isinstance(fact, HoldMovedIn) else fact.draws
    return (held_part(fact.business_unit, fact.hold_id, part.lot_id) for part in parts)


def names_in(fact: AnyFact) -> Iterator[str]:
    """Names of the parts that a fact can change, besides what activity keeps alive."""
    match fact:
        case MergeStepped():
            yield from (TIER, MERGE)
        case HoldMovedIn() | HoldMovedOut():
            yield hold_part(fact.business_unit, fact.hold_id)
            yield from held_parts(fact)
        case PointsHeld() | HoldCaptured() | HoldReleased():
            yield hold_part(fact.business_unit, fact.hold_id)
            yield from (lot_part(draw.lot_id) for draw in fact.draws)
            yield from held_parts(fact)
        case (
            PointsBurned()
            | ReversalReversed()
            | PointsClawedBack()
            | ArrearsRepaid()
            | PendingClawedBack()
            | BurnReversed()
            | PointsSent()
            | PointsReturned()
            | PointsConverted()
            | PointsQuarantined()
            | PendingQuarantined()
            | QuarantineLifted()
            | PendingQuarantineLifted()
            | LotsMovedOut()
            | PendingMovedOut()
        ):
            yield from (lot_part(draw.lot_id) for draw in fact.draws)
        case PointsReceived() | LotsMovedIn() | PendingMovedIn():
            yield from (lot_part(lot.lot_id) for lot in fact.lots)
        case (
            PointsEarned()
            | PointsPended()
            | OpeningLotRecorded()
            | PointsAdjusted()
            | PointsReleased()
            | PointsExpired()
            | LotExtended()
            | LotReinstated()
            | ConvertedPointsIssued()
        ):
            yield lot_part(fact.lot_id)
        case TierChanged():
            yield TIER
        case _:
            pass
