"""An act: one write on its way through the writer, and the answer that it comes back with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from ledger.checking import Checked
from ledger.core.people import actor
from ledger.core.refusals import Refusal
from ledger.identities import NOBODY, Operator
from ledger.rows import IdentityKey
from ledger.writes import WITHOUT_ORIGIN, AnswerMessage, WriteRequest
from loyalty.v1.ledger_service_pb2 import PostDocumentRequest
from loyalty.v1.types_pb2 import Origin


class Answer(NamedTuple):
    """What a write comes back with. Its bytes are written once: the same are stored and sent."""

    kind: type[AnswerMessage]
    encoded: bytes
    replayed: bool

    @property
    def message(self) -> AnswerMessage:
        """The message in the bytes, for those who look into it."""
        return self.kind.FromString(self.encoded)


Deliver = Callable[["Answer | Refusal | Exception"], None]
"""Hands an answer to whoever waits for it; called exactly once."""


@dataclass(slots=True)
class Act:
    """A write, prepared. Keys and things are None or empty where a kind of write has none."""

    request: WriteRequest
    client: str
    deliver: Deliver
    deadline: float | None
    """In the event loop's time; an act that is still queued then is not executed."""
    key: str = ""
    command: bytes = b""
    fingerprint: bytes = b""
    identity: IdentityKey | None = None
    """The member's identity, when the request names the member by one."""
    other_identity: IdentityKey | None = None
    """That of the second member, when the request names one by an identity."""
    new_identities: tuple[IdentityKey, ...] = ()
    """Identities that the request links, unlinks or moves."""
    document: str = ""
    """Thing of the document it states."""
    receipt_hash: bytes = b""
    """Of the receipt's code that the request tells; the code itself is kept nowhere."""
    document_fingerprint: bytes = b""
    """Of the content without its member: who a document belongs to is compared by account."""
    operator: Operator = NOBODY
    """Who serves, or decides by hand."""
    approver: str = ""
    """Who is said to have agreed, named as `actor` does."""
    version_key: str = ""
    """Key of what it states, whoever sends it: a version of a document, a row of a source."""
    thing: str = ""
    """Thing of the hold or burn it acts on, or of the source whose row it is."""
    household_code: str = ""
    """What stands in the history for the household that the request names."""
    policy: Checked | None = None
    """The policy document of the request, checked; None until it is."""
    delivered: bool = field(default=False)

    @property
    def actor(self) -> str:
        """Who acts: the client, and a pseudonym of its operator."""
        return actor(self.client, self.operator.pseudonym)

    @property
    def origin(self) -> Origin:
        """Where it happens, as the history may keep it."""
        request = self.request
        # Documents first: asking a message for a type that is not its own is slow.
        assert isinstance(request, PostDocumentRequest) or not isinstance(
            request, WITHOUT_ORIGIN
        ), "what is about the programme comes from nowhere"
        origin: Origin = request.origin
        if origin.operator:
            origin = Origin()
            origin.CopyFrom(request.origin)
            origin.operator = self.operator.pseudonym
        return origin

    def answer(self, result: Answer | Refusal | Exception) -> None:
        """Deliver, once: a second call is a mistake of the writer's and does nothing."""
        if not self.delivered:
            self.delivered = True
            self.deliver(result)
