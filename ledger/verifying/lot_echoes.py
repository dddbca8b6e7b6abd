"""What facts say again of a lot, for settlement and whoever reads the fact alone: as the lot is."""

from collections.abc import Iterator
from typing import Any, Final

from ledger.core.events import AccountFact
from ledger.core.instant import from_timestamp
from ledger.core.lots import CorruptHistory
from ledger.core.tally import Tally
from loyalty.v1.events_pb2 import PointsExpired, PointsReleased

_SAID: Final = {
    "business_unit": "issuer",
    "funder": "funder",
    "document": "document",
    "lot_version": "seq",
    "owner_id": "owner",
    "grace": "grace",
}
"""By field of the fact, what it is of the lot."""


def wrong_echo(fact: AccountFact, tally: Tally) -> Iterator[str]:
    """What an expiry or a release says of its lot and is not so, with the account before it."""
    if not isinstance(fact, PointsExpired | PointsReleased):
        return
    state = "available" if isinstance(fact, PointsExpired) else "pending"
    try:
        lot = tally.lots.items[tally.lots.find(fact.lot_id, state, fact.points)]
    except CorruptHistory:
        # There are no such points: the fold says that.
        return
    told: dict[str, tuple[Any, Any]] = {
        name: (getattr(fact, name), getattr(lot, of))
        for name, of in _SAID.items()
        if isinstance(fact, PointsExpired) or name == "business_unit"
    }
    if isinstance(fact, PointsExpired):
        ends = from_timestamp(fact.expire_time) if fact.HasField("expire_time") else None
        told["earned_time"] = from_timestamp(fact.earned_time), lot.earned_at
        told["expire_time"] = ends, lot.expires_at
    for name, (said, known) in told.items():
        if said != known:
            yield f"{name} of lot {fact.lot_id} is said to be {said!r}, the lot has {known!r}"
