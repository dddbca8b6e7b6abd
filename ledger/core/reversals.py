"""Reversals: burned points go back to the lots they came from, and may be taken again.

Amounts are net. What a burn still has out is a pile of draws: reversals take from its end, and a
reversal that is taken back puts its own draws on top.
"""

from collections.abc import Iterable, Sequence
from itertools import zip_longest

from ledger.core.burns import changed_usages, draw_or_refuse
from ledger.core.closing import require_taking_part
from ledger.core.commands import BurnFact, ReverseEntry
from ledger.core.decision import POINTS_MAX, Draft
from ledger.core.draws import draw_of
from ledger.core.instant import Instant
from ledger.core.lots import drawn_of
from ledger.core.pools import require_open
from ledger.core.refusals import (
    FeeNotReversible,
    Malformed,
    MoreThanLeft,
    NotReversible,
    UnknownEntry,
)
from ledger.core.state import OWN, Account, Drawn
from loyalty.v1.events_pb2 import (
    BurnReversed,
    HoldCaptured,
    PointsBurned,
    ReversalReversed,
)
from loyalty.v1.types_pb2 import Draw


def reverse(draft: Draft, command: ReverseEntry, *, now: Instant) -> None:
    """Take back a burn, a capture, or a reversal, whole or in part.

    Raises Malformed, UnknownEntry, NotReversible, FeeNotReversible, MoreThanLeft,
    InsufficientPoints, TooManyLots, and what `_require_spender` raises.
    """
    if not 0 <= command.points <= POINTS_MAX:
        raise Malformed(
            field="points", value=command.points, expected=f"0 (all that is left) to {POINTS_MAX}"
        )
    burn = _burn(command)
    target = _target(command)
    if isinstance(target, BurnReversed):
        _burn_again(draft, command, burn, target)
    else:
        _give_back(draft, command, burn, now)


def _burn(command: ReverseEntry) -> PointsBurned | HoldCaptured:
    first = command.history[0] if command.history else None
    if (
        isinstance(first, PointsBurned | HoldCaptured)
        and first.business_unit == command.business_unit
    ):
        if isinstance(first, PointsBurned) and first.fee:
            raise FeeNotReversible(entry_id=first.entry_id)
        return first
    raise UnknownEntry(entry_id=command.target_entry_id)


def _target(command: ReverseEntry) -> PointsBurned | HoldCaptured | BurnReversed:
    for fact in command.history:
        if fact.entry_id == command.target_entry_id:
            if isinstance(fact, ReversalReversed):
                raise NotReversible(entry_id=fact.entry_id, burn_entry_id=fact.burn_entry_id)
            return fact
    raise UnknownEntry(entry_id=command.target_entry_id)


def _give_back(
    draft: Draft, command: ReverseEntry, burn: PointsBurned | HoldCaptured, now: Instant
) -> None:
    account_id = draft.tally.account_id
    out = draws_out(command.history, command.accounts, account_id)
    left = sum(drawn.points for drawn in out)
    points = _points_or_refuse(command.points, left)
    draws = _refill(draft, out, points, grace_until=command.grace_until, now=now)
    draft.check_lots(len(draws))
    draft.check_room(burn.currency, points)
    draft.record(
        BurnReversed(
            entry_id=command.entry_id,
            currency=burn.currency,
            points=points,
            business_unit=burn.business_unit,
            draws=draws,
            burn_entry_id=burn.entry_id,
            available_after=draft.available(burn.currency) + points,
            act=len(command.history),
            usages=changed_usages(burn.usages, -points, _times(burn, left - points, -1)),
            owner_id=_owner(command, account_id),
        )
    )


