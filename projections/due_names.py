"""Which facts change what is due, and the names of the parts of an account that time ends."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from ledger.core.events import AnyFact, kind_of
from loyalty.v1.events_pb2 import (
    ArrearsRepaid,
    BurnReversed,
    ConvertedPointsIssued,
    DocumentPosted,
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


def names_in(fact: AnyFact) -> Iterable[str]:
    """Names of the parts that a fact can change, besides what activity keeps alive."""
    named = _NAMED.get(type(fact))
    return () if named is None else named(fact)


def _lot(fact: Any) -> Iterable[str]:
    return (lot_part(fact.lot_id),)


def _lots(fact: Any) -> Iterable[str]:
    return (lot_part(lot.lot_id) for lot in fact.lots)


def _drawn(fact: Any) -> Iterable[str]:
    return (lot_part(draw.lot_id) for draw in fact.draws)


def _hold(fact: Any) -> Iterable[str]:
    return (hold_part(fact.business_unit, fact.hold_id), *held_parts(fact))


_NAMED: Final[dict[type[Any], Callable[[Any], Iterable[str]]]] = {
    PointsEarned: _lot,
    PointsPended: _lot,
    OpeningLotRecorded: _lot,
    PointsAdjusted: _lot,
    PointsReleased: _lot,
    PointsExpired: _lot,
    LotExtended: _lot,
    LotReinstated: _lot,
    ConvertedPointsIssued: _lot,
    PointsReceived: _lots,
    LotsMovedIn: _lots,
    PendingMovedIn: _lots,
    PointsBurned: _drawn,
    ReversalReversed: _drawn,
    PointsClawedBack: _drawn,
    ArrearsRepaid: _drawn,
    PendingClawedBack: _drawn,
    BurnReversed: _drawn,
    PointsSent: _drawn,
    PointsReturned: _drawn,
    PointsConverted: _drawn,
    PointsQuarantined: _drawn,
    PendingQuarantined: _drawn,
    QuarantineLifted: _drawn,
    PendingQuarantineLifted: _drawn,
    LotsMovedOut: _drawn,
    PendingMovedOut: _drawn,
    HoldMovedIn: _hold,
    HoldMovedOut: _hold,
    PointsHeld: lambda fact: (*_hold(fact), *_drawn(fact)),
    HoldCaptured: lambda fact: (*_hold(fact), *_drawn(fact)),
    HoldReleased: lambda fact: (*_hold(fact), *_drawn(fact)),
    MergeStepped: lambda _: (TIER, MERGE),
    TierChanged: lambda _: (TIER,),
    DocumentPosted: lambda _: (),
}
KINDS: Final = numbers(*(kind_of(kind()) for kind in _NAMED))
"""Kinds of facts that change what is due."""
