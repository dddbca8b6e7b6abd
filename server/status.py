"""From refusals to gRPC: the one table of codes, and the google.rpc.Status that a caller receives.

`python -m server.status` writes docs/refusals.md from it, and the Python client's exceptions.
"""

import dataclasses
from functools import cache
from pathlib import Path
from typing import Final

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, LocalizedMessage, RetryInfo
from google.rpc.status_pb2 import Status

from ledger.core.refusals import ALL_REFUSALS, Refusal
from server import refusal_classes
from server.refusal_texts import SPOKEN

DOMAIN: Final = "loyalty"
DETAILS_KEY: Final = "grpc-status-details-bin"
PUSHBACK_KEY: Final = "grpc-retry-pushback-ms"
INTERNAL_REASON: Final = "INTERNAL"
FIELD_LENGTH: Final = 200
"""Longest value in a Status: it travels in a header, and more than 8 KiB of them are refused."""

FAULTS_MAX: Final = 12
"""Most faults that a Status names, for the same reason."""

_Code = grpc.StatusCode
CODES: Final[dict[str, grpc.StatusCode]] = {
    "UNAUTHENTICATED": _Code.UNAUTHENTICATED,
    "PERMISSION": _Code.PERMISSION_DENIED,
    "MALFORMED": _Code.INVALID_ARGUMENT,
    "NOT_SERVING": _Code.UNAVAILABLE,
    "QUEUE_FULL": _Code.RESOURCE_EXHAUSTED,
    "DEADLINE_PASSED": _Code.DEADLINE_EXCEEDED,
    "REQUEST_CONFLICT": _Code.ALREADY_EXISTS,
    "DOCUMENT_CONFLICT": _Code.ALREADY_EXISTS,
    "HOLD_EXISTS": _Code.ALREADY_EXISTS,
    "POLICY_INVALID": _Code.INVALID_ARGUMENT,
    "POLICY_EXISTS": _Code.ALREADY_EXISTS,
    "DRAFT_EXISTS": _Code.ALREADY_EXISTS,
    "POLICY_NOT_DRAFTED": _Code.NOT_FOUND,
    "POLICY_WITHDRAWN": _Code.FAILED_PRECONDITION,
    "APPROVER_IS_AUTHOR": _Code.FAILED_PRECONDITION,
    "POLICY_NOT_APPROVED": _Code.FAILED_PRECONDITION,
    "POLICY_OVERLAPS": _Code.FAILED_PRECONDITION,
    "RETROACTIVE_POLICY": _Code.FAILED_PRECONDITION,
    "POLICY_IN_FORCE": _Code.FAILED_PRECONDITION,
    "UNKNOWN_POLICY": _Code.NOT_FOUND,
    "NO_POLICY": _Code.FAILED_PRECONDITION,
    "UNKNOWN_BUSINESS_UNIT": _Code.INVALID_ARGUMENT,
    "UNKNOWN_CURRENCY": _Code.INVALID_ARGUMENT,
    "UNKNOWN_CATEGORY": _Code.INVALID_ARGUMENT,
    "UNKNOWN_TIER": _Code.INVALID_ARGUMENT,
    "UNKNOWN_CONVERSION": _Code.INVALID_ARGUMENT,
    "UNKNOWN_REWARD": _Code.INVALID_ARGUMENT,
    "UNKNOWN_ACTIVITY": _Code.INVALID_ARGUMENT,
    "UNKNOWN_PAYMENT": _Code.INVALID_ARGUMENT,
    "UNKNOWN_REASON": _Code.INVALID_ARGUMENT,
    "UNKNOWN_FUNDER": _Code.INVALID_ARGUMENT,
    "UNKNOWN_ATTRIBUTE": _Code.INVALID_ARGUMENT,
    "UNKNOWN_SEGMENT": _Code.INVALID_ARGUMENT,
    "ATTRIBUTE_TYPE": _Code.INVALID_ARGUMENT,
    "FOREIGN_CURRENCY": _Code.INVALID_ARGUMENT,
    "RATE_MISSING": _Code.INVALID_ARGUMENT,
    "OCCURRED_IN_FUTURE": _Code.INVALID_ARGUMENT,
    "TOO_LATE": _Code.FAILED_PRECONDITION,
    "UNKNOWN_MEMBER": _Code.NOT_FOUND,
    "ALREADY_ENROLLED": _Code.ALREADY_EXISTS,
    "IDENTITIES_DIFFER": _Code.FAILED_PRECONDITION,
    "ACCOUNT_ERASED": _Code.FAILED_PRECONDITION,
    "NOT_ERASED": _Code.NOT_FOUND,
    "NO_REFERRALS": _Code.FAILED_PRECONDITION,
    "SELF_REFERRAL": _Code.FAILED_PRECONDITION,
    "ALREADY_REFERRED": _Code.ALREADY_EXISTS,
    "REFERRAL_TOO_LATE": _Code.FAILED_PRECONDITION,
    "OPENING_CONFLICT": _Code.ALREADY_EXISTS,
    "OPENING_SOURCE_CHANGED": _Code.FAILED_PRECONDITION,
    "UNKNOWN_METRIC": _Code.INVALID_ARGUMENT,
    "TOO_MANY_CONSENTS": _Code.FAILED_PRECONDITION,
    "IDENTITY_TAKEN": _Code.ALREADY_EXISTS,
    "DOCUMENT_OF_ANOTHER_MEMBER": _Code.FAILED_PRECONDITION,
    "UNKNOWN_DOCUMENT": _Code.NOT_FOUND,
    "TOO_MANY_GUESSES": _Code.FAILED_PRECONDITION,
    "WRONG_RECEIPT_CODE": _Code.FAILED_PRECONDITION,
    "ALREADY_CLAIMED": _Code.FAILED_PRECONDITION,
    "CLAIM_TOO_LATE": _Code.FAILED_PRECONDITION,
    "ALREADY_THEIRS": _Code.FAILED_PRECONDITION,
    "NOT_A_RETURN": _Code.FAILED_PRECONDITION,
    "PERIOD_NOT_OVER": _Code.FAILED_PRECONDITION,
    "PERIOD_OUT_OF_ORDER": _Code.FAILED_PRECONDITION,
    "UNKNOWN_PERIOD": _Code.NOT_FOUND,
    "ACCOUNT_CLOSED": _Code.FAILED_PRECONDITION,
    "ACCOUNT_SUSPENDED": _Code.FAILED_PRECONDITION,
    "MERGING": _Code.ABORTED,
    "MERGE_INTO_ITSELF": _Code.FAILED_PRECONDITION,
    "ALREADY_MERGED": _Code.FAILED_PRECONDITION,
    "NOT_MERGED": _Code.FAILED_PRECONDITION,
    "UNMERGE_FIRST": _Code.FAILED_PRECONDITION,
    "IN_POOLS": _Code.FAILED_PRECONDITION,
    "POINTS_IN_TRANSIT": _Code.FAILED_PRECONDITION,
    "POINTS_RECALLED": _Code.FAILED_PRECONDITION,
    "HOLD_OF_BOTH": _Code.FAILED_PRECONDITION,
    "IDENTITY_NOT_LINKED": _Code.NOT_FOUND,
    "ACCOUNT_NOT_EMPTY": _Code.FAILED_PRECONDITION,
    "UNKNOWN_ADJUSTMENT": _Code.NOT_FOUND,
    "ADJUSTMENT_RESOLVED": _Code.FAILED_PRECONDITION,
    "APPROVER_MISSING": _Code.FAILED_PRECONDITION,
    "APPROVER_IS_ACTOR": _Code.FAILED_PRECONDITION,
    "UNKNOWN_LOT": _Code.NOT_FOUND,
    "MORE_THAN_EXPIRED": _Code.FAILED_PRECONDITION,
    "LOT_WITHOUT_DATE": _Code.FAILED_PRECONDITION,
    "END_NOT_LATER": _Code.FAILED_PRECONDITION,
    "UNKNOWN_TRANSFER": _Code.NOT_FOUND,
    "TRANSFER_RESOLVED": _Code.FAILED_PRECONDITION,
    "TRANSFER_WAITS": _Code.FAILED_PRECONDITION,
    "NO_RELATION": _Code.FAILED_PRECONDITION,
    "ACCOUNT_TOO_YOUNG": _Code.FAILED_PRECONDITION,
    "UNKNOWN_POOL": _Code.NOT_FOUND,
    "POOL_NOT_OPEN": _Code.FAILED_PRECONDITION,
    "NOT_PERMITTED_IN_POOL": _Code.FAILED_PRECONDITION,
    "NOT_IN_POOL": _Code.FAILED_PRECONDITION,
    "ALREADY_IN_POOL": _Code.ALREADY_EXISTS,
    "LAST_ADMINISTRATOR": _Code.FAILED_PRECONDITION,
    "POOL_FULL": _Code.FAILED_PRECONDITION,
    "TOO_MANY_POOLS": _Code.FAILED_PRECONDITION,
    "UNKNOWN_HOLD": _Code.NOT_FOUND,
    "HOLD_RESOLVED": _Code.FAILED_PRECONDITION,
    "UNKNOWN_ENTRY": _Code.NOT_FOUND,
    "NOT_REVERSIBLE": _Code.FAILED_PRECONDITION,
    "FEE_NOT_REVERSIBLE": _Code.FAILED_PRECONDITION,
    "NO_TIER_GRANTED": _Code.FAILED_PRECONDITION,
    "TIER_BELOW_EARNED": _Code.FAILED_PRECONDITION,
    "NOT_FOR_TIER": _Code.FAILED_PRECONDITION,
    "NOT_NOW": _Code.FAILED_PRECONDITION,
    "BELOW_MINIMUM": _Code.FAILED_PRECONDITION,
    "NOT_A_STEP": _Code.FAILED_PRECONDITION,
    "ABOVE_MAXIMUM": _Code.FAILED_PRECONDITION,
    "BASKET_SHARE_EXCEEDED": _Code.FAILED_PRECONDITION,
    "LIMIT_REACHED": _Code.FAILED_PRECONDITION,
    "VELOCITY_EXCEEDED": _Code.FAILED_PRECONDITION,
    "INSUFFICIENT_POINTS": _Code.FAILED_PRECONDITION,
    "CLAWBACK_REFUSED": _Code.FAILED_PRECONDITION,
    "MORE_THAN_HELD": _Code.FAILED_PRECONDITION,
    "MORE_THAN_LEFT": _Code.FAILED_PRECONDITION,
    "TOO_MANY_LOTS": _Code.FAILED_PRECONDITION,
    "POINTS_OVERFLOW": _Code.FAILED_PRECONDITION,
    "ATOMIC_REFUSED": _Code.FAILED_PRECONDITION,
}
"""Code of each reason."""

