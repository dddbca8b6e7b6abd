"""Pools: who is in one, what they may do there, and how one ends."""

from typing import Final

from ledger.core import refusals
from ledger.core.commands import (
    AddPoolMember,
    ClosePool,
    CreatePool,
    JoinPool,
    LeavePool,
    RemovePoolMember,
    SetPoolPermissions,
)
from ledger.core.decision import Draft
from ledger.core.instant import to_timestamp
from ledger.core.pooling import Pool
from ledger.core.state import Account
from loyalty.v1.events_pb2 import (
    PoolClosed,
    PoolCreated,
    PoolJoined,
    PoolLeft,
    PoolMemberAdded,
    PoolMemberRemoved,
    PoolPermissionsChanged,
)
from loyalty.v1.types_pb2 import (
    POOL_PERMISSION_ADMINISTER,
    POOL_PERMISSION_CONTRIBUTE,
    POOL_PERMISSION_SPEND,
    POOL_PERMISSION_VIEW,
    PoolPermission,
)

MEMBERS_MAX: Final = 50
POOLS_MAX: Final = 10
EVERYTHING: Final = (
    POOL_PERMISSION_VIEW,
    POOL_PERMISSION_CONTRIBUTE,
    POOL_PERMISSION_SPEND,
    POOL_PERMISSION_ADMINISTER,
)


def require_pool(account: Account) -> Pool:
    """The pool that an account is. Raises UnknownPool."""
    if account.pooling.pool is None:
        raise refusals.UnknownPool(pool_id=account.account_id)
    return account.pooling.pool


def require_open(account: Account) -> Pool:
    """As `require_pool`, one that is not closed. Raises UnknownPool, PoolNotOpen."""
    pool = require_pool(account)
    if pool.closed:
        raise refusals.PoolNotOpen(pool_id=account.account_id)
    return pool


def require_permission(
    account: Account, member_id: str, permission: PoolPermission.ValueType
) -> None:
    """Refuse what a member may not do in a pool. Raises UnknownPool, NotPermittedInPool."""
    if not require_pool(account).may(member_id, permission):
        name = PoolPermission.Name(permission).removeprefix("POOL_PERMISSION_").lower()
        raise refusals.NotPermittedInPool(
            pool_id=account.account_id, member_id=member_id, permission=name
        )


def require_spender(account: Account, spender_id: str) -> None:
    """Refuse a pool's points to who may not spend them; a member's own are spent by nobody else.

    Raises UnknownPool, PoolNotOpen, NotPermittedInPool.
    """
    if spender_id:
        require_open(account)
        require_permission(account, spender_id, POOL_PERMISSION_SPEND)


def require_contributor(account: Account, sender_id: str) -> None:
    """Refuse points of who may not put any into a pool. Raises as `require_spender` does."""
    require_open(account)
    require_permission(account, sender_id, POOL_PERMISSION_CONTRIBUTE)


def contributed(account: Account, currency: str) -> dict[str, int]:
    """Points of a currency that are available in a pool, by who put them in."""
    left: dict[str, int] = {}
    for lot in account.lots:
        if lot.currency == currency and lot.available:
            left[lot.contributor] = left.get(lot.contributor, 0) + lot.available
    return left


def create(draft: Draft, command: CreatePool) -> None:
    """Open a pool whose founder may do everything."""
    account = draft.tally.account()
    draft.record(
        PoolCreated(
            pool_id=account.account_id,
            business_unit=command.business_unit,
            create_time=to_timestamp(command.occurred_at),
        )
    )
    draft.record(
        PoolMemberAdded(
            member_id=command.founder_id,
            permissions=EVERYTHING,
            business_unit=command.business_unit,
        )
    )


