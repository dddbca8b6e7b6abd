"""What a subject amounts to: its canonical form, whether that is news, and the write that says so.

Nothing here waits for anybody: the worker fetches, sends and writes down.
"""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

import structlog
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from adapters.frame import moments
from adapters.frame.adapter import Connection, problem
from adapters.frame.claiming import unclaimed_wait
from adapters.frame.moments import SECOND
from adapters.frame.subjects import Subject
from adapters.frame.words import (
    ActivityStatement,
    Canonical,
    Parked,
    RetryLater,
    Statement,
    Unreadable,
    shown,
)
from loyalty.v1 import ledger_service_pb2 as ledger_pb
from loyalty.v1.types_pb2 import (
    DOCUMENT_STATUS_CANCELLED,
    DOCUMENT_STATUS_FINAL,
    Identity,
    Origin,
)

log = structlog.get_logger(__name__)

UNCLAIMED: Final = "unclaimed"
_OTHERS: Final = "DOCUMENT_OF_ANOTHER_MEMBER"
DRY_RUN: Final = "dry_run"
RETRY_SECONDS_MAX: Final = 600
PARKED_SECONDS: Final = (600, 21_600)
"""First and longest pause before the ledger is asked again about what it refused."""
VERSION_BUMPS_MAX: Final = 8

Stated = Statement | ActivityStatement


def read_by(connection: Connection) -> str:
    """Return what reads a connection: adapter, its version, the mapping and its digest.

    It stands in the origin of every document, as the software that called.
    """
    adapter, mapping = connection.adapter, connection.mapping
    return f"{adapter.name}/{adapter.version} mapping {mapping.version} {mapping.digest[:12]}"


def canonical(subject: Subject, connection: Connection) -> Canonical:
    """Return the canonical form of a subject. Raises what its adapter raises."""
    subject.read_by = read_by(connection)
    return connection.adapter.canonicalise(subject.parts, connection.mapping)


def failed(subject: Subject, error: Exception) -> None:
    """Settle a subject by what went wrong with it."""
    match error:
        case RetryLater():
            subject.attempts += 1
            doubled = min(2 ** min(subject.attempts, 20), RETRY_SECONDS_MAX)
            settle(subject, "due", "retry", shown(error), wait=error.seconds or doubled)
        case Parked():
            wait = None
            if error.reason.startswith("ledger_"):
                # A policy or a token may mend it, and nobody would tell us.
                subject.attempts += 1
                first, longest = PARKED_SECONDS
                wait = min(first * 2 ** min(subject.attempts - 1, 20), longest)
            settle(subject, "parked", error.reason, error.detail, wait=wait)
        case Unreadable():
            settle(subject, "dead", "unreadable", shown(error))
        case _:
            log.error("subject_failed", subject=subject.subject, exc_info=error)
            settle(subject, "dead", "fault", problem(error))


def settle(
    subject: Subject, state: str, reason: str = "", detail: str = "", *, wait: int | None = None
) -> None:
    """Say what became of a subject."""
    subject.state, subject.reason, subject.detail = state, reason, detail
    subject.wait = wait
    if state == "done" and reason != UNCLAIMED:
        subject.attempts = 0


@dataclass(slots=True)
class Pending:
    """A statement on its way to the ledger."""

    subject: Subject
    stated: Stated
    digest: bytes
    version: int
    occurred_at: int
    candidates: list[Identity | None] = field(default_factory=list)
    """Whose it may be, in order; None: nobody's."""
    bumps: int = 0
    claims: bool = False
    """It stands in the ledger already as nobody's; this is to give it to its member."""
    dry_run: bool = False

    item: ledger_pb.BatchItem = field(default_factory=ledger_pb.BatchItem)
    """The write. Its request id follows from its content: sent twice, it counts once."""

    def prepare(self) -> None:
        """Make the write for the first candidate."""
        member = self.candidates[0] if self.candidates else None
        origin = Origin()
        origin.CopyFrom(self.stated.origin)
        origin.client_software = self.subject.read_by[:64]
        origin.occurred_time.CopyFrom(_timestamp(self.occurred_at))
        write = (
            self.item.post_document
            if isinstance(self.stated, Statement)
            else self.item.record_activity
        )
        write.Clear()
        write.request_id = self._request_id(member)
        write.validate_only = self.dry_run
        write.origin.CopyFrom(origin)
        if member is not None:
            write.member.identity.CopyFrom(member)
        if isinstance(self.stated, Statement):
            self.item.post_document.document.CopyFrom(self.stated.document)
            self.item.post_document.document.version = self.version
        else:
            self.item.record_activity.activity.CopyFrom(self.stated.activity)
            self.item.record_activity.activity.version = self.version

    def goes_on(self, reason: str) -> bool:
        """Change what is sent after a refusal; False: there is nothing else to send."""
        member = self.candidates[0] if self.candidates else None
        if member is not None and reason == "UNKNOWN_MEMBER" and len(self.candidates) > 1:
            del self.candidates[0]
        elif member is not None and reason == _OTHERS and self._stands_as_nobodys():
            self.candidates = [None]
        elif reason == "DOCUMENT_CONFLICT" and self.bumps < VERSION_BUMPS_MAX:
            self.bumps += 1
            self.version += 1
        else:
            return False
        self.prepare()
        return True

    def _stands_as_nobodys(self) -> bool:
        """Whether it was posted without a member before, and may be so again."""
        subject = self.subject
        posted = subject.posted_version > 0 and not subject.member_scheme
        return posted and self.candidates[-1] is None

    def _request_id(self, member: Identity | None) -> str:
        key = (
            self.subject.connection,
            self.subject.subject,
            str(self.version),
            self.digest.hex(),
            str(self.occurred_at),
            "" if member is None else f"{member.scheme}:{member.value}",
        )
        return sha256("\0".join(key).encode()).hexdigest()


