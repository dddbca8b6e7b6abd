"""The shape of adjustments, and of the answers to proposals. Each check raises Malformed."""

from typing import Final

from loyalty.v1.ledger_service_pb2 import (
    AdjustmentState,
    AdjustPointsRequest,
    ApproveAdjustmentRequest,
    ExtendLotRequest,
    ListAdjustmentsRequest,
    RejectAdjustmentRequest,
)
from server.checking import shape
from server.checking.documents import names

NOTE_LENGTH: Final = 200
PAGE_MAX: Final = 200


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
    if request.funder and (amount < 0 or request.lot_id):
        # Who pays for points that come back is settled since they were earned.
        shape.refuse("funder", request.funder, "none when points are taken, or come back")
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


def extend_lot(request: ExtendLotRequest) -> None:
    """Check a later end of a lot."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.member(request.member)
    shape.text("lot_id", request.lot_id)
    if not request.HasField("expire_time"):
        shape.refuse("expire_time", "", "when the lot expires from now on")
    shape.moment("expire_time", request.expire_time)
    shape.text("reason", request.reason, NOTE_LENGTH)


def list_adjustments(request: ListAdjustmentsRequest) -> None:
    """Check a question for adjustments."""
    shape.optional_text("business_unit", request.business_unit)
    if request.state not in AdjustmentState.values():
        shape.refuse("state", request.state, names(AdjustmentState.keys()))
    if request.HasField("member"):
        shape.member(request.member)
    shape.optional_text("operator", request.operator)
    shape.page(request, PAGE_MAX)
    shape.optional_text("min_position", request.min_position, shape.OPAQUE_LENGTH)
