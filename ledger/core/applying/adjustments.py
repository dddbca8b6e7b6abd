"""Facts that give points by hand."""

from ledger.core.draws import life_of
from ledger.core.instant import from_timestamp
from ledger.core.state import Lot
from ledger.core.tally import Tally
from loyalty.v1.events_pb2 import PointsAdjusted


def give(tally: Tally, event: PointsAdjusted) -> None:
    """Make a lot. It is no activity of the member's, so it keeps nothing else alive."""
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
