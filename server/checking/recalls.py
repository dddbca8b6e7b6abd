"""The shape of recalls, and of questions for where bad points are. Each check raises Malformed."""

from typing import Final

from loyalty.v1.audit_service_pb2 import TraceLotsRequest
from loyalty.v1.ledger_service_pb2 import RecallPointsRequest
from loyalty.v1.types_pb2 import (
    RECALL_ACTION_CLAW_BACK,
    RECALL_ACTION_QUARANTINE,
    RECALL_ACTION_UNSPECIFIED,
    RECALL_SPENT_UNSPECIFIED,
    RECALL_SPENT_WRITE_OFF,
    RecallAction,
    RecallSpent,
)
from server.checking import shape
from server.checking.documents import names

LOTS_MAX: Final = 1000
REASON_LENGTH: Final = 200
PAGE_MAX: Final = 1000
POSITIONS_MAX: Final = 1000
DOCUMENT_LENGTH: Final = 200
DOCUMENT_PARTS: Final = 3


def recall_points(request: RecallPointsRequest) -> None:
    """Check a recall."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.party("member", request.member)
    shape.text("recall_id", request.recall_id)
    if request.action == RECALL_ACTION_UNSPECIFIED or request.action not in RecallAction.values():
        shape.refuse("action", request.action, names(RecallAction.keys()[1:]))
    _lots(request)
    if request.spent not in RecallSpent.values():
        shape.refuse("spent", request.spent, names(RecallSpent.keys()))
    claws_back = request.action == RECALL_ACTION_CLAW_BACK
    if request.spent != RECALL_SPENT_UNSPECIFIED and not claws_back:
        shape.refuse("spent", RecallSpent.Name(request.spent), "none unless points are taken")
    shape.optional_text("write_off_to", request.write_off_to)
    if request.write_off_to and request.spent != RECALL_SPENT_WRITE_OFF:
        shape.refuse("write_off_to", request.write_off_to, "none unless spent is written off")
    shape.text("reason", request.reason, REASON_LENGTH)


def _lots(request: RecallPointsRequest) -> None:
    count = len(request.lot_ids)
    least = 1 if request.action == RECALL_ACTION_QUARANTINE else 0
    if not least <= count <= LOTS_MAX:
        shape.refuse("lot_ids", f"{count} lots", f"{least} to {LOTS_MAX} lots")
    for index, lot_id in enumerate(request.lot_ids):
        shape.text(f"lot_ids[{index}]", lot_id)


def trace_lots(request: TraceLotsRequest) -> None:
    """Check a question for where bad points are."""
    match request.WhichOneof("of"):
        case "lot_id":
            shape.text("lot_id", request.lot_id)
        case "campaign":
            shape.text("campaign", request.campaign)
        case "document":
            shape.text("document", request.document, DOCUMENT_LENGTH)
            parts = request.document.split("/", DOCUMENT_PARTS - 1)
            if len(parts) < DOCUMENT_PARTS or not all(parts):
                shape.refuse("document", request.document, "unit/source/id")
        case _:
            shape.refuse("of", "", "lot_id, campaign or document")
    if not 0 <= request.page_size <= PAGE_MAX:
        shape.refuse("page_size", request.page_size, f"0 to {PAGE_MAX}")
    if len(request.min_positions) > POSITIONS_MAX:
        shape.refuse(
            "min_positions", f"{len(request.min_positions)} positions", f"0 to {POSITIONS_MAX}"
        )
