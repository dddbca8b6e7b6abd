"""Points that are over: their time has passed, or their account is closed."""

from ledger.core.decision import Draft
from ledger.core.draws import life_message
from ledger.core.instant import optional_timestamp, to_timestamp
from ledger.core.moving import is_stray
from ledger.core.state import Lot
from loyalty.v1.events_pb2 import (
    EXPIRE_CAUSE_FORFEITED,
    EXPIRE_CAUSE_UNSPECIFIED,
    ExpireCause,
    PointsExpired,
)


def expire(
    draft: Draft,
    lot: Lot,
    *,
    cause: ExpireCause.ValueType = EXPIRE_CAUSE_UNSPECIFIED,
    entry_id: str = "",
) -> None:
    """Let what a lot has available be gone; `entry_id` is empty where time did it."""
    draft.record(
        PointsExpired(
            lot_id=lot.lot_id,
            currency=lot.currency,
            points=lot.available,
            business_unit=lot.issuer,
            funder=lot.funder,
            available_after=draft.available(lot.currency) - lot.available,
            earned_time=to_timestamp(lot.earned_at),
            expire_time=optional_timestamp(lot.expires_at),
            grace=lot.grace,
            life=None if lot.life is None else life_message(lot.life),
            cause=cause,
            entry_id=entry_id,
            owner_id=lot.owner,
            document=lot.document,
            lot_version=lot.seq,
        )
    )


def forfeit(draft: Draft, *, entry_id: str) -> None:
    """Let all that can be spent expire; `entry_id` is empty where nobody asked for it just now.

    Qualifying points stay: they buy nothing, and tell what a member who comes back had reached. So
    does what is on its way home to an account that is one with this no more.
    """
    for lot in list(draft.tally.lots.items):
        if lot.available and not lot.tier_window and not is_stray(lot, draft.tally.parts):
            expire(draft, lot, cause=EXPIRE_CAUSE_FORFEITED, entry_id=entry_id)
