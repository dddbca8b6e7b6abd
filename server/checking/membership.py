"""Checks of requests about how far a member takes part. Each raises Malformed."""

from loyalty.v1.member_service_pb2 import (
    CloseMemberRequest,
    ContinueMergeRequest,
    MergeMembersRequest,
    MoveIdentityRequest,
    ReopenMemberRequest,
    SuspendMemberRequest,
    UnlinkIdentityRequest,
    UnmergeMembersRequest,
)
from server.checking import shape


def change_membership(
    request: SuspendMemberRequest
    | CloseMemberRequest
    | ReopenMemberRequest
    | MergeMembersRequest
    | UnmergeMembersRequest,
) -> None:
    """Check who is meant, and that a reason is given."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.member(request.member)
    shape.text("reason", request.reason, shape.REASON_LENGTH)


def unlink_identity(request: UnlinkIdentityRequest) -> None:
    """Check whose identity is meant, and which."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.member(request.member)
    shape.identity("identity", request.identity)
    shape.optional_text("reason", request.reason, shape.REASON_LENGTH)


def move_identity(request: MoveIdentityRequest) -> None:
    """Check who gets which identity, and that a reason is given."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.member(request.member)
    shape.identity("identity", request.identity)
    shape.text("reason", request.reason, shape.REASON_LENGTH)


def merge_members(request: MergeMembersRequest) -> None:
    """Check who becomes part of whom, and that a reason is given."""
    change_membership(request)
    shape.member(request.into, "into")


def continue_merge(request: ContinueMergeRequest) -> None:
    """Check whose merge goes on, and by which step."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.member(request.member)
    shape.amount("step", request.step)
