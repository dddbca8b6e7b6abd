"""The policy stream on trial: every step that is recorded must have been allowed to be taken.

What the history says of itself is believed only as far as it follows from what stands before it: a
digest from the content, an approval from a draft of somebody else, a withdrawal from its time.
"""

from collections.abc import Iterable, Iterator
from hashlib import sha256

from google.protobuf.message import DecodeError

import rules
from ledger.core.events import PolicyFact, UnknownKind, decode, encode
from ledger.core.instant import Instant, from_datetime, from_timestamp, to_datetime
from ledger.core.people import same_person
from ledger.core.programme import Programme, Version, after
from ledger.lanes import POLICY
from ledger.verifying.reawarding import digest_of
from loyalty.v1.events_pb2 import (
    PolicyApproved,
    PolicyDrafted,
    PolicyPublished,
    PolicySimulated,
    PolicyWithdrawn,
)


class Contents:
    """What is wrong with documents, found out ahead: reading one takes long."""

    def __init__(self, payloads: Iterable[bytes]) -> None:
        """Look at the documents in these payloads; whatever cannot be decoded is told elsewhere."""
        self._found: dict[bytes, list[str]] = {}
        for payload in payloads:
            try:
                fact = decode(payload)
            except (UnknownKind, DecodeError):
                continue
            if isinstance(fact, PolicyDrafted | PolicyPublished):
                self.faults(fact)

    def faults(self, fact: PolicyDrafted | PolicyPublished) -> list[str]:
        """What is wrong with a document, each content looked at once."""
        name = sha256(encode(fact)).digest()
        if name not in self._found:
            self._found[name] = list(_content(fact))
        return self._found[name]


class PolicyTrial:
    """Goes through a programme's stream in order."""

    def __init__(self, contents: Contents) -> None:
        """Begin before its first fact; what the documents say was looked at before."""
        self._contents = contents
        self._programme = Programme()

    def enter(self, fact: PolicyFact, *, stream: str, recorded_at: Instant) -> Iterator[str]:
        """What is wrong with the next fact."""
        if stream != POLICY + fact.programme:
            yield f"a policy of {fact.programme!r} does not belong in {stream}"
        known = self._programme.versions.get(fact.digest)
        if isinstance(fact, PolicyDrafted | PolicyPublished):
            yield from self._contents.faults(fact)
        elif known is None:
            yield f"nobody drafted a policy with digest {fact.digest}"
        if known is not None and known.withdrawn is not None:
            yield f"digest {fact.digest} was withdrawn before"
        if isinstance(fact, PolicyPublished):
            yield from self._publication(fact, known)
        elif known is not None:
            yield from _step(fact, known, recorded_at)
        self._programme = after(self._programme, fact, recorded_at, stream)

    def _publication(self, fact: PolicyPublished, known: Version | None) -> Iterator[str]:
        before = self._programme.numbered(fact.version)
        if before is not None:
            yield f"version {fact.version} was published before with digest {before.digest}"
        if not fact.approved_by:
            return
        approvers = [] if known is None else [step.by for step in known.approvals]
        if fact.approved_by not in approvers:
            yield f"{fact.approved_by!r} is said to have approved it, and did not"
        elif known is not None and same_person(known.author, fact.approved_by):
            yield f"{fact.approved_by!r} approved what {known.author!r} drafted"


def _step(fact: PolicyFact, known: Version, recorded_at: Instant) -> Iterator[str]:
    match fact:
        case PolicyDrafted():
            yield f"digest {fact.digest} was drafted or published before"
        case PolicyApproved() | PolicySimulated() if known.published is not None:
            yield f"digest {fact.digest} was published before"
        case PolicyApproved() if same_person(known.author, fact.approver):
            yield f"{fact.approver!r} approved what {known.author!r} drafted"
        case PolicyWithdrawn() if known.takes_effect and known.effective_at <= recorded_at:
            yield f"it was withdrawn after it took effect at {to_datetime(known.effective_at)}"


def _content(fact: PolicyDrafted | PolicyPublished) -> Iterator[str]:
    """What its digest, its number and its time say, held against the document itself."""
    digest = digest_of(fact)
    if digest != fact.digest:
        yield f"the policy has digest {digest}, not {fact.digest}"
        return
    loaded = rules.load(fact.expanded)
    try:
        if isinstance(fact, PolicyPublished):
            rules.compile_policy(loaded, published=True)
    except rules.PolicyRefused as error:
        yield f"the policy does not compile any more: {error}"
    model = loaded.model
    if model is None:
        return
    stated = (fact.programme, fact.version, from_timestamp(fact.effective_time))
    said = (model.programme, model.version, from_datetime(model.effective_from))
    if stated != said:
        yield (
            f"{stated[0]} version {stated[1]} from {to_datetime(stated[2])} is stated, the"
            f" document says {said[0]} version {said[1]} from {to_datetime(said[2])}"
        )
