"""Facts about points that leave an account for another, or become points of another currency."""

from ledger.core.applying.lots import count
from ledger.core.counting import TRANSFER
from ledger.core.draws import life_of
from ledger.core.instant import from_timestamp
from ledger.core.lots import drawn_of
from ledger.core.state import Lot
from ledger.core.tally import Tally
from loyalty.v1.events_pb2 import (
    TRANSFER_KIND_CONTRIBUTION,
    ConvertedPointsIssued,
    PointsConverted,
    PointsReceived,
    PointsReturned,
    PointsSent,
    TransferCompleted,
)
from loyalty.v1.types_pb2 import MovedLot


def send(tally: Tally, event: PointsSent) -> None:
    """Put points in transit: their lots keep them, but nothing can be done with them."""
    tally.lots.send([drawn_of(draw) for draw in event.draws])
    count(tally, event.usages)


def receive(tally: Tally, event: PointsReceived) -> None:
    """Make the lots that came in; a pool remembers who contributed them."""
    contributed = event.kind == TRANSFER_KIND_CONTRIBUTION
    for moved in event.lots:
        lot = moved_lot(moved, currency=event.currency, seq=tally.version)
        tally.lots.insert(lot._replace(contributor=event.sender_id if contributed else ""))
    tally.counting.active(TRANSFER, from_timestamp(event.receive_time))
    count(tally, event.usages)


def complete(tally: Tally, event: TransferCompleted) -> None:
    """Let go of points that have arrived elsewhere."""
    tally.lots.end_transit([drawn_of(draw) for draw in event.draws], comes_back=False)


def give_back(tally: Tally, event: PointsReturned) -> None:
    """Make points available again in the lots they were sent from."""
    tally.lots.end_transit([drawn_of(draw) for draw in event.draws], comes_back=True)
    count(tally, event.usages)


def convert(tally: Tally, event: PointsConverted) -> None:
    """Take what was given up."""
    tally.lots.draw(event.draws)


def issue(tally: Tally, event: ConvertedPointsIssued) -> None:
    """Make the lot that came of it."""
    tally.lots.insert(
        Lot(
            event.lot_id,
            event.currency,
            event.business_unit,
            event.funder,
            "",
            "",
            from_timestamp(event.earned_time),
            None,
            from_timestamp(event.expire_time) if event.HasField("expire_time") else None,
            tally.version,
            event.points,
            life=life_of(event.life) if event.HasField("life") else None,
        )
    )


def moved_lot(moved: MovedLot, *, currency: str, seq: int) -> Lot:
    """The lot that came from another account, as it was there but for its place."""
    dated = moved.HasField("expire_time")
    waits = moved.HasField("available_time")
    return Lot(
        moved.lot_id,
        currency,
        moved.issuer,
        moved.funder,
        moved.document,
        moved.tier_window,
        from_timestamp(moved.earned_time),
        from_timestamp(moved.available_time) if waits else None,
        from_timestamp(moved.expire_time) if dated else None,
        seq,
        0 if moved.pending else moved.points,
        moved.points if moved.pending else 0,
        grace=moved.grace,
        life=life_of(moved.life) if moved.HasField("life") else None,
    )