def _burn_again(
    draft: Draft,
    command: ReverseEntry,
    burn: PointsBurned | HoldCaptured,
    reversal: BurnReversed,
) -> None:
    account = draft.tally.account()
    _require_spender(account)
    taken_again = sum(
        fact.points
        for fact in command.history
        if isinstance(fact, ReversalReversed) and fact.reversal_entry_id == reversal.entry_id
    )
    points = _points_or_refuse(command.points, reversal.points - taken_again)
    out = sum(drawn.points for drawn in draws_out(command.history))
    draws = draw_or_refuse(draft, burn.currency, points)
    draft.record(
        ReversalReversed(
            entry_id=command.entry_id,
            currency=burn.currency,
            points=points,
            business_unit=burn.business_unit,
            draws=draws,
            burn_entry_id=burn.entry_id,
            reversal_entry_id=reversal.entry_id,
            available_after=draft.available(burn.currency) - points,
            act=len(command.history),
            usages=changed_usages(burn.usages, points, _times(burn, out, 1)),
            owner_id=_owner(command, account.account_id),
        )
    )


def _require_spender(account: Account) -> None:
    """Refuse to spend anew from an account that nobody may spend from now.

    Of a pool it is asked whether it is open, and not who of its members it was: that one may have
    left, and the points are everybody's. Raises AccountErased, AccountClosed, AccountSuspended,
    PoolNotOpen.
    """
    require_taking_part(account)
    if account.pooling.pool is not None:
        require_open(account)


def _times(burn: PointsBurned | HoldCaptured, out: int, change: int) -> int:
    """Whether the burn as a whole is taken back, or stands again: only then its time counts less.

    A hold's time is given back when it is released whole, and never by what was captured of it.
    """
    return change if isinstance(burn, PointsBurned) and not out else 0


def _points_or_refuse(requested: int, left: int) -> int:
    if not left or requested > left:
        raise MoreThanLeft(left=left, requested=requested)
    return requested or left


def _owner(command: ReverseEntry, account_id: str) -> str:
    """Whose burn it was, where that account was merged into this one."""
    burned_by = command.accounts[0] if command.accounts else account_id
    return OWN if burned_by == account_id else burned_by


def draws_out(
    history: Iterable[BurnFact], accounts: Sequence[str] = (), account_id: str = ""
) -> list[Drawn]:
    """Draws of a burn that were not given back, oldest first, with the owners of their lots.

    `accounts` are those in whose streams the facts stand, `account_id` the one that asks.
    """
    out: list[Drawn] = []
    for fact, where in zip_longest(history, accounts, fillvalue=account_id):
        assert not isinstance(fact, str), "every account has its fact"
        if isinstance(fact, BurnReversed):
            _take_last(out, fact.points)
        else:
            out.extend(_owned(drawn_of(draw), where, account_id) for draw in fact.draws)
    return out


def _owned(drawn: Drawn, where: str, account_id: str) -> Drawn:
    """A draw with its lot's owner as this account says it, not as that in which it was drawn."""
    if where == account_id:
        return drawn
    owner = drawn.owner or where
    return drawn._replace(owner=OWN if owner == account_id else owner)


def _take_last(out: list[Drawn], points: int) -> None:
    """Take points off the end of the pile, as `_refill` does: a reversal draws nothing else."""
    while points and out:
        last = out.pop()
        if points < last.points:
            out.append(last._replace(points=last.points - points))
        points -= min(points, last.points)


def _refill(
    draft: Draft, out: list[Drawn], points: int, *, grace_until: Instant | None, now: Instant
) -> list[Draw]:
    """Draws that give points back, the last one taken first; grace replaces a passed expiry.

    Once: points that live on grace keep its date, or they would never expire for a member who
    burns and reverses again and again.
    """
    draws: list[Draw] = []
    for drawn in reversed(out):
        if not points:
            break
        part = min(points, drawn.points)
        points -= part
        draws.append(draw_of(_with_grace(draft, drawn, grace_until, now=now), part))
    return draws


def _with_grace(draft: Draft, drawn: Drawn, grace_until: Instant | None, *, now: Instant) -> Drawn:
    if grace_until is None or drawn.grace:
        return drawn
    expires_at = draft.end_of(drawn)
    if expires_at is None or expires_at > now:
        return drawn
    return drawn._replace(expires_at=max(expires_at, grace_until), grace=True, life=None)
