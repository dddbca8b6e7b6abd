"""Some of the refusals. Written by `python -m server.status`."""

from loyalty_client.errors import Refusal


class Unauthenticated(Refusal):
    """The call carries no token, or one that is not known."""

    reason = "UNAUTHENTICATED"


class Permission(Refusal):
    """The token does not allow this verb in this business unit."""

    reason = "PERMISSION"
    verb: str
    business_unit: str
    missing: str
    verbs: str
    business_units: str


class Malformed(Refusal):
    """A field has a value that no request may have."""

    reason = "MALFORMED"
    field: str
    value: str
    expected: str


class NotServing(Refusal):
    """The service cannot record at the moment; nothing was recorded."""

    reason = "NOT_SERVING"
    cause: str


class QueueFull(Refusal):
    """More requests are waiting than the service accepts; nothing was recorded."""

    reason = "QUEUE_FULL"
    limit: int


class DeadlinePassed(Refusal):
    """The caller's deadline passed while the request was waiting; nothing was recorded."""

    reason = "DEADLINE_PASSED"


class RequestConflict(Refusal):
    """The request_id was used before for another content."""

    reason = "REQUEST_CONFLICT"
    field: str
    first: str
    now: str


class DocumentConflict(Refusal):
    """This version of the document was posted before with another content."""

    reason = "DOCUMENT_CONFLICT"
    field: str
    first: str
    now: str


class OpeningConflict(Refusal):
    """This row of this source came in before with other content."""

    reason = "OPENING_CONFLICT"
    field: str
    first: str
    now: str


class HoldExists(Refusal):
    """The business unit has used this hold id before."""

    reason = "HOLD_EXISTS"
    hold_id: str
