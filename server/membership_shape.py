"""Checks of requests about how far a member takes part. Each raises Malformed."""

from loyalty.v1.member_service_pb2 import (
    CloseMemberRequest,
    ReopenMemberRequest,
    SuspendMemberRequest,
)
from server import shape


def change_membership(
    request: SuspendMemberRequest | CloseMemberRequest | ReopenMemberRequest,
) -> None:
    """Check who is meant, and that a reason is given."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.member(request.member)
    shape.text("reason", request.reason, shape.REASON_LENGTH)
