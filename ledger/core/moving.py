"""What moves from one account to another when they are merged, or become two again.

It keeps everything it has: a lot its id, issuer, funder, expiry and place in the order; a hold its
id; a debt its unit. It also remembers whose it was.
"""

from collections.abc import Container, Iterable, Mapping
from itertools import groupby
from typing import NamedTuple

from ledger.core.decision import Draft
from ledger.core.draws import draw_of, life_message
from ledger.core.instant import Instant, optional_timestamp, to_timestamp
from ledger.core.state import OWN, Account, Debt, Hold, Lot, Part
from loyalty.v1.events_pb2 import (
    DebtsMovedIn,
    DebtsMovedOut,
    HoldMovedIn,
    HoldMovedOut,
    LotsMovedIn,
    LotsMovedOut,
    PendingMovedIn,
    PendingMovedOut,
)
from loyalty.v1.types_pb2 import MovedDebt, MovedLot, Usage


class Way(NamedTuple):
    """From which account to which, and whose is what moves."""

    giver: Draft
    taker: Draft
    merge_id: str
    business_unit: str
    owners: frozenset[str] | None
    """None: all of it."""

    def moves(self, owner: str) -> bool:
        """Whether what has this owner in the giver moves."""
        return self.owners is None or owner in self.owners

    def owner_there(self, owner: str) -> str:
        """The owner of what moves, as the taker says it."""
        owner = owner or self.giver.tally.account_id
        return OWN if owner == self.taker.tally.account_id else owner


def is_stray(lot: Lot, parts: Container[str]) -> bool:
    """Whether a lot is neither its account's own nor that of an account merged into it.

    What was spent while two were one comes back to where it was spent, when it is given back; from
    there it goes home in the same act.
    """
    return lot.owner != OWN and lot.owner not in parts


def move_lots(way: Way, most: int) -> int:
    """Move what lots have available or pending; how many of them."""
    moving: list[Lot] = []
    for lot in way.giver.tally.lots.items:
        if len(moving) == most:
            break
        if (lot.available or lot.pending) and way.moves(lot.owner):
            moving.append(lot)
    for currency, lots in _by_currency(moving).items():
        _move_available(way, currency, [lot for lot in lots if lot.available])
        _move_pending(way, currency, [lot for lot in lots if lot.pending])
    return len(moving)


def _by_currency(lots: Iterable[Lot]) -> Mapping[str, list[Lot]]:
    found: dict[str, list[Lot]] = {}
    for lot in lots:
        found.setdefault(lot.currency, []).append(lot)
    return found


def _move_available(way: Way, currency: str, lots: list[Lot]) -> None:
    points = sum(lot.available for lot in lots)
    if not points:
        return
    giver, taker = way.giver, way.taker
    giver.record(
        LotsMovedOut(
            merge_id=way.merge_id,
            currency=currency,
            points=points,
            business_unit=way.business_unit,
            draws=[draw_of(lot, lot.available) for lot in lots],
            to_id=taker.tally.account_id,
            available_after=giver.available(currency) - points,
        )
    )
    taker.record(
        LotsMovedIn(
            merge_id=way.merge_id,
            currency=currency,
            points=points,
            business_unit=way.business_unit,
            lots=[_moved(way, lot, lot.available) for lot in lots],
            from_id=giver.tally.account_id,
            available_after=taker.available(currency) + points,
        )
    )


def _move_pending(way: Way, currency: str, lots: list[Lot]) -> None:
    points = sum(lot.pending for lot in lots)
    if not points:
        return
    way.giver.record(
        PendingMovedOut(
            merge_id=way.merge_id,
            currency=currency,
            points=points,
            business_unit=way.business_unit,
            draws=[draw_of(lot, lot.pending) for lot in lots],
            to_id=way.taker.tally.account_id,
        )
    )
    way.taker.record(
        PendingMovedIn(
            merge_id=way.merge_id,
            currency=currency,
            points=points,
            business_unit=way.business_unit,
            lots=[_moved(way, lot, lot.pending, pending=True) for lot in lots],
            from_id=way.giver.tally.account_id,
        )
    )


def _moved(way: Way, lot: Lot, points: int, *, pending: bool = False) -> MovedLot:
    return MovedLot(
        lot_id=lot.lot_id,
        parent_lot_id=lot.lot_id,
        points=points,
        issuer=lot.issuer,
        funder=lot.funder,
        earned_time=to_timestamp(lot.earned_at),
        expire_time=optional_timestamp(lot.expires_at),
        grace=lot.grace,
        life=None if lot.life is None else life_message(lot.life),
        document=lot.document,
        tier_window=lot.tier_window,
        pending=pending,
        available_time=optional_timestamp(lot.available_at),
        owner_id=way.owner_there(lot.owner),
        lot_version=lot.seq,
        contributor_id=lot.contributor,
        campaign=lot.campaign,
    )


