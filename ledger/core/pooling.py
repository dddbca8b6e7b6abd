"""Pools: the one that an account is, and those that its member is in."""

from typing import Final, NamedTuple

from ledger.core.instant import Instant
from loyalty.v1.types_pb2 import PoolPermission


class PoolMember(NamedTuple):
    """Who is in a pool, and what they may do there."""

    member_id: str
    permissions: tuple[PoolPermission.ValueType, ...]
    """In the order of the enum."""


class Pool(NamedTuple):
    """An account that several members put points into and spend from."""

    created_at: Instant
    members: tuple[PoolMember, ...] = ()
    """In the order in which they came."""
    closed: bool = False

    def may(self, member_id: str, permission: PoolPermission.ValueType) -> bool:
        """Whether a member may do something."""
        return any(
            member.member_id == member_id and permission in member.permissions
            for member in self.members
        )

    def has(self, member_id: str) -> bool:
        """Whether a member is in the pool."""
        return any(member.member_id == member_id for member in self.members)


class Pooling(NamedTuple):
    """What an account has to do with pools."""

    joined: tuple[str, ...] = ()
    """Pools that the member is in."""
    pool: Pool | None = None
    """Set for an account that is a pool, and has no member of its own."""


NO_POOLS: Final = Pooling()
