"""The shape of requests about the programme's policies. What a document says the rules check."""

import re
from typing import Final

from loyalty.v1 import programme_service_pb2 as pb
from server.checking import shape

POLICY_BYTES_MAX: Final = 1024 * 1024
CURRENCIES_MAX: Final = 50
TEXT_LENGTH: Final = 1000
OPERATOR_LENGTH: Final = 64
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


def draft_policy(request: pb.DraftPolicyRequest) -> None:
    """Check a draft. Raises Malformed."""
    shape.text("request_id", request.request_id)
    _document("document", request.document)
    _operator(request.operator)


def record_simulation(request: pb.RecordSimulationRequest) -> None:
    """Check the record of a run over history. Raises Malformed."""
    shape.text("request_id", request.request_id)
    _digest("digest", request.digest)
    _digest("report_digest", request.report_digest)
    count = len(request.difference)
    if count > CURRENCIES_MAX:
        shape.refuse("difference", f"{count} currencies", f"at most {CURRENCIES_MAX}")
    seen: set[str] = set()
    for index, points in enumerate(request.difference):
        field = f"difference[{index}].currency"
        shape.text(field, points.currency, shape.NAME_LENGTH)
        if points.currency in seen:
            shape.refuse(field, points.currency, "a point currency that stands in the list once")
        seen.add(points.currency)
    if request.documents < 0:
        shape.refuse("documents", request.documents, "0 or more")
    _operator(request.operator)


def approve_policy(request: pb.ApprovePolicyRequest) -> None:
    """Check an approval. Raises Malformed."""
    shape.text("request_id", request.request_id)
    _digest("digest", request.digest)
    _operator(request.operator)
    shape.optional_text("note", request.note, TEXT_LENGTH)


def publish_policy(request: pb.PublishPolicyRequest) -> None:
    """Check a publication: a document or the digest of a draft, one of them. Raises Malformed."""
    shape.text("request_id", request.request_id)
    if request.digest:
        _digest("digest", request.digest)
        if request.document:
            shape.refuse("document", f"{len(request.document)} characters", "empty beside a digest")
    else:
        _document("document", request.document)
    _operator(request.operator)


def withdraw_policy(request: pb.WithdrawPolicyRequest) -> None:
    """Check a withdrawal. Raises Malformed."""
    shape.text("request_id", request.request_id)
    _digest("digest", request.digest)
    _operator(request.operator)
    shape.text("reason", request.reason, TEXT_LENGTH)


def check_policy(request: pb.CheckPolicyRequest) -> None:
    """Check the size of a document. Raises Malformed."""
    _document("document", request.document)


def get_programme(request: pb.GetProgrammeRequest) -> None:
    """Check a question for the programme. Raises Malformed."""
    if request.HasField("effective_time"):
        shape.moment("effective_time", request.effective_time)


def get_policy(request: pb.GetPolicyRequest) -> None:
    """Check a question for a policy. Raises Malformed."""
    match request.WhichOneof("which"):
        case "version":
            _version("version", request.version)
        case "effective_time":
            shape.moment("effective_time", request.effective_time)
        case "digest":
            _digest("digest", request.digest)


def list_policies(request: pb.ListPoliciesRequest) -> None:
    """Check a question for a list. Raises Malformed."""
    shape.page(request)


def diff_policies(request: pb.DiffPoliciesRequest) -> None:
    """Check a comparison. Raises Malformed."""
    # `from` is a word of Python's, so the stub has it under no name that could be written here.
    for field in ("from", "to"):
        choice: pb.PolicyChoice = getattr(request, field)
        match choice.WhichOneof("which"):
            case "version":
                _version(f"{field}.version", choice.version)
            case "digest":
                _digest(f"{field}.digest", choice.digest)
            case "document":
                _document(f"{field}.document", choice.document)
            case None if field == "to":
                shape.refuse("to", "", "version, digest or document")


def _document(field: str, document: str) -> None:
    size = len(document.encode())
    if not 1 <= size <= POLICY_BYTES_MAX:
        shape.refuse(field, f"{size} bytes", f"1 to {POLICY_BYTES_MAX} bytes of YAML or JSON")


def _digest(field: str, digest: str) -> None:
    if not _DIGEST.fullmatch(digest):
        shape.refuse(field, digest, "64 hexadecimal digits, a-f in lower case")


def _version(field: str, version: int) -> None:
    if version < 1:
        shape.refuse(field, version, "a whole number from 1")


def _operator(operator: str) -> None:
    shape.optional_text("operator", operator, OPERATOR_LENGTH)