RETRY_MILLISECONDS: Final[dict[str, int]] = {
    "NOT_SERVING": 1000,
    "QUEUE_FULL": 200,
    "DEADLINE_PASSED": 0,
    "MERGING": 500,
}
"""Reasons that waiting helps against, and for how long. 0: at once, with a later deadline."""


def status_of(refusal: Refusal) -> Status:
    """Return what a caller receives for a refusal, alone or as an item of a batch."""
    reason = refusal.reason
    fields = {name: _short(str(value)) for name, value in refusal.fields.items()}
    status = Status(code=_number(CODES[reason]), message=_short(str(refusal)))
    _add(status, ErrorInfo(reason=reason, domain=DOMAIN, metadata=fields))
    path = fields.get("field") or fields.get("where")
    if CODES[reason] is _Code.INVALID_ARGUMENT and path:
        faults = [(path, status.message)]
        # Further faults of a document are notes: "earn[base].rate: must be above zero".
        for note in getattr(refusal, "__notes__", ()):
            faults.append((note.partition(": ")[0], note))
        _add(status, _bad_request(faults[:FAULTS_MAX], reason))
    status.details.extend(_fixed_details(reason))
    return status


def _bad_request(faults: list[tuple[str, str]], reason: str) -> BadRequest:
    return BadRequest(
        field_violations=[
            BadRequest.FieldViolation(field=path, description=_short(text), reason=reason)
            for path, text in faults
        ]
    )


