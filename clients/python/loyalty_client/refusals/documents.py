"""Some of the refusals. Written by `python -m server.status`."""

from loyalty_client.errors import Refusal


class UnknownDocument(Refusal):
    """There is no such document, or it is not this business unit's to know."""

    reason = "UNKNOWN_DOCUMENT"
    document: str


class TooManyGuesses(Refusal):
    """Too many wrong codes were tried for this document within the hour."""

    reason = "TOO_MANY_GUESSES"
    document: str
    limit: int


class WrongReceiptCode(Refusal):
    """The code is not that of the document's receipt, or the document was posted without one."""

    reason = "WRONG_RECEIPT_CODE"
    document: str


class AlreadyClaimed(Refusal):
    """The document was claimed before. Whose it is, is not told."""

    reason = "ALREADY_CLAIMED"
    document: str
    entry_id: str
    claimed_time: str


class ClaimTooLate(Refusal):
    """The document is older than those that can still be claimed."""

    reason = "CLAIM_TOO_LATE"
    document: str
    limit: str


class AlreadyTheirs(Refusal):
    """The document is this member's already."""

    reason = "ALREADY_THEIRS"
    document: str


class NotAReturn(Refusal):
    """Another unit than the document's may only take goods back, and this would change more."""

    reason = "NOT_A_RETURN"
    field: str
    value: str
    expected: str
