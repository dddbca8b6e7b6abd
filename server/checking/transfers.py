"""The shape of transfers and conversions. Each check raises Malformed."""

from loyalty.v1.ledger_service_pb2 import (
    AcceptTransferRequest,
    CancelTransferRequest,
    ContinueTransferRequest,
    ConvertPointsRequest,
    DeclineTransferRequest,
    GetTransferRequest,
    ListTransfersRequest,
    TransferPointsRequest,
)
from server.checking import shape


def transfer_points(request: TransferPointsRequest) -> None:
    """Check a transfer."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.party("member", request.member)
    shape.party("receiver", request.receiver)
    shape.text("points.currency", request.points.currency, shape.NAME_LENGTH)
    shape.amount("points.amount", request.points.amount)


def about_transfer(
    request: AcceptTransferRequest | DeclineTransferRequest | CancelTransferRequest,
) -> None:
    """Check what a member says of a transfer."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.member(request.member)
    shape.text("transfer_id", request.transfer_id)


def continue_transfer(request: ContinueTransferRequest) -> None:
    """Check a next step."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.text("transfer_id", request.transfer_id)


def convert_points(request: ConvertPointsRequest) -> None:
    """Check a conversion."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.member(request.member)
    shape.text("conversion", request.conversion)
    shape.amount("points", request.points)


def get_transfer(request: GetTransferRequest) -> None:
    """Check a question for a transfer."""
    shape.text("transfer_id", request.transfer_id)


def list_transfers(request: ListTransfersRequest) -> None:
    """Check a question for transfers."""
    shape.party("member", request.member)
    shape.page(request)
    shape.optional_text("min_position", request.min_position, shape.OPAQUE_LENGTH)
