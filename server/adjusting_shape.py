"""The shape of adjustments, and of the answers to proposals. Each check raises Malformed."""

from typing import Final

from loyalty.v1.ledger_service_pb2 import (
    AdjustPointsRequest,
    ApproveAdjustmentRequest,
    RejectAdjustmentRequest,
)
from server import shape

NOTE_LENGTH: Final = 200


def adjust_points(request: AdjustPointsRequest) -> None:
    """Check an adjustment."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.member(request.member)
    shape.text("points.currency", request.points.currency, shape.NAME_LENGTH)
    amount = request.points.amount
    if not 1 <= abs(amount) <= shape.AMOUNT_MAX:
        most = shape.AMOUNT_MAX
        shape.refuse("points.amount", amount, f"points to give, or to take below 0, up to {most}")
    shape.text("reason", request.reason)
    shape.optional_text("note", request.note, NOTE_LENGTH)
    shape.optional_text("funder", request.funder)
    shape.optional_text("approver", request.approver)
    shape.optional_text("lot_id", request.lot_id)
    if request.HasField("expire_time"):
        shape.moment("expire_time", request.expire_time)
    if amount > 0 and request.lot_id:
        shape.refuse("lot_id", request.lot_id, "none when points are given")
    if amount < 0 and request.funder:
        shape.refuse("funder", request.funder, "none when points are taken")
    if amount < 0 and request.HasField("expire_time"):
        seconds = request.expire_time.seconds
        shape.refuse("expire_time", f"{seconds}s", "none when points are taken")


def approve_adjustment(request: ApproveAdjustmentRequest) -> None:
    """Check a yes to a proposal."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.text("adjustment_id", request.adjustment_id)


def reject_adjustment(request: RejectAdjustmentRequest) -> None:
    """Check a no to a proposal."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.text("adjustment_id", request.adjustment_id)
    shape.optional_text("note", request.note, NOTE_LENGTH)
