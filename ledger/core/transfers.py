"""Transfers: points leave one account, are in transit, and arrive in another or come back.

Each step is a decision about one account. What a step before it recorded comes with the command, so
that sender and receiver never have to be looked at together.
"""

from collections.abc import Iterable
from typing import NamedTuple

from ledger.core.burns import changed_usages, draw_or_refuse, use_limits
from ledger.core.commands import CompleteTransfer, ReceivePoints, ReturnPoints, SendPoints
from ledger.core.decision import Draft, check_points
from ledger.core.draws import draw_of, in_spending_order
from ledger.core.instant import Instant, optional_timestamp, to_timestamp
from ledger.core.lots import drawn_of
from ledger.core.pools import require_contributor
from ledger.core.refusals import InsufficientPoints
from ledger.core.state import Lot
from ledger.core.velocity import use_speeds
from loyalty.v1.events_pb2 import (
    TRANSFER_KIND_CONTRIBUTION,
    TRANSFER_KIND_GIFT,
    TRANSFER_KIND_HOME,
    BurnReversed,
    PointsBurned,
    PointsReceived,
    PointsReturned,
    PointsSent,
    TransferCompleted,
)
from loyalty.v1.types_pb2 import Draw, MovedLot


class Fee(NamedTuple):
    """Points that a transfer or a conversion costs on top, burned at a unit in the same entry."""

    entry_id: str
    currency: str
    points: int
    business_unit: str
    policy_digest: str
    draw_first: tuple[str, ...]
    """Funders whose points are drawn before all others, in this order."""


class _Movable(NamedTuple):
    """A lot, and the date with which its points leave."""

    lot: Lot
    ends_at: Instant | None


def send(draft: Draft, command: SendPoints, *, now: Instant) -> None:
    """Put points in transit, and burn the fee.

    Raises Malformed, LimitReached, InsufficientPoints.
    """
    check_points(command.points)
    terms = command.terms
    usages = use_limits(draft, command.points, terms.limits, whose="sender")
    usages += use_speeds(draft.tally.counting.usage, command.speeds, command.points)
    require_with_fee(draft, command.currency, command.points + terms.fee)
    draws, lots = _draw(_movable(draft, command, now), command)
    draft.record(
        PointsSent(
            entry_id=command.entry_id,
            currency=command.currency,
            points=command.points,
            business_unit=command.business_unit,
            draws=draws,
            receiver_id=command.receiver_id,
            lots=lots,
            available_after=draft.available(command.currency) - command.points,
            kind=command.kind,
            policy_digest=terms.policy_digest,
            terms=terms.terms,
            usages=usages,
            needs_acceptance=terms.accept_until is not None,
            accept_until_time=optional_timestamp(terms.accept_until),
            fee=terms.fee,
        )
    )
    if terms.fee:
        fee = Fee(
            command.entry_id,
            command.currency,
            terms.fee,
            terms.fee_unit,
            terms.policy_digest,
            terms.draw_first,
        )
        burn_fee(draft, fee)


def require_with_fee(draft: Draft, currency: str, points: int) -> None:
    """Refuse what is asked for together with its fee. Raises InsufficientPoints."""
    available = draft.available(currency)
    if available < points:
        raise InsufficientPoints(available=available, requested=points, currency=currency)


def burn_fee(draft: Draft, fee: Fee) -> None:
    """Burn a fee from what the draws before it have left."""
    draft.record(
        PointsBurned(
            entry_id=fee.entry_id,
            currency=fee.currency,
            points=fee.points,
            business_unit=fee.business_unit,
            draws=draw_or_refuse(draft, fee.currency, fee.points, first=fee.draw_first),
            available_after=draft.available(fee.currency) - fee.points,
            policy_digest=fee.policy_digest,
            fee=True,
        )
    )


