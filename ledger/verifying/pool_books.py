"""Books of pools: who did what in one was permitted to, and pool and member say the same."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from ledger.core.events import AccountFact
from ledger.core.pooling import Pool, Pooling, PoolMember
from ledger.core.pools import MEMBERS_MAX, POOLS_MAX
from ledger.core.tally import Tally
from ledger.verifying.findings import Finding, Reason
from ledger.verifying.two_sides import Sides, Told, name_of
from loyalty.v1.events_pb2 import (
    TRANSFER_KIND_CONTRIBUTION,
    TRANSFER_KIND_HOME,
    MemberErased,
    MembershipChanged,
    PointsBurned,
    PointsHeld,
    PointsReceived,
    PointsSent,
    PoolClosed,
    PoolCreated,
    PoolJoined,
    PoolLeft,
    PoolMemberAdded,
    PoolMemberRemoved,
    PoolPermissionsChanged,
    ReversalReversed,
)
from loyalty.v1.types_pb2 import (
    MEMBERSHIP_STATE_CLOSED,
    POOL_PERMISSION_ADMINISTER,
    POOL_PERMISSION_CONTRIBUTE,
    POOL_PERMISSION_SPEND,
)

_POOL: Final = "pool"
_MEMBER: Final = "member of a pool"


def wrong_of_pools(fact: AccountFact, tally: Tally, account_id: str) -> Iterator[str]:
    """What is wrong with a fact, in an account as it was before it."""
    check = _CHECKS.get(type(fact))
    if check is not None:
        yield from check(fact, tally.pooling)
    elif isinstance(fact, PoolCreated) and (tally.version or fact.pool_id != account_id):
        yield f"pool {fact.pool_id} is not the account that it stands in"


def told_of_pools(fact: AccountFact, account_id: str, pos: int) -> Iterator[Told]:
    """What the account of the other side has to say too."""
    match fact:
        case PoolMemberAdded():
            yield Told(_POOL, _name("in", account_id, fact.member_id), pos)
        case PoolMemberRemoved():
            yield Told(_POOL, _name("out", account_id, fact.member_id), pos)
        case PoolJoined():
            yield Told(_MEMBER, _name("in", fact.pool_id, account_id), pos)
        case PoolLeft():
            yield Told(_MEMBER, _name("out", fact.pool_id, account_id), pos)
        case _:
            pass


def unmatched_pools(sides: Sides) -> Iterator[tuple[int, Finding]]:
    """Lanes and findings: what a pool says of a member and the member does not, or the reverse."""
    for side, other, why in (
        (_POOL, _MEMBER, "the member's account says nothing of it"),
        (_MEMBER, _POOL, "the pool's account says nothing of it"),
    ):
        for lane, pos in sides.missing(side, other):
            yield lane, Finding(pos, Reason.POOL_MISMATCH, why)


def _name(change: str, pool_id: str, member_id: str) -> int:
    return name_of(change.encode(), pool_id.encode(), member_id.encode())


def _added(fact: PoolMemberAdded, pooling: Pooling) -> Iterator[str]:
    pool = pooling.pool
    if pool is None:
        return
    if pool.closed or pool.has(fact.member_id) or len(pool.members) >= MEMBERS_MAX:
        yield f"member {fact.member_id} cannot come in"
    if pool.members or fact.by_id:
        yield from _not_by_administrator(pool, fact.by_id)


def _removed(fact: PoolMemberRemoved, pooling: Pooling) -> Iterator[str]:
    pool = pooling.pool
    if pool is None:
        return
    if not pool.has(fact.member_id):
        yield f"member {fact.member_id} is not in the pool"
    if fact.by_id != fact.member_id:
        yield from _not_by_administrator(pool, fact.by_id)
    if pool.without(fact.member_id).heir is not None:
        yield f"nobody may administer the pool when {fact.member_id} has left"


def _changed(fact: PoolPermissionsChanged, pooling: Pooling) -> Iterator[str]:
    pool = pooling.pool
    if pool is None:
        return
    if pool.closed or not pool.has(fact.member_id):
        yield f"member {fact.member_id} is not in the pool"
    yield from _not_by_administrator(pool, fact.by_id)
    others = pool.without(fact.member_id)
    if fact.handed_over:
        told = PoolMember(fact.member_id, tuple(fact.permissions))
        if told != pool.without(fact.by_id).heir:
            yield f"the right to administer does not go from {fact.by_id} to {fact.member_id}"
    elif POOL_PERMISSION_ADMINISTER not in fact.permissions and not others.is_administered:
        yield f"nobody may administer the pool when {fact.member_id} may not"


def _not_by_administrator(pool: Pool, by_id: str) -> Iterator[str]:
    if not pool.may(by_id, POOL_PERMISSION_ADMINISTER):
        yield f"{by_id or 'nobody'} may not administer the pool"


def _closed(fact: PoolClosed, pooling: Pooling) -> Iterator[str]:
    del fact  # who did it left with the others, right before
    if pooling.pool is not None and (pooling.pool.closed or pooling.pool.members):
        yield "the pool is closed already, or somebody is still in it"


def _joined(fact: PoolJoined, pooling: Pooling) -> Iterator[str]:
    if pooling.pool or fact.pool_id in pooling.joined or len(pooling.joined) >= POOLS_MAX:
        yield f"the account cannot be in pool {fact.pool_id}"


def _left(fact: PoolLeft, pooling: Pooling) -> Iterator[str]:
    if fact.pool_id not in pooling.joined:
        yield f"the account is not in pool {fact.pool_id}"


def _gone(fact: MembershipChanged | MemberErased, pooling: Pooling) -> Iterator[str]:
    if isinstance(fact, MembershipChanged) and fact.state != MEMBERSHIP_STATE_CLOSED:
        return
    for pool_id in pooling.joined:
        yield f"the account is closed or erased, and still in pool {pool_id}"


def _spent(fact: PointsBurned | PointsHeld, pooling: Pooling) -> Iterator[str]:
    pool = pooling.pool
    if pool is None:
        if fact.spender_id:
            yield f"{fact.spender_id} spends points that are a member's own"
    elif pool.closed or not pool.may(fact.spender_id, POOL_PERMISSION_SPEND):
        yield f"{fact.spender_id or 'nobody'} may not spend points of the pool"


def _spent_again(fact: ReversalReversed, pooling: Pooling) -> Iterator[str]:
    if pooling.pool is not None and pooling.pool.closed:
        yield f"burn {fact.burn_entry_id} stands again in a pool that is closed"


def _received(fact: PointsReceived, pooling: Pooling) -> Iterator[str]:
    pool = pooling.pool
    if (fact.kind == TRANSFER_KIND_CONTRIBUTION) != (pool is not None):
        yield f"transfer {fact.entry_id} is of another kind than its receiver"
    elif pool and (pool.closed or not pool.may(fact.sender_id, POOL_PERMISSION_CONTRIBUTE)):
        yield f"{fact.sender_id} may not put points into the pool"


def _sent(fact: PointsSent, pooling: Pooling) -> Iterator[str]:
    if (fact.kind == TRANSFER_KIND_HOME) != (pooling.pool is not None):
        yield f"transfer {fact.entry_id} is of another kind than its sender"
    elif pooling.pool and any(draw.contributor_id != fact.receiver_id for draw in fact.draws):
        yield f"transfer {fact.entry_id} takes points home that {fact.receiver_id} did not put in"


_CHECKS: Final[dict[type, Callable[[Any, Pooling], Iterator[str]]]] = {
    PoolMemberAdded: _added,
    PoolMemberRemoved: _removed,
    PoolPermissionsChanged: _changed,
    PoolClosed: _closed,
    PoolJoined: _joined,
    PoolLeft: _left,
    MembershipChanged: _gone,
    MemberErased: _gone,
    PointsBurned: _spent,
    PointsHeld: _spent,
    ReversalReversed: _spent_again,
    PointsReceived: _received,
    PointsSent: _sent,
}
