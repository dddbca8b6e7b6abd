"""Facts about points that leave an account for another, or become points of another currency."""

from ledger.core.applying.lots import count, moved_lot
from ledger.core.counting import TRANSFER
from ledger.core.draws import life_of
from ledger.core.instant import from_timestamp
from ledger.core.lots import drawn_of
from ledger.core.state import OWN, Lot
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
    for counting in tally.counted_for(OWN):
        counting.active(TRANSFER, from_timestamp(event.receive_time))
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
            from_timestamp(event.expire_time) if "expire_time" in event else None,
            tally.version,
            event.points,
            life=life_of(event.life) if "life" in event else None,
        )
    )