def move_holds(way: Way, most: int) -> int:
    """Move holds with the points they set aside, whole; how many draws."""
    moved = 0
    lots = {(lot.lot_id, lot.expires_at): lot for lot in way.giver.tally.lots.items}
    for hold in list(way.giver.tally.holds):
        if moved >= most:
            break
        if way.owners is not None and not any(way.moves(draw.owner) for draw in hold.draws):
            continue
        moved += len(hold.draws)
        _move_hold(way, hold, lots)
    return moved


def _move_hold(way: Way, hold: Hold, lots: Mapping[tuple[str, Instant | None], Lot]) -> None:
    way.giver.record(
        HoldMovedOut(
            merge_id=way.merge_id,
            currency=hold.currency,
            points=hold.points,
            business_unit=hold.business_unit,
            draws=[draw_of(draw, draw.points) for draw in hold.draws],
            hold_id=hold.hold_id,
            to_id=way.taker.tally.account_id,
            points_expire=hold.points_expire,
            captured=hold.captured,
        )
    )
    way.taker.record(
        HoldMovedIn(
            merge_id=way.merge_id,
            currency=hold.currency,
            points=hold.points,
            business_unit=hold.business_unit,
            lots=[
                _moved(way, lots[draw.lot_id, draw.expires_at], draw.points) for draw in hold.draws
            ],
            hold_id=hold.hold_id,
            from_id=way.giver.tally.account_id,
            expire_time=optional_timestamp(hold.expires_at),
            entry_id=hold.entry_id,
            act=hold.acts + 1,
            usages=[
                Usage(name=limit.name, scope=limit.scope, period=limit.period, kept=limit.kept)
                for limit in hold.limits
            ],
            owner_id=way.owner_there(hold.owner),
            points_expire=hold.points_expire,
            captured=hold.captured,
        )
    )


def move_debts(way: Way, most: int) -> int:
    """Move debts; how many."""
    moving = [debt for debt in way.giver.tally.debts if way.moves(debt.owner)][: max(0, most)]
    by_currency = sorted(moving, key=lambda debt: debt.currency)
    for currency, debts in groupby(by_currency, key=lambda debt: debt.currency):
        _move_some_debts(way, currency, list(debts))
    return len(moving)


def _move_some_debts(way: Way, currency: str, debts: list[Debt]) -> None:
    points = sum(debt.points for debt in debts)
    way.giver.record(
        DebtsMovedOut(
            merge_id=way.merge_id,
            currency=currency,
            points=points,
            business_unit=way.business_unit,
            debts=[_moved_debt(debt, debt.owner) for debt in debts],
            to_id=way.taker.tally.account_id,
        )
    )
    way.taker.record(
        DebtsMovedIn(
            merge_id=way.merge_id,
            currency=currency,
            points=points,
            business_unit=way.business_unit,
            debts=[_moved_debt(debt, way.owner_there(debt.owner)) for debt in debts],
            from_id=way.giver.tally.account_id,
        )
    )


def _moved_debt(debt: Debt, owner: str) -> MovedDebt:
    return MovedDebt(
        debt_id=debt.debt_id,
        points=debt.points,
        business_unit=debt.business_unit,
        document=debt.document,
        owner_id=owner,
    )


def parts_of(way: Way) -> dict[str, Part]:
    """What the documents of the accounts that move count for, by account."""
    account = way.giver.tally.account()
    if way.owners is not None:
        return {owner: part for owner, part in account.parts.items() if owner in way.owners}
    return parts_of_account(account)


def parts_of_account(account: Account) -> dict[str, Part]:
    """What the documents of a whole account count for, by account, as another one says it."""
    if account.parts:
        # Those that had been merged into this one come with it.
        own = account.account_id
        along = {owner: part for owner, part in account.parts.items() if owner != OWN}
        return {
            own: account.parts[OWN],
            **{owner: part._replace(via=part.via or own) for owner, part in along.items()},
        }
    return {account.account_id: _whole(account)}


def _whole(account: Account) -> Part:
    return Part(
        "",
        (),
        account.usage,
        account.numbers,
        account.streaks,
        account.benefits,
        account.last_activity,
        account.qualifying,
    )
