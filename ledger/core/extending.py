"""A lot's end is moved to a later day: how a new expiry policy reaches lots that exist."""

from ledger.core.commands import ExtendLot
from ledger.core.decision import Draft
from ledger.core.instant import Instant, to_datetime, to_timestamp
from ledger.core.refusals import EndNotLater, LotWithoutDate, UnknownLot
from ledger.core.state import Lot
from loyalty.v1.events_pb2 import LotExtended


def extend(draft: Draft, command: ExtendLot) -> None:
    """Give an open lot a later date. Points on grace keep theirs: a grace is given once.

    Raises UnknownLot, for that of another unit too; LotWithoutDate; EndNotLater.
    """
    lot = _lot(draft, command)
    before = lot.expires_at
    if before is None:
        # It never ends, or when a member was last active decides: no date would say "later".
        raise LotWithoutDate(lot_id=lot.lot_id)
    if command.expires_at <= before:
        raise EndNotLater(
            lot_id=lot.lot_id, expire_time=_text(before), requested=_text(command.expires_at)
        )
    draft.record(
        LotExtended(
            entry_id=command.entry_id,
            lot_id=lot.lot_id,
            business_unit=lot.issuer,
            expire_time_before=to_timestamp(before),
            expire_time=to_timestamp(command.expires_at),
            reason=command.reason,
            actor=command.actor,
        )
    )


def _lot(draft: Draft, command: ExtendLot) -> Lot:
    for lot in draft.tally.lots.items:
        own = lot.issuer == command.business_unit
        if lot.lot_id == command.lot_id and own and not lot.grace:
            return lot
    raise UnknownLot(lot_id=command.lot_id)


def _text(at: Instant) -> str:
    return to_datetime(at).isoformat().replace("+00:00", "Z")
