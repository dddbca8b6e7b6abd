"""Refusals of a call as such: who calls, its form, the service, what was asked before."""

from dataclasses import dataclass

from ledger.core.refusals.base import ASK_AGAIN, MEND, Refusal


class Unauthenticated(Refusal):
    """The call carries no token, or one that is not known."""

    advice = "Send a valid token as `authorization: Bearer …`."
    sentence = "the call carries no token that is known here"


@dataclass(eq=False, kw_only=True)
class Permission(Refusal):
    """The token does not allow this verb in this business unit."""

    advice = "Use a token that names the business unit and the verb."
    sentence = "this token lacks {missing}; it has the verbs {verbs} for units {business_units}"
    verb: str
    business_unit: str
    """For which it was asked; empty: any would do."""
    missing: str
    """The verb, or the business unit."""
    verbs: str
    business_units: str


@dataclass(eq=False, kw_only=True)
class Malformed(Refusal):
    """A field has a value that no request may have."""

    advice = MEND
    sentence = "{field} is {value!r}, expected {expected}"
    field: str
    value: str | int
    expected: str


@dataclass(eq=False, kw_only=True)
class NotServing(Refusal):
    """The service cannot record at the moment; nothing was recorded."""

    advice = ASK_AGAIN
    sentence = "the ledger does not take requests at the moment: {cause}"
    cause: str


@dataclass(eq=False, kw_only=True)
class QueueFull(Refusal):
    """More requests are waiting than the service accepts; nothing was recorded."""

    advice = ASK_AGAIN
    sentence = "{limit} requests are waiting already"
    limit: int


class DeadlinePassed(Refusal):
    """The caller's deadline passed while the request was waiting; nothing was recorded."""

    advice = ASK_AGAIN
    sentence = "the deadline passed before the request was begun"


@dataclass(eq=False, kw_only=True)
class _Conflict(Refusal):
    field: str
    first: str
    now: str


class RequestConflict(_Conflict):
    """The request_id was used before for another content."""

    advice = "Use a new request_id for new content, or send the first content again."
    sentence = "this request_id was first sent with {field} {first!r}, now with {now!r}"


class DocumentConflict(_Conflict):
    """This version of the document was posted before with another content."""

    advice = "Raise the version when a document changes."
    sentence = "this document version was first posted with {field} {first!r}, now with {now!r}"


class OpeningConflict(_Conflict):
    """This row of this source came in before with other content."""

    advice = "Keep the row as it came in, or bring the new one in as a source of another name."
    sentence = "the row came in before: {field} was {first!r}, now it is {now!r}"


@dataclass(eq=False, kw_only=True)
class HoldExists(Refusal):
    """The business unit has used this hold id before."""

    advice = "Use a new hold_id."
    sentence = "hold {hold_id!r} exists already"
    hold_id: str