def add(draft: Draft, command: AddPoolMember) -> None:
    """Let a member in. Raises AlreadyInPool, PoolFull, and what `_opened` raises."""
    pool = _opened(draft, command)
    pool_id = draft.tally.account_id
    if pool.has(command.member_id):
        raise refusals.AlreadyInPool(pool_id=pool_id, member_id=command.member_id)
    if len(pool.members) >= MEMBERS_MAX:
        raise refusals.PoolFull(pool_id=pool_id, limit=MEMBERS_MAX)
    draft.record(
        PoolMemberAdded(
            member_id=command.member_id,
            permissions=sorted(command.permissions),
            business_unit=command.business_unit,
            by_id=command.by_id,
        )
    )


def remove(draft: Draft, command: RemovePoolMember) -> None:
    """Take a member out; the last one closes the pool behind them. Raises what `_opened` raises.

    Whoever leaves a pool that nobody else may administer hands that right over right before, so
    that each step is by somebody who may take it.
    """
    staying = _opened(draft, command).without(command.member_id)
    heir = staying.heir
    if heir is not None:
        draft.record(
            PoolPermissionsChanged(
                member_id=heir.member_id,
                permissions=heir.permissions,
                business_unit=command.business_unit,
                by_id=command.member_id,
                handed_over=True,
            )
        )
    _remove(draft, command.member_id, command)
    if not staying.members:
        _close(draft, command)


def set_permissions(draft: Draft, command: SetPoolPermissions) -> None:
    """Say what a member may do. Raises LastAdministrator, and what `_opened` raises."""
    others = _opened(draft, command).without(command.member_id)
    if POOL_PERMISSION_ADMINISTER not in command.permissions and not others.is_administered:
        raise refusals.LastAdministrator(
            pool_id=draft.tally.account_id, member_id=command.member_id
        )
    draft.record(
        PoolPermissionsChanged(
            member_id=command.member_id,
            permissions=sorted(command.permissions),
            business_unit=command.business_unit,
            by_id=command.by_id,
        )
    )


def close(draft: Draft, command: ClosePool) -> None:
    """Take everybody out, then close. Raises what `_opened` raises."""
    others = _opened(draft, command).without(command.by_id)
    # Whoever closes it goes last, so that each step is by somebody who may take it.
    for member_id in (*(each.member_id for each in others.members), command.by_id):
        _remove(draft, member_id, command)
    _close(draft, command)


def join(draft: Draft, command: JoinPool) -> None:
    """Let a member be in a pool. Raises TooManyPools."""
    account = draft.tally.account()
    if len(account.pooling.joined) >= POOLS_MAX:
        raise refusals.TooManyPools(member_id=account.account_id, limit=POOLS_MAX)
    draft.record(PoolJoined(pool_id=command.pool_id, business_unit=command.business_unit))


def leave(draft: Draft, command: LeavePool) -> None:
    """Let a member be in a pool no more."""
    draft.record(PoolLeft(pool_id=command.pool_id, business_unit=command.business_unit))


def _opened(
    draft: Draft, command: AddPoolMember | RemovePoolMember | SetPoolPermissions | ClosePool
) -> Pool:
    """The open pool that a command is about, if who does it may; to leave needs no permission.

    Raises UnknownPool, PoolNotOpen, NotPermittedInPool, NotInPool.
    """
    account = draft.tally.account()
    pool = require_open(account)
    if not (isinstance(command, RemovePoolMember) and command.by_id == command.member_id):
        require_permission(account, command.by_id, POOL_PERMISSION_ADMINISTER)
    match command:
        case RemovePoolMember() | SetPoolPermissions() if not pool.has(command.member_id):
            raise refusals.NotInPool(pool_id=account.account_id, member_id=command.member_id)
    return pool


def _remove(draft: Draft, member_id: str, command: RemovePoolMember | ClosePool) -> None:
    draft.record(
        PoolMemberRemoved(
            member_id=member_id, business_unit=command.business_unit, by_id=command.by_id
        )
    )


def _close(draft: Draft, command: RemovePoolMember | ClosePool) -> None:
    draft.record(PoolClosed(business_unit=command.business_unit, by_id=command.by_id))
