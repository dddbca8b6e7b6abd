"""What callers are told: movements, balances and the position that an answer reflects."""

from collections.abc import Iterable
from typing import Any, Final

import rules
from ledger.core import refusals
from ledger.core.events import EFFECTS, NO_EFFECT, AnyFact, fields_of, kind_of
from ledger.core.instant import Instant, optional_timestamp, to_timestamp, write_timestamp
from ledger.core.state import Account, Lot
from loyalty.v1.account_service_pb2 import Account as AccountMessage
from loyalty.v1.account_service_pb2 import Benefit as BenefitMessage
from loyalty.v1.account_service_pb2 import Debt as DebtMessage
from loyalty.v1.account_service_pb2 import Hold as HoldMessage
from loyalty.v1.account_service_pb2 import Lot as LotMessage
from loyalty.v1.events_pb2 import DocumentPosted
from loyalty.v1.ledger_service_pb2 import Movement, Posting
from loyalty.v1.member_service_pb2 import Pool
from loyalty.v1.types_pb2 import CounterNumber

_OTHER_SIDE: Final = frozenset({"sender_id", "receiver_id"})
_MOVING: Final = frozenset(kind for kind, effect in EFFECTS.items() if effect != NO_EFFECT)


def position_token(lane: int, next_pos: int) -> str:
    """Opaque to callers: a lane and the first position after what is reflected."""
    return f"{lane}-{next_pos}"


def parse_position(token: str) -> tuple[int, int]:
    """(lane, next position) of a token. Raises Malformed."""
    lane, _, pos = token.partition("-")
    if lane.isdecimal() and pos.isdecimal() and len(lane) < 6 and len(pos) < 19:
        return int(lane), int(pos)
    raise refusals.Malformed(
        field="min_position", value=token, expected="a position from an earlier answer"
    )


def add_movements(posting: Posting, facts: Iterable[AnyFact]) -> None:
    """Add the movements of points among some facts to an answer, in order."""
    for fact in facts:
        kind = kind_of(fact)
        if kind in _MOVING:
            _write_movement(posting.movements.add(), fact, kind)


def add_counted(posting: Posting, policy: rules.Policy, posted: DocumentPosted) -> None:
    """Add what a version was granted besides points, and its numbers in counters."""
    posting.benefits.extend(posted.benefits)
    for counted in numbers_of(posted):
        told = posting.numbers.add(counter=counted.counter, period=counted.period)
        told.number = counted.number
        told.goal = rules.goal_of(policy, counter=counted.counter, number=counted.number)


def numbers_of(posted: DocumentPosted) -> list[CounterNumber]:
    """The numbers that a version has or would take, without those that it gave back."""
    return [number for number in posted.numbers if number.number and number.change >= 0]


def add_departure(message: Posting, member_id: str, facts: Iterable[AnyFact]) -> None:
    """Add what moved in the account that a document left."""
    message.departure.member_id = member_id
    for fact in facts:
        kind = kind_of(fact)
        if moves_points(kind):
            _write_movement(message.departure.movements.add(), fact, kind)


def movement_of(fact: Any, kind: str) -> Movement:
    """A fact that moves points, as a statement shows it."""
    movement = Movement()
    _write_movement(movement, fact, kind)
    return movement


def _write_movement(movement: Movement, fact: Any, kind: str) -> None:
    has = fields_of(fact)
    movement.kind = kind
    movement.currency = fact.currency
    movement.points = fact.points
    if "lot_id" in has:
        movement.lot_id = fact.lot_id
    if "draws" in has:
        movement.draws.extend(fact.draws)
    if "lots" in has:
        movement.lots.extend(fact.lots)
    if "expire_time" in has and fact.HasField("expire_time"):
        movement.expire_time.CopyFrom(fact.expire_time)
    for other in _OTHER_SIDE & has:
        movement.other_id = getattr(fact, other)


def moves_points(kind: str) -> bool:
    """Whether facts of a kind move points."""
    return kind in _MOVING


def add_balances(
    answer: Posting | AccountMessage | Pool,
    account: Account,
    *,
    points_expiring: bool = False,
    ends_first: bool = True,
) -> None:
    """Add balances by currency to an answer, in order of first use, with what expires next.

    How many points expire next is told only when asked for: a busy account may have thousands of
    lots that expire on one day, and a write must not look at each. Lots of an account that is shown
    stand in the order of spending, and not by their ends: `ends_first` is false.
    """
    for currency, balance in account.balances.items():
        message = answer.balances.add()
        message.currency = currency
        message.available = balance.available
        message.pending = balance.pending
        message.held = balance.held
        message.arrears = balance.arrears
        message.in_transit = balance.in_transit
        if balance.available:
            next_at = _next_expiry(currency, account.lots, ends_first=ends_first)
            if next_at is None:
                continue
            write_timestamp(message.next_expire_time, next_at)
            if points_expiring:
                message.next_expire_points = sum(
                    lot.available
                    for lot in account.lots
                    if lot.expires_at == next_at and lot.currency == currency
                )


def _next_expiry(currency: str, lots: Iterable[Lot], *, ends_first: bool) -> Instant | None:
    """In order of expiry the first lot of the currency that has points is the next."""
    if not ends_first:
        ends = (lot.expires_at for lot in lots if lot.available and lot.currency == currency)
        return min((end for end in ends if end is not None), default=None)
    for lot in lots:
        if lot.expires_at is None:
            return None
        if lot.available and lot.currency == currency:
            return lot.expires_at
    return None


def account_message(account: Account, *, full: bool, position: str) -> AccountMessage:
    """An account as callers see it; lots, holds, debts and benefits only when `full`."""
    message = AccountMessage(
        member_id=account.account_id,
        tier=account.tier,
        tier_valid_until_time=optional_timestamp(
            account.tiers[-1].valid_until if account.tiers else None
        ),
        position=position,
    )
    add_balances(message, account, points_expiring=True, ends_first=False)
    if full:
        _add_details(message, account)
    return message


def _add_details(message: AccountMessage, account: Account) -> None:
    for lot in account.lots:
        message.lots.append(
            LotMessage(
                lot_id=lot.lot_id,
                currency=lot.currency,
                available=lot.available,
                pending=lot.pending,
                held=lot.held,
                in_transit=lot.in_transit,
                contributor_id=lot.contributor,
                issuer=lot.issuer,
                funder=lot.funder,
                earned_time=to_timestamp(lot.earned_at),
                available_time=optional_timestamp(lot.available_at),
                expire_time=optional_timestamp(lot.expires_at),
                document=lot.document,
            )
        )
    for hold in account.holds:
        message.holds.append(
            HoldMessage(
                hold_id=hold.hold_id,
                recalled=hold.recalled,
                business_unit=hold.business_unit,
                currency=hold.currency,
                points=hold.points,
                expire_time=optional_timestamp(hold.expires_at),
                points_expire=hold.points_expire,
            )
        )
    for debt in account.debts:
        message.debts.append(
            DebtMessage(
                debt_id=debt.debt_id,
                business_unit=debt.business_unit,
                currency=debt.currency,
                points=debt.points,
                document=debt.document,
            )
        )
    for given in account.benefits:
        message.benefits.append(
            BenefitMessage(
                benefit=given.benefit,
                quantity=given.quantity,
                expire_time=to_timestamp(given.expires_at),
                rule=given.rule,
                campaign=given.campaign,
                document=given.document,
            )
        )
