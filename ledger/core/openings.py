"""Opening balances: a row of an older programme becomes lots, what counts towards tiers, a tier."""

from typing import Final

from ledger.core.commands import GrantTier, RecordOpening, TierLadder
from ledger.core.decision import Draft
from ledger.core.instant import from_timestamp, optional_timestamp
from ledger.core.tiers import grant, reach
from loyalty.v1.events_pb2 import OpeningLotRecorded, OpeningRecorded
from loyalty.v1.types_pb2 import OpeningLot

REASON: Final = "opening balance"
"""Why a stated tier was given, as `TierChanged` says it."""


def open_balance(draft: Draft, command: RecordOpening, ladder: TierLadder) -> None:
    """Take a row over. Raises TooManyLots, PointsOverflow."""
    draft.check_lots(len(command.lots))
    draft.record(
        OpeningRecorded(
            entry_id=command.entry_id,
            business_unit=command.business_unit,
            source=command.source,
            source_digest=command.source_digest,
            row=command.row,
            lots=len(command.lots),
            usages=command.usages,
            tier=command.tier,
            member_since_time=optional_timestamp(command.member_since),
        )
    )
    for number, lot in enumerate(command.lots, 1):
        draft.check_room(lot.currency, lot.points)
        draft.record(_recorded(draft, command, lot, number))
    if command.usages or any(lot.tier_window for lot in command.lots):
        reach(draft, ladder, entry_id=command.entry_id)
    if command.tier is not None:
        _give(draft, command, ladder)


def _recorded(
    draft: Draft, command: RecordOpening, lot: OpeningLot, number: int
) -> OpeningLotRecorded:
    return OpeningLotRecorded(
        lot_id=f"{command.entry_id}.{number}",
        currency=lot.currency,
        points=lot.points,
        business_unit=lot.business_unit,
        funder=lot.funder or lot.business_unit,
        earned_time=lot.earned_time,
        expire_time=lot.expire_time if "expire_time" in lot else None,
        source_digest=command.source_digest,
        available_after=draft.available(lot.currency) + lot.points,
        entry_id=command.entry_id,
        tier_window=lot.tier_window,
    )


def _give(draft: Draft, command: RecordOpening, ladder: TierLadder) -> None:
    """Give the stated tier, as staff would, unless it is over or the member has a higher one."""
    tier = command.tier
    assert tier is not None, "only a stated tier is given"
    until = from_timestamp(tier.until_time) if "until_time" in tier else None
    has = draft.tally.tiers[-1].tier if draft.tally.tiers else ""
    if has not in command.below or (until is not None and until <= draft.at):
        return
    given = GrantTier(
        entry_id=command.entry_id,
        tier=tier.tier,
        until=until,
        reason=REASON,
        business_unit=command.business_unit,
        occurred_at=command.occurred_at,
        policy_digest=command.policy_digest,
    )
    grant(draft, given, ladder)
