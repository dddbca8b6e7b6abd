"""The shape of every request: what must be there, how long, how large. One function a request.

What needs the policy or the account (is the unit known, are there enough points) the ledger checks.
Field paths are those of the single call, in a batch too.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from ledger.act import EARN_SOURCE
from ledger.core.refusals import Malformed
from loyalty.v1.account_service_pb2 import (
    GetAccountRequest,
    GetTierRequest,
    ListEntriesRequest,
    View,
)
from loyalty.v1.audit_service_pb2 import StreamEventsRequest, VerifyHistoryRequest
from loyalty.v1.ledger_service_pb2 import (
    AdvanceAccountRequest,
    BatchItem,
    BurnPointsRequest,
    CaptureHoldRequest,
    EarnPointsRequest,
    HoldPointsRequest,
    PostDocumentRequest,
    ReleaseHoldRequest,
    ReverseEntryRequest,
)
from loyalty.v1.member_service_pb2 import (
    EnrolMemberRequest,
    GetMemberRequest,
    GrantTierRequest,
    LinkIdentityRequest,
)
from loyalty.v1.types_pb2 import Document, DocumentKind, DocumentLine, DocumentStatus
from server import shape
from server.auth import Verb

BATCH_MAX: Final = 1000
ATOMIC_MAX: Final = 512
LINES_MAX: Final = 500
IDENTITIES_MAX: Final = 16
PAGE_MAX: Final = 1000
REASON_LENGTH: Final = 200
VERSION_MAX: Final = 10**10 - 1
"""Versions of a document are kept in ten digits."""
NIGHTS_MAX: Final = 999
LANES_MAX: Final = 1024
_KINDS: Final = frozenset(DocumentKind.values()) - {0}
_STATUSES: Final = frozenset(DocumentStatus.values()) - {0}
_VIEWS: Final = frozenset(View.values())


def post_document(request: PostDocumentRequest) -> None:
    """Check a document. Raises Malformed."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    if request.HasField("member"):
        shape.member(request.member)
    _document(request.document)


def _document(document: Document) -> None:
    source = document.source
    shape.text("document.source", source)
    if "/" in source or source == EARN_SOURCE:
        # Documents are known as unit/source/id, and those of EarnPoints have a source of their own.
        shape.refuse("document.source", source, f"a name without '/', other than {EARN_SOURCE!r}")
    shape.text("document.document_id", document.document_id)
    if not 1 <= document.version <= VERSION_MAX:
        shape.refuse(
            "document.version", document.version, f"a whole number from 1 to {VERSION_MAX}"
        )
    if document.kind not in _KINDS:
        shape.refuse("document.kind", document.kind, _names(DocumentKind.keys()))
    if document.status not in _STATUSES:
        shape.refuse("document.status", document.status, _names(DocumentStatus.keys()))
    shape.currency_code("document.currency_code", document.currency_code)
    shape.optional_text("document.receipt_code", document.receipt_code)
    if document.HasField("stay"):
        _count("document.stay.nights", document.stay.nights)
        _count("document.stay.stays", document.stay.stays)
    _lines(document.lines)


def _lines(lines: Sequence[DocumentLine]) -> None:
    if len(lines) > LINES_MAX:
        shape.refuse("document.lines", f"{len(lines)} lines", f"at most {LINES_MAX} lines")
    seen: set[str] = set()
    total = 0
    for index, line in enumerate(lines):
        try:
            _line(line, seen)
            total += line.net_minor_units
        except Malformed as refusal:
            # The path is put together here, so that lines that are right cost nothing for it.
            path = f"document.lines[{index}].{refusal.field}"
            raise Malformed(field=path, value=refusal.value, expected=refusal.expected) from None
    if total > shape.AMOUNT_MAX:
        expected = f"net amounts of at most {shape.AMOUNT_MAX} together"
        shape.refuse("document.lines", f"{total} together", expected)


def _line(line: DocumentLine, seen: set[str]) -> None:
    line_id = line.line_id
    shape.text("line_id", line_id)
    if line_id in seen:
        shape.refuse("line_id", line_id, "an id that no other line of the document has")
    seen.add(line_id)
    shape.text("category", line.category)
    shape.quantity("quantity", line.quantity)
    net = line.net_minor_units
    shape.amount("net_minor_units", net, least=0)
    if not 0 <= line.paid_with_points_minor_units <= net:
        shape.refuse(
            "paid_with_points_minor_units",
            line.paid_with_points_minor_units,
            f"a part of the net amount: 0 to {net}",
        )


def _count(field: str, value: int) -> None:
    if not 0 <= value <= NIGHTS_MAX:
        shape.refuse(field, value, f"a whole number from 0 to {NIGHTS_MAX}")


def _names(names: Sequence[str]) -> str:
    return "one of " + ", ".join(name for name in names if not name.endswith("UNSPECIFIED"))


def earn_points(request: EarnPointsRequest) -> None:
    """Check an earn. Raises Malformed."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.member(request.member)
    shape.price(request.amount, field="amount")
    shape.text("category", request.category)


def burn_points(request: BurnPointsRequest) -> None:
    """Check a burn. Raises Malformed."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.member(request.member)
    which = request.WhichOneof("amount")
    if which is None:
        shape.refuse("amount", "", "points, money or reward")
    elif which == "reward":
        shape.text("reward", request.reward)
    else:
        shape.burn_amount(request.points, request.money, which)
    _basket(request)


