"""Facts about pools, in the pool's account and in those of its members."""

from ledger.core.instant import from_timestamp
from ledger.core.lots import CorruptHistory
from ledger.core.pooling import Pool, PoolMember
from ledger.core.tally import Tally
from loyalty.v1.events_pb2 import (
    PoolClosed,
    PoolCreated,
    PoolJoined,
    PoolLeft,
    PoolMemberAdded,
    PoolMemberRemoved,
    PoolPermissionsChanged,
)


def create(tally: Tally, event: PoolCreated) -> None:
    """Let the account be a pool."""
    tally.business_unit = event.business_unit
    tally.pooling = tally.pooling._replace(pool=Pool(from_timestamp(event.create_time)))


def add(tally: Tally, event: PoolMemberAdded) -> None:
    """Let a member in."""
    pool = _pool(tally)
    member = PoolMember(event.member_id, tuple(event.permissions))
    _change(tally, pool._replace(members=(*pool.members, member)))


def remove(tally: Tally, event: PoolMemberRemoved) -> None:
    """Take a member out."""
    _change(tally, _pool(tally).without(event.member_id))


def change_permissions(tally: Tally, event: PoolPermissionsChanged) -> None:
    """Say what a member may do."""
    pool = _pool(tally)
    changed = PoolMember(event.member_id, tuple(event.permissions))
    members = tuple(changed if each.member_id == event.member_id else each for each in pool.members)
    _change(tally, pool._replace(members=members))


def close(tally: Tally, event: PoolClosed) -> None:
    """Let nothing in any more."""
    del event  # says who did it, which the account does not show
    _change(tally, _pool(tally)._replace(closed=True))


def join(tally: Tally, event: PoolJoined) -> None:
    """Remember a pool that the member is in."""
    joined = (*tally.pooling.joined, event.pool_id)
    tally.pooling = tally.pooling._replace(joined=joined)


def leave(tally: Tally, event: PoolLeft) -> None:
    """Forget it."""
    joined = tuple(each for each in tally.pooling.joined if each != event.pool_id)
    tally.pooling = tally.pooling._replace(joined=joined)


def _pool(tally: Tally) -> Pool:
    pool = tally.pooling.pool
    if pool is None:
        raise CorruptHistory("the account is no pool")
    return pool


def _change(tally: Tally, pool: Pool) -> None:
    tally.pooling = tally.pooling._replace(pool=pool)