def pending(subject: Subject, stated: Stated, *, dry_run: bool) -> Pending | None:
    """Return what is to be sent; None when the ledger knows it already. Raises Unreadable."""
    moments.within(stated.occurred_at, "the time of the document")
    moments.within(stated.changed_at, "the time of its change")
    digest = digest_of(stated)
    known = digest == subject.posted_digest
    claims = known and subject.reason == UNCLAIMED
    if known and not claims:
        settle(subject, "done", "unchanged")
        return None
    if subject.posted_version == 0 and _is_cancelled(stated):
        settle(subject, "done", "cancelled_before_it_counted")
        return None
    made = Pending(
        subject=subject,
        stated=stated,
        digest=digest,
        # Seconds of the time of change, so that versions rise even if this database is lost.
        version=max(subject.posted_version + 1, stated.changed_at // SECOND),
        # The first final version is evaluated as of the sale; a change happens when it happens.
        occurred_at=stated.changed_at if subject.was_final else stated.occurred_at,
        candidates=list(stated.members),
        claims=claims,
        dry_run=dry_run,
    )
    if isinstance(stated, Statement) and not claims:
        made.candidates.append(None)
    made.prepare()
    return made


def _is_cancelled(stated: Stated) -> bool:
    return _status(stated) == DOCUMENT_STATUS_CANCELLED


def _status(stated: Stated) -> int:
    return (stated.document if isinstance(stated, Statement) else stated.activity).status


def digest_of(stated: Stated) -> bytes:
    """SHA-256 of what a statement says, without version, time of change and software."""
    said: Message = stated.document if isinstance(stated, Statement) else stated.activity
    content = [stated.origin, said, *stated.members]
    digest = sha256()
    for message in content:
        encoded = message.SerializeToString(deterministic=True)
        digest.update(len(encoded).to_bytes(4, "big") + encoded)
    digest.update(stated.occurred_at.to_bytes(8, "big"))
    return digest.digest()


def _timestamp(micros: int) -> Timestamp:
    return Timestamp(seconds=micros // SECOND, nanos=micros % SECOND * 1000)


def answered(made: Pending, answer: ledger_pb.Posting, *, dry_run: bool) -> None:
    """Settle a subject by the ledger's yes."""
    subject = made.subject
    member = made.candidates[0] if made.candidates else None
    if dry_run:
        settle(subject, "done", DRY_RUN)
        return
    said = made.stated
    if isinstance(said, Statement):
        subject.document = "/".join(
            (said.origin.business_unit, said.document.source, said.document.document_id)
        )
    subject.posted_version = made.version
    subject.posted_digest = made.digest
    subject.was_final = subject.was_final or _status(said) == DOCUMENT_STATUS_FINAL
    subject.member_scheme = "" if member is None else member.scheme
    if member is None and made.stated.members:
        unclaimed(subject)
    elif answer.outcome == ledger_pb.OUTCOME_SUPERSEDED:
        settle(subject, "done", "superseded")
    else:
        settle(subject, "done")


def unclaimed(subject: Subject) -> None:
    """Settle a subject whose document stands in the ledger as nobody's."""
    subject.attempts += 1
    wait = unclaimed_wait(subject.attempts)
    settle(subject, "done", UNCLAIMED, wait=wait)
