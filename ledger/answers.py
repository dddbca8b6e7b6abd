"""What callers are told: movements, balances and the position that an answer reflects."""

from collections.abc import Iterable
from typing import Any, Final

from ledger.core import refusals
from ledger.core.events import EFFECTS, NO_EFFECT, AnyFact, kind_of
from ledger.core.instant import optional_timestamp, to_timestamp
from ledger.core.state import Account
from loyalty.v1.account_service_pb2 import Account as AccountMessage
from loyalty.v1.account_service_pb2 import Debt as DebtMessage
from loyalty.v1.account_service_pb2 import Hold as HoldMessage
from loyalty.v1.account_service_pb2 import Lot as LotMessage
from loyalty.v1.ledger_service_pb2 import Balance as BalanceMessage
from loyalty.v1.ledger_service_pb2 import Movement

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


def movements_of(facts: Iterable[AnyFact]) -> list[Movement]:
    """The movements of points among some facts, in order."""
    return [movement_of(fact, kind) for fact in facts if (kind := kind_of(fact)) in _MOVING]


def movement_of(fact: Any, kind: str) -> Movement:
    """A fact that moves points, as a statement shows it."""
    names = fact.DESCRIPTOR.fields_by_name
    return Movement(
        kind=kind,
        currency=fact.currency,
        points=fact.points,
        lot_id=fact.lot_id if "lot_id" in names else "",
        draws=fact.draws if "draws" in names else (),
        expire_time=fact.expire_time
        if "expire_time" in names and fact.HasField("expire_time")
        else None,
    )


def moves_points(kind: str) -> bool:
    """Whether facts of a kind move points."""
    return kind in _MOVING


def balances_of(account: Account) -> list[BalanceMessage]:
    """Balances by currency, in order of first use, with what expires next."""
    messages = []
    for currency, balance in account.balances.items():
        message = BalanceMessage(
            currency=currency,
            available=balance.available,
            pending=balance.pending,
            held=balance.held,
            arrears=balance.arrears,
        )
        _add_next_expiry(message, account)
        messages.append(message)
    return messages


def _add_next_expiry(message: BalanceMessage, account: Account) -> None:
    """Lots stand in order of expiry, so the first of the currency that has points is the next."""
    expires_at = None
    for lot in account.lots:
        if lot.expires_at is None or (expires_at is not None and lot.expires_at > expires_at):
            break
        if lot.currency == message.currency and lot.available:
            expires_at = lot.expires_at
            message.next_expire_points += lot.available
    if expires_at is not None:
        message.next_expire_time.CopyFrom(to_timestamp(expires_at))


def account_message(account: Account, *, full: bool, position: str) -> AccountMessage:
    """An account as callers see it; lots, holds and debts only when `full`."""
    message = AccountMessage(
        member_id=account.account_id,
        balances=balances_of(account),
        tier=account.tier,
        tier_valid_until_time=optional_timestamp(
            account.tiers[-1].valid_until if account.tiers else None
        ),
        position=position,
    )
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
                business_unit=hold.business_unit,
                currency=hold.currency,
                points=hold.points,
                expire_time=optional_timestamp(hold.expires_at),
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