def internal_status() -> Status:
    """Return what a caller receives for a fault of ours, which says nothing about it."""
    status = Status(
        code=_number(_Code.INTERNAL),
        message="the server failed; the same request_id tells whether anything was recorded",
    )
    _add(status, ErrorInfo(reason=INTERNAL_REASON, domain=DOMAIN))
    return status


def trailers_of(status: Status) -> tuple[tuple[str, str | bytes], ...]:
    """Return the metadata that a failed call ends with.

    Besides the Status, the wait in the words of gRPC: its own retries do not read RetryInfo.
    """
    details: tuple[str, str | bytes] = (DETAILS_KEY, status.SerializeToString())
    retry = RetryInfo()
    if not any(detail.Unpack(retry) for detail in status.details):
        return (details,)
    return details, (PUSHBACK_KEY, str(retry.retry_delay.ToMilliseconds()))


@cache
def code_of(number: int) -> grpc.StatusCode:
    """Return the gRPC code with this number."""
    return next(code for code in grpc.StatusCode if _number(code) == number)


def _number(code: grpc.StatusCode) -> int:
    number: int = code.value[0]
    return number


@cache
def _fixed_details(reason: str) -> tuple[AnyMessage, ...]:
    details: list[Message] = []
    milliseconds = RETRY_MILLISECONDS.get(reason)
    if milliseconds is not None:
        delay = Duration()
        delay.FromMilliseconds(milliseconds)
        details.append(RetryInfo(retry_delay=delay))
    spoken = SPOKEN[reason]
    details.append(LocalizedMessage(locale="en", message=spoken.english))
    details.append(LocalizedMessage(locale="zh-CN", message=spoken.chinese))
    return tuple(_packed(detail) for detail in details)


