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
from adapters.frame.claiming import Offer, offers_after, offers_of, unclaimed_wait
from adapters.frame.moments import SECOND
from adapters.frame.subjects import Subject
from adapters.frame.words import (
    ActivityStatement,
    Canonical,
    Parked,
    RetryLater,
    Statement,
    Unreadable,
    clean,
    shown,
)
from loyalty.v1 import ledger_service_pb2 as ledger_pb
from loyalty.v1.types_pb2 import (
    DOCUMENT_STATUS_CANCELLED,
    DOCUMENT_STATUS_FINAL,
    Origin,
)

log = structlog.get_logger(__name__)

UNCLAIMED: Final = "unclaimed"
DRY_RUN: Final = "dry_run"
FUTURE: Final = "time_in_future"
RETRY_SECONDS_MAX: Final = 600
PARKED_SECONDS: Final = (600, 21_600)
"""First and longest pause before the ledger is asked again about what it refused."""
VERSION_BUMPS_MAX: Final = 8
AHEAD_MAX: Final = 300 * SECOND
"""How far a sender's clock may be ahead of ours; what is later is looked at by somebody."""

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
            if error.reason.startswith("ledger_") or error.reason == FUTURE:
                # A policy, a token or time may mend it, and nobody would tell us.
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
    subject.state, subject.reason, subject.detail = state, reason, clean(detail)
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
    offers: list[Offer]
    """Whose it is said to be, in the order in which that is tried; the first one stands."""
    claims: bool = False
    """It stands in the ledger already as nobody's; this is to give it to its member."""
    dry_run: bool = False
    bumps: int = 0
    item: ledger_pb.BatchItem = field(default_factory=ledger_pb.BatchItem)
    """The write. Its request id follows from its content: sent twice, it counts once."""

    def prepare(self) -> None:
        """Make the write for the offer that stands."""
        offer = self.offers[0]
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
        write.request_id = self._request_id(offer)
        write.validate_only = self.dry_run
        write.origin.CopyFrom(origin)
        if offer.member is not None:
            write.member.identity.CopyFrom(offer.member)
        if isinstance(self.stated, Statement):
            self.item.post_document.unclaimed_if_unknown = offer.waits
            self.item.post_document.document.CopyFrom(self.stated.document)
            self.item.post_document.document.version = self.version
        else:
            self.item.record_activity.activity.CopyFrom(self.stated.activity)
            self.item.record_activity.activity.version = self.version

    def goes_on(self, reason: str) -> bool:
        """Change what is sent after a refusal; False: there is nothing else to send."""
        if reason == "DOCUMENT_CONFLICT" and self.bumps < VERSION_BUMPS_MAX:
            self.bumps += 1
            self.version += 1
        elif not self._offers_next(reason):
            return False
        self.prepare()
        return True

    def _offers_next(self, reason: str) -> bool:
        theirs = self.subject.posted_version > 0 and bool(self.subject.member_scheme)
        left = offers_after(self.offers, reason, theirs=theirs)
        if left:
            self.offers = left
        return bool(left)

    def _request_id(self, offer: Offer) -> str:
        member = offer.member
        key = (
            self.subject.connection,
            self.subject.subject,
            str(self.version),
            self.digest.hex(),
            str(self.occurred_at),
            "" if member is None else f"{member.scheme}:{member.value}",
            "waits" if offer.waits else "",
        )
        return sha256("\0".join(key).encode()).hexdigest()


def pending(subject: Subject, stated: Stated, *, dry_run: bool) -> Pending | None:
    """Return what is to be sent; None when the ledger knows it already.

    Raises:
        Unreadable, Parked, RetryLater: its times are not such that it can be posted now.
    """
    _check_times(stated)
    digest = digest_of(stated)
    known = digest == subject.posted_digest
    claims = known and bool(stated.members) and not subject.member_scheme
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
        offers=offers_of(stated, claims=claims),
        claims=claims,
        dry_run=dry_run,
    )
    made.prepare()
    return made


def _check_times(stated: Stated) -> None:
    """Do nothing if it has happened. A sender's clock that is a little ahead is waited for."""
    moments.within(stated.occurred_at, "the time of the document")
    moments.within(stated.changed_at, "the time of its change")
    ahead = max(stated.occurred_at, stated.changed_at) - moments.now()
    if ahead > AHEAD_MAX:
        raise Parked(FUTURE, moments.utc(moments.now() + ahead).isoformat())
    if ahead > 0:
        raise RetryLater("the sender's clock is ahead", seconds=ahead // SECOND + 1)


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


def answered(made: Pending, answer: ledger_pb.Posting) -> None:
    """Settle a subject by the ledger's yes."""
    subject, said, member = made.subject, made.stated, made.offers[0].member
    if made.dry_run:
        settle(subject, "done", DRY_RUN)
        return
    if isinstance(said, Statement):
        subject.document = "/".join(
            (said.origin.business_unit, said.document.source, said.document.document_id)
        )
    subject.posted_version = made.version
    subject.posted_digest = made.digest
    subject.was_final = subject.was_final or _status(said) == DOCUMENT_STATUS_FINAL
    if answer.member_id and member is not None:
        subject.member_scheme = member.scheme
        subject.acquainted = [(each.scheme, each.value, answer.member_id) for each in said.members]
    if said.members and not answer.member_id and answer.outcome != ledger_pb.OUTCOME_SUPERSEDED:
        unclaimed(made)
    elif answer.outcome == ledger_pb.OUTCOME_SUPERSEDED:
        settle(subject, "done", "superseded")
    else:
        settle(subject, "done")


def unclaimed(made: Pending, reason: str = "") -> None:
    """Settle a subject whose document stands in the ledger as nobody's."""
    subject = made.subject
    subject.attempts += 1
    wait = unclaimed_wait(subject.attempts, identities=len(made.stated.members), refused=reason)
    settle(subject, "done", UNCLAIMED, reason.lower(), wait=wait)