def _movable(draft: Draft, command: SendPoints, now: Instant) -> list[_Movable]:
    """The lots that may be sent, in the order they are drawn.

    From a pool only those that the receiver contributed come home. Points that only something of
    this member's keeps alive would be over on arrival: they stay.
    """
    account = draft.tally.account()
    home = command.receiver_id if command.kind == TRANSFER_KIND_HOME else None
    movable = []
    for lot in in_spending_order(draft.lots(), command.terms.draw_first):
        if lot.currency != command.currency or not lot.available or lot.tier_window:
            continue
        if home is not None and lot.contributor != home:
            continue
        ends_at = lot.expires_at if lot.life is None else draft.ends.fixed(lot, account, now)
        if ends_at is None or ends_at > now:
            movable.append(_Movable(lot, ends_at))
    return movable


def _draw(movable: Iterable[_Movable], command: SendPoints) -> tuple[list[Draw], list[MovedLot]]:
    draws: list[Draw] = []
    lots: list[MovedLot] = []
    missing = command.points
    for lot, ends_at in movable:
        if not missing:
            break
        points = min(missing, lot.available)
        missing -= points
        draws.append(draw_of(lot, points))
        lots.append(
            MovedLot(
                lot_id=f"{command.entry_id}.{len(draws)}",
                parent_lot_id=lot.lot_id,
                points=points,
                issuer=lot.issuer,
                funder=lot.funder,
                earned_time=to_timestamp(lot.earned_at),
                expire_time=optional_timestamp(ends_at),
                grace=lot.grace,
                # What a member bought is nobody else's to know, outside a household.
                document="" if command.kind == TRANSFER_KIND_GIFT else lot.document,
            )
        )
    if missing:
        found = command.points - missing
        raise InsufficientPoints(
            available=found, requested=command.points, currency=command.currency
        )
    return draws, lots


def receive(draft: Draft, command: ReceivePoints) -> None:
    """Make the lots that were sent.

    Raises TooManyLots, PointsOverflow, LimitReached, and what `require_contributor` raises.
    """
    sent = command.sent
    if sent.kind == TRANSFER_KIND_CONTRIBUTION:
        require_contributor(draft.tally.account(), command.sender_id)
    usages = use_limits(draft, sent.points, command.limits, whose="receiver")
    draft.check_lots(len(sent.lots))
    draft.check_room(sent.currency, sent.points)
    draft.record(
        PointsReceived(
            entry_id=sent.entry_id,
            currency=sent.currency,
            points=sent.points,
            business_unit=command.business_unit,
            sender_id=command.sender_id,
            lots=sent.lots,
            available_after=draft.available(sent.currency) + sent.points,
            kind=sent.kind,
            usages=usages,
            receive_time=to_timestamp(command.occurred_at),
            sent_to_id="" if sent.receiver_id == draft.tally.account_id else sent.receiver_id,
        )
    )


def complete(draft: Draft, command: CompleteTransfer) -> None:
    """Let go of what has arrived."""
    sent = command.sent
    draft.record(
        TransferCompleted(
            entry_id=sent.entry_id,
            currency=sent.currency,
            points=sent.points,
            business_unit=sent.business_unit,
            draws=sent.draws,
            receiver_id=sent.receiver_id,
        )
    )


def give_back(draft: Draft, command: ReturnPoints) -> None:
    """Put points back into the lots they were sent from, with the fee. Never refused."""
    sent = command.sent
    draft.record(
        PointsReturned(
            entry_id=sent.entry_id,
            currency=sent.currency,
            points=sent.points,
            business_unit=command.business_unit,
            draws=sent.draws,
            cause=command.cause,
            reason=command.reason,
            available_after=draft.available(sent.currency) + sent.points,
            usages=changed_usages(sent.usages, -sent.points, -1),
            receiver_id=sent.receiver_id,
        )
    )
    if command.fee is not None:
        _give_back_fee(draft, command.fee)


def _give_back_fee(draft: Draft, fee: PointsBurned) -> None:
    draft.record(
        BurnReversed(
            entry_id=fee.entry_id,
            currency=fee.currency,
            points=fee.points,
            business_unit=fee.business_unit,
            draws=[draw_of(drawn_of(draw), draw.points) for draw in reversed(fee.draws)],
            burn_entry_id=fee.entry_id,
            available_after=draft.available(fee.currency) + fee.points,
            act=1,
        )
    )
