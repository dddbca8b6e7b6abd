"""Refusals of whose a document is: claims, moves, and returns at another unit."""

from dataclasses import dataclass

from ledger.core.refusals.base import MEND, Refusal


@dataclass(eq=False, kw_only=True)
class UnknownDocument(Refusal):
    """There is no such document, or it is not this business unit's to know."""

    advice = "Check the key, and whether the document was posted."
    sentence = "there is no document {document!r}"
    document: str


@dataclass(eq=False, kw_only=True)
class TooManyGuesses(Refusal):
    """Too many wrong codes were tried for this document within the hour."""

    advice = "Wait, and read the code from the receipt; staff may move the document."
    sentence = "{limit} wrong codes were tried for document {document!r} within the hour"
    document: str
    limit: int


@dataclass(eq=False, kw_only=True)
class WrongReceiptCode(Refusal):
    """The code is not that of the document's receipt, or the document was posted without one."""

    advice = "Read the code from the receipt again; staff may move the document."
    sentence = "the code is not that of the receipt of document {document!r}"
    document: str


@dataclass(eq=False, kw_only=True)
class AlreadyClaimed(Refusal):
    """The document was claimed before. Whose it is, is not told."""

    advice = "Nothing can be done here; staff may move a document that was claimed by mistake."
    sentence = "document {document!r} was claimed at {claimed_time} already, by entry {entry_id}"
    document: str
    entry_id: str
    claimed_time: str
    """RFC 3339."""


@dataclass(eq=False, kw_only=True)
class ClaimTooLate(Refusal):
    """The document is older than those that can still be claimed."""

    advice = "Nothing can be done; of a later version leave the member out."
    sentence = "document {document!r} could be claimed until {limit}"
    document: str
    limit: str
    """RFC 3339."""


@dataclass(eq=False, kw_only=True)
class AlreadyTheirs(Refusal):
    """The document is this member's already."""

    advice = "Nothing is to be done."
    sentence = "document {document!r} is this member's already"
    document: str


@dataclass(eq=False, kw_only=True)
class NotAReturn(Refusal):
    """Another unit than the document's may only take goods back, and this would change more."""

    advice = MEND + " What is bought in exchange is a document of the unit that sells it."
    sentence = "{field} is {value!r}, expected {expected}"
    field: str
    value: str | int
    expected: str
