"""The shape of requests about pools. Each check raises Malformed."""

from collections.abc import Collection
from typing import Final, TypeAlias

from loyalty.v1.member_service_pb2 import (
    AddPoolMemberRequest,
    ClosePoolRequest,
    CreatePoolRequest,
    GetPoolRequest,
    RemovePoolMemberRequest,
    SetPoolPermissionRequest,
)
from loyalty.v1.types_pb2 import POOL_PERMISSION_UNSPECIFIED, MemberRef, PoolPermission
from server.checking import shape

_InPool: TypeAlias = (
    AddPoolMemberRequest | RemovePoolMemberRequest | SetPoolPermissionRequest | ClosePoolRequest
)
_PERMISSIONS: Final = frozenset(PoolPermission.values()) - {POOL_PERMISSION_UNSPECIFIED}
_EXPECTED: Final = "each of " + ", ".join(PoolPermission.Name(may) for may in sorted(_PERMISSIONS))


def create_pool(request: CreatePoolRequest) -> None:
    """Check who opens a pool."""
    _by_member(request)


def add_pool_member(request: AddPoolMemberRequest) -> None:
    """Check who lets whom in, and to do what."""
    _in_pool(request)
    _other("joining", request.joining)
    _permissions(request.permissions)


def remove_pool_member(request: RemovePoolMemberRequest) -> None:
    """Check who takes whom out."""
    _in_pool(request)
    _other("leaving", request.leaving)


def set_pool_permission(request: SetPoolPermissionRequest) -> None:
    """Check who says what whom may do."""
    _in_pool(request)
    _other("subject", request.subject)
    _permissions(request.permissions)


def close_pool(request: ClosePoolRequest) -> None:
    """Check who closes a pool."""
    _in_pool(request)


def get_pool(request: GetPoolRequest) -> None:
    """Check a question for a pool."""
    shape.text("pool_id", request.pool_id)
    if request.HasField("member"):
        shape.member(request.member)
    shape.optional_text("min_position", request.min_position, shape.OPAQUE_LENGTH)


def _by_member(request: CreatePoolRequest | _InPool) -> None:
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.member(request.member)


def _in_pool(request: _InPool) -> None:
    _by_member(request)
    shape.text("pool_id", request.pool_id)


def _other(field: str, value: MemberRef) -> None:
    """Check that a second member is named; a pool is in no pool."""
    if value.WhichOneof("ref") == "pool_id":
        shape.refuse(f"{field}.pool_id", value.pool_id, "member_id or identity")
    shape.party(field, value)


def _permissions(found: Collection[PoolPermission.ValueType]) -> None:
    if not found:
        shape.refuse("permissions", "", f"at least one, {_EXPECTED}")
    if len(set(found)) < len(found) or not _PERMISSIONS.issuperset(found):
        shown = ", ".join(str(may) for may in found)
        shape.refuse("permissions", shown, f"{_EXPECTED}, at most once")
