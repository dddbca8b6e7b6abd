"""Commands about pools: those about a pool's account, and those about a member's."""

from dataclasses import dataclass

from ledger.core.instant import Instant
from loyalty.v1.types_pb2 import PoolPermission

Permissions = tuple[PoolPermission.ValueType, ...]


@dataclass(frozen=True, slots=True)
class CreatePool:
    """Open a pool, with its first member."""

    founder_id: str
    business_unit: str
    occurred_at: Instant


@dataclass(frozen=True, slots=True)
class AddPoolMember:
    """Let a member in."""

    member_id: str
    permissions: Permissions
    by_id: str
    business_unit: str
    occurred_at: Instant


@dataclass(frozen=True, slots=True)
class RemovePoolMember:
    """Take a member out, or let one leave."""

    member_id: str
    by_id: str
    business_unit: str
    occurred_at: Instant


@dataclass(frozen=True, slots=True)
class SetPoolPermissions:
    """Say what a member may do."""

    member_id: str
    permissions: Permissions
    by_id: str
    business_unit: str
    occurred_at: Instant


@dataclass(frozen=True, slots=True)
class ClosePool:
    """Take everybody out, and let nothing in any more."""

    by_id: str
    business_unit: str
    occurred_at: Instant


@dataclass(frozen=True, slots=True)
class JoinPool:
    """Let a member be in a pool."""

    pool_id: str
    business_unit: str
    occurred_at: Instant


@dataclass(frozen=True, slots=True)
class LeavePool:
    """Let a member be in a pool no more."""

    pool_id: str
    business_unit: str
    occurred_at: Instant
