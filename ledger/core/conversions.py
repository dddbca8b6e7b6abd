"""Conversions: points of one currency are given up, and a lot of another is issued for them."""

from ledger.core.burns import draw_or_refuse
from ledger.core.commands import ConvertPoints
from ledger.core.decision import Draft, check_points
from ledger.core.draws import write_life
from ledger.core.instant import to_timestamp, write_timestamp
from ledger.core.transfers import Fee, burn_fee, require_with_fee
from loyalty.v1.events_pb2 import ConvertedPointsIssued, PointsConverted


def convert(draft: Draft, command: ConvertPoints) -> None:
    """Convert points. Raises Malformed, InsufficientPoints, TooManyLots, PointsOverflow."""
    check_points(command.points)
    require_with_fee(draft, command.currency, command.points + command.fee)
    draft.record(
        PointsConverted(
            entry_id=command.entry_id,
            currency=command.currency,
            points=command.points,
            business_unit=command.issuer,
            draws=draw_or_refuse(draft, command.currency, command.points, first=command.draw_first),
            conversion=command.conversion,
            into=command.into,
            received=command.received,
            available_after=draft.available(command.currency) - command.points,
            policy_digest=command.policy_digest,
            asking_unit=command.business_unit,
            fee=command.fee,
        )
    )
    if command.fee:
        fee = Fee(
            command.entry_id,
            command.currency,
            command.fee,
            command.fee_unit,
            command.policy_digest,
            command.draw_first,
        )
        burn_fee(draft, fee)
    draft.check_lots(1)
    draft.check_room(command.into, command.received)
    draft.record(_issued(draft, command))


def _issued(draft: Draft, command: ConvertPoints) -> ConvertedPointsIssued:
    issued = ConvertedPointsIssued(
        lot_id=f"{command.entry_id}.1",
        currency=command.into,
        points=command.received,
        business_unit=command.issuer,
        funder=command.issuer,
        earned_time=to_timestamp(command.occurred_at),
        available_after=draft.available(command.into) + command.received,
        entry_id=command.entry_id,
    )
    if command.expires_at is not None:
        write_timestamp(issued.expire_time, command.expires_at)
    if command.life is not None:
        write_life(issued.life, command.life)
        issued.life.policy_digest = command.policy_digest
    return issued
