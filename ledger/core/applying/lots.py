"""Facts that make lots, draw from them, or end them."""

from collections.abc import Iterable

from ledger.core.counting import BURN, EARN
from ledger.core.draws import life_of
from ledger.core.instant import from_timestamp
from ledger.core.lots import drawn_of
from ledger.core.state import OWN, Drawn, Lot
from ledger.core.tally import Tally
from ledger.core.usage import own_changes
from loyalty.v1.events_pb2 import (
    BurnReversed,
    HoldCaptured,
    LotReinstated,
    OpeningLotRecorded,
    PendingClawedBack,
    PointsBurned,
    PointsClawedBack,
    PointsEarned,
    PointsExpired,
    PointsPended,
    PointsReleased,
    ReversalReversed,
)
from loyalty.v1.types_pb2 import MovedLot, Usage


def earn(tally: Tally, event: PointsEarned | PointsPended) -> None:
    """Make a lot, or let qualifying points join that of their window."""
    points, currency = event.points, event.currency
    window, owner = event.tier_window, event.owner_id
    earned_at = from_timestamp(event.earned_time)
    for counting in tally.counted_for(owner):
        counting.active(EARN, earned_at)
    available, available_at, campaign = points, None, ""
    if type(event) is PointsPended:
        available, campaign = 0, event.campaign
        if "available_time" in event:
            available_at = from_timestamp(event.available_time)
    if window and available:
        # Points count for tiers once they are the member's: a booking is not a stay.
        tally.qualify(currency, window, points, owner=owner)
        if tally.lots.join(event.lot_id, points):
            return
    lot = Lot(
        event.lot_id,
        currency,
        event.business_unit,
        event.funder,
        event.document,
        window,
        earned_at,
        available_at,
        from_timestamp(event.expire_time) if "expire_time" in event else None,
        tally.version,
        available,
        points - available,
        0,
        False,
        life_of(event.life) if "life" in event else None,
        0,
        "",
        owner,
        campaign,
    )
    tally.lots.insert(lot)


def take_over(tally: Tally, event: OpeningLotRecorded) -> None:
    """Take over a lot of an older programme."""
    window = event.tier_window
    if window:
        tally.qualify(event.currency, window, event.points, owner=OWN)
    tally.lots.insert(
        Lot(
            event.lot_id,
            event.currency,
            event.business_unit,
            event.funder,
            "",
            window,
            from_timestamp(event.earned_time),
            None,
            from_timestamp(event.expire_time) if "expire_time" in event else None,
            tally.version,
            event.points,
        )
    )


def moved_lot(moved: MovedLot, *, currency: str, seq: int = 0) -> Lot:
    """The lot that came from another account, as it was there; `seq` where it tells none."""
    dated = "expire_time" in moved
    waits = "available_time" in moved
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
        moved.lot_version or seq,
        0 if moved.pending else moved.points,
        moved.points if moved.pending else 0,
        grace=moved.grace,
        life=life_of(moved.life) if "life" in moved else None,
        contributor=moved.contributor_id,
        owner=moved.owner_id,
        campaign=moved.campaign,
    )


def release(tally: Tally, event: PointsReleased) -> None:
    """Make what is pending in a lot available."""
    dated = "expire_time" in event
    expires_at = from_timestamp(event.expire_time) if dated else None
    owner = tally.lots.owner(event.lot_id) if tally.parts else OWN
    tally.lots.release(event.lot_id, event.points, expires_at)
    if event.tier_window:
        tally.qualify(event.currency, event.tier_window, event.points, owner=owner)


def expire(tally: Tally, event: PointsExpired) -> None:
    """Take what passed its time."""
    tally.lots.expire(event.lot_id, event.points)


def reinstate(tally: Tally, event: LotReinstated) -> None:
    """Let come back what had expired, with the end it had."""
    drawn = Drawn(
        event.lot_id,
        event.points,
        event.business_unit,
        event.funder,
        from_timestamp(event.earned_time),
        from_timestamp(event.expire_time) if "expire_time" in event else None,
        event.grace,
        life_of(event.life) if "life" in event else None,
        event.document,
        event.lot_version,
        owner=event.owner_id,
    )
    tally.lots.give_back((drawn,), currency=event.currency)


def burn(tally: Tally, event: PointsBurned) -> None:
    """Take what was spent."""
    tally.lots.draw(event.draws)
    note_burn(tally, event)
    count(tally, event.usages)


def burn_again(tally: Tally, event: ReversalReversed) -> None:
    """Take what a reversal had given back."""
    tally.lots.draw(event.draws)
    count(tally, event.usages, owner=event.owner_id)


def give_back(tally: Tally, event: BurnReversed) -> None:
    """Give burned points back to their lots."""
    draws = [drawn_of(draw) for draw in event.draws]
    tally.lots.give_back(draws, currency=event.currency)
    count(tally, event.usages, owner=event.owner_id)


def claw_back(tally: Tally, event: PointsClawedBack) -> None:
    """Take available points back."""
    tally.lots.draw(event.draws)
    if event.tier_window:
        for draw in event.draws:
            tally.qualify(event.currency, event.tier_window, -draw.points, owner=draw.owner_id)


def claw_back_pending(tally: Tally, event: PendingClawedBack) -> None:
    """Take pending points back."""
    tally.lots.draw_pending(event.draws)


def note_burn(tally: Tally, event: PointsBurned | HoldCaptured) -> None:
    """Remember when points were last spent: that keeps some of them alive."""
    if "burn_time" not in event:
        return
    at = from_timestamp(event.burn_time)
    tally.counting.active(BURN, at)
    if tally.parts:
        # Who spends does something, and so does, in a way, whose points they are.
        for owner in tally.parts.keys() & {OWN, *(draw.owner_id for draw in event.draws)}:
            tally.parts[owner][1].active(BURN, at)


def count(tally: Tally, usages: Iterable[Usage], *, owner: str = OWN) -> None:
    """Count a deed under the limits of the account, or give back what it used."""
    if changes := own_changes(usages):
        for counting in tally.counted_for(owner):
            counting.use(changes)
