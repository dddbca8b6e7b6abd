"""Pools: the one that an account is, and those that its member is in."""

from typing import Final, NamedTuple

from ledger.core.instant import Instant
from loyalty.v1.types_pb2 import POOL_PERMISSION_ADMINISTER, PoolPermission


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

    def without(self, member_id: str) -> "Pool":
        """The pool as it is when a member has left."""
        staying = tuple(member for member in self.members if member.member_id != member_id)
        return self._replace(members=staying)

    @property
    def is_administered(self) -> bool:
        """Whether anybody may administer it."""
        return any(POOL_PERMISSION_ADMINISTER in member.permissions for member in self.members)

    @property
    def heir(self) -> PoolMember | None:
        """Who administers it from now on, with what they may do then; None if somebody does."""
        if self.is_administered or not self.members:
            return None
        first = self.members[0]
        may = tuple(sorted({*first.permissions, POOL_PERMISSION_ADMINISTER}))
        return first._replace(permissions=may)


class Pooling(NamedTuple):
    """What an account has to do with pools."""

    joined: tuple[str, ...] = ()
    """Pools that the member is in."""
    pool: Pool | None = None
    """Set for an account that is a pool, and has no member of its own."""


NO_POOLS: Final = Pooling()