def hold_points(request: HoldPointsRequest) -> None:
    """Check a hold. Raises Malformed."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.member(request.member)
    shape.text("hold_id", request.hold_id)
    shape.burn_amount(request.points, request.money, request.WhichOneof("amount"))
    _basket(request)


def _basket(request: BurnPointsRequest | HoldPointsRequest) -> None:
    if request.HasField("basket"):
        shape.price(request.basket, field="basket")


def capture_hold(request: CaptureHoldRequest) -> None:
    """Check a capture. Raises Malformed."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.text("hold_id", request.hold_id)
    shape.amount("points", request.points)


def release_hold(request: ReleaseHoldRequest) -> None:
    """Check a release. Raises Malformed."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.text("hold_id", request.hold_id)


def reverse_entry(request: ReverseEntryRequest) -> None:
    """Check a reversal. Raises Malformed."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.text("entry_id", request.entry_id)
    shape.amount("points", request.points, least=0)


def advance_account(request: AdvanceAccountRequest) -> None:
    """Check an advance. Raises Malformed."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.member(request.member)


WRITES: Final[dict[str, tuple[Verb, Callable[[Any], None]]]] = {
    "PostDocument": (Verb.EARN, post_document),
    "EarnPoints": (Verb.EARN, earn_points),
    "BurnPoints": (Verb.BURN, burn_points),
    "HoldPoints": (Verb.BURN, hold_points),
    "CaptureHold": (Verb.BURN, capture_hold),
    "ReleaseHold": (Verb.BURN, release_hold),
    "ReverseEntry": (Verb.BURN, reverse_entry),
    "AdvanceAccount": (Verb.ADVANCE, advance_account),
}
"""Verb and check of each write, by the name of its call."""
ITEMS: Final = {re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): WRITES[name] for name in WRITES}
"""The same, by the name of its field in a batch's item."""


def batch(items: Sequence[BatchItem], *, atomic: bool) -> None:
    """Check a batch as a whole; its items are checked one by one. Raises Malformed."""
    most = ATOMIC_MAX if atomic else BATCH_MAX
    if not 1 <= len(items) <= most:
        kind = "an atomic batch" if atomic else "a batch"
        shape.refuse("items", f"{len(items)} items", f"1 to {most} items in {kind}")


def enrol_member(request: EnrolMemberRequest) -> None:
    """Check an enrolment. Raises Malformed."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    count = len(request.identities)
    if not 1 <= count <= IDENTITIES_MAX:
        shape.refuse("identities", f"{count} identities", f"1 to {IDENTITIES_MAX} identities")
    seen: set[tuple[str, str]] = set()
    for index, identity in enumerate(request.identities):
        field = f"identities[{index}]"
        shape.identity(field, identity)
        if (identity.scheme, identity.value) in seen:
            shape.refuse(field, shape.HIDDEN, "an identity that stands in the list once")
        seen.add((identity.scheme, identity.value))


def link_identity(request: LinkIdentityRequest) -> None:
    """Check a link. Raises Malformed."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.member(request.member)
    shape.identity("identity", request.identity)


def grant_tier(request: GrantTierRequest) -> None:
    """Check a tier by decision of staff. Raises Malformed."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.member(request.member)
    shape.optional_text("tier", request.tier)
    shape.text("reason", request.reason, REASON_LENGTH)
    if request.HasField("until_time"):
        shape.moment("until_time", request.until_time)
        if not request.tier:
            shape.refuse("until_time", str(request.until_time.seconds), "none without a tier")


def get_tier(request: GetTierRequest) -> None:
    """Check a question for a tier. Raises Malformed."""
    shape.member(request.member)
    shape.optional_text("min_position", request.min_position, shape.OPAQUE_LENGTH)


def get_member(request: GetMemberRequest) -> None:
    """Check a question for a member. Raises Malformed."""
    shape.member(request.member)
    shape.optional_text("min_position", request.min_position, shape.OPAQUE_LENGTH)


def get_account(request: GetAccountRequest) -> None:
    """Check a question for an account. Raises Malformed."""
    shape.member(request.member)
    if request.view not in _VIEWS:
        shape.refuse("view", request.view, _names(View.keys()))
    shape.optional_text("min_position", request.min_position, shape.OPAQUE_LENGTH)
    if request.as_of.HasField("effective_time"):
        shape.moment("as_of.effective_time", request.as_of.effective_time)
    if request.as_of.HasField("known_time"):
        shape.moment("as_of.known_time", request.as_of.known_time)


def list_entries(request: ListEntriesRequest) -> None:
    """Check a question for a statement. Raises Malformed."""
    shape.member(request.member)
    if not 0 <= request.page_size <= PAGE_MAX:
        shape.refuse("page_size", request.page_size, f"1 to {PAGE_MAX}; 0 for the usual size")
    shape.optional_text("page_token", request.page_token, shape.OPAQUE_LENGTH)
    shape.optional_text("currency", request.currency, shape.NAME_LENGTH)
    shape.optional_text("min_position", request.min_position, shape.OPAQUE_LENGTH)


def stream_events(request: StreamEventsRequest) -> None:
    """Check where a stream of events shall begin. Raises Malformed."""
    seen: set[int] = set()
    for index, position in enumerate(request.positions):
        if not 0 <= position.lane < LANES_MAX or position.lane in seen:
            shape.refuse(f"positions[{index}].lane", position.lane, "a lane, named once")
        if position.next_pos < 0:
            shape.refuse(f"positions[{index}].next_pos", position.next_pos, "0 or more")
        seen.add(position.lane)
    shape.optional_text("business_unit", request.business_unit)


def verify_history(_request: VerifyHistoryRequest) -> None:
    """Nothing in it can be wrong."""
