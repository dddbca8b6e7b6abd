"""Facts that give points by hand, or more time."""

from ledger.core.applying.lots import count
from ledger.core.draws import life_of
from ledger.core.instant import from_timestamp
from ledger.core.state import Lot
from ledger.core.tally import Tally
from loyalty.v1.events_pb2 import AdjustmentMade, LotExtended, PointsAdjusted


def make(tally: Tally, event: AdjustmentMade) -> None:
    """Count an adjustment under the limits of velocity."""
    count(tally, event.usages)


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
            from_timestamp(event.expire_time) if "expire_time" in event else None,
            tally.version,
            event.points,
            life=life_of(event.life) if "life" in event else None,
        )
    )


def extend(tally: Tally, event: LotExtended) -> None:
    """Give a lot a later end, and what holds have of it."""
    before, end = from_timestamp(event.expire_time_before), from_timestamp(event.expire_time)
    tally.lots.extend(event.lot_id, before, end)
    for index, held in enumerate(tally.holds):
        draws = tuple(
            draw._replace(expires_at=end)
            if draw.lot_id == event.lot_id and draw.expires_at == before
            else draw
            for draw in held.draws
        )
        if draws != held.draws:
            tally.holds[index] = held._replace(draws=draws)