def _packed(detail: Message) -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(detail)
    return packed


def _add(status: Status, detail: Message) -> None:
    status.details.add().Pack(detail)


def _short(text: str) -> str:
    return text if len(text) <= FIELD_LENGTH else text[: FIELD_LENGTH - 1] + "…"


_PAGE_HEAD: Final = """\
# Refusals

Every expected no of the service, in order of precedence: a request with several faults is refused
for the first of them. Nothing is recorded by a refused request, and its `request_id` stays free.
Written by `python -m server.status`; a test proves that it is current.

A refusal is a `google.rpc.Status` (metadata `grpc-status-details-bin`; in a batch, the item's
`refusal`) with these details:

* `ErrorInfo` always: `reason` as below, `domain` "loyalty", `metadata` with the fields below;
* `BadRequest` where a field of the request is at fault: its path, and what would be right;
* `RetryInfo` where waiting helps: send the same request again after that time. A call that fails so
  says it in the metadata `grpc-retry-pushback-ms` too, which gRPC's own retries obey;
* `LocalizedMessage` in `en` and `zh-CN`: a sentence that a cashier may read aloud.

| reason | code | meaning | fields | what to do |
|---|---|---|---|---|
"""

_PAGE_FOOT: Final = """
## Answers without a refusal

| code | when |
|---|---|
| INTERNAL | A fault of the server, with reason `INTERNAL` and no detail; it is in the server's log. Send the same request again: its `request_id` tells what was recorded. |
| RESOURCE_EXHAUSTED without `ErrorInfo` | The request has more than 4 MiB. gRPC refuses it before this service sees it. |
| DEADLINE_EXCEEDED, CANCELLED without `ErrorInfo` | The caller gave up. The same `request_id` tells what was recorded. |
| UNAVAILABLE without `ErrorInfo` | No connection, or it broke. Send the same request again. |
| UNIMPLEMENTED | There is no such call. |

## What a cashier may say

| reason | en | zh-CN |
|---|---|---|
"""  # noqa: E501 - a table's row is one line.


def page() -> str:
    """Return docs/refusals.md."""
    rows = [_row(refusal) for refusal in ALL_REFUSALS]
    spoken = [
        f"| `{refusal.reason}` | {SPOKEN[refusal.reason].english} |"
        f" {SPOKEN[refusal.reason].chinese} |\n"
        for refusal in ALL_REFUSALS
    ]
    return _PAGE_HEAD + "".join(rows) + _PAGE_FOOT + "".join(spoken)


def _row(refusal: type[Refusal]) -> str:
    meaning = (refusal.__doc__ or "").strip().splitlines()[0]
    names = ", ".join(f"`{item.name}`" for item in dataclasses.fields(refusal))
    milliseconds = RETRY_MILLISECONDS.get(refusal.reason)
    retry = "" if not milliseconds else f" (after {milliseconds} ms)"
    code = CODES[refusal.reason].name
    return f"| `{refusal.reason}` | {code} | {meaning} | {names} | {refusal.advice}{retry} |\n"


if __name__ == "__main__":
    target = Path(__file__).parent.parent / "docs" / "refusals.md"
    target.write_text(page(), encoding="utf-8")
    refusal_classes.write()
