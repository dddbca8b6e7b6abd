"""Pins held against the history: the policy was in force, the tier was the member's, nothing moves.

What an account was known to be when a document was recorded is known here too, because its facts
are folded in the same order.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from ledger.core.counting import document_key
from ledger.core.events import AccountFact
from ledger.core.instant import Instant, from_timestamp, to_datetime
from ledger.core.programme import Programme
from ledger.core.publishing import LEAD
from ledger.core.state import TierSpan, tier_at
from ledger.evaluation import claim_of, pinned_instant
from ledger.verifying.findings import Finding, Reason
from ledger.verifying.reawarding import NO_TIERS, TierTerms
from loyalty.v1.events_pb2 import (
    ARRIVAL_CAUSE_MOVED,
    DocumentMovedOut,
    DocumentPosted,
    TierChanged,
)
from loyalty.v1.types_pb2 import DOCUMENT_STATUS_PENDING, Pins

_SEEN_AFTER: Final = LEAD
"""Within this time every process has seen what was recorded of policies."""


def not_in_force(programme: Programme, digest: str, at: Instant, recorded_at: Instant) -> str:
    """Why a policy could not be asked about an instant when a fact was recorded; empty: it could.

    What was published or withdrawn just before need not have been seen yet.
    """
    version = programme.versions.get(digest)
    if version is None or version.published is None or version.published.at > recorded_at:
        return f"no policy with digest {digest} was published then"
    if version.effective_at > at:
        return f"policy version {version.version} was not in force at {to_datetime(at)}"
    seen_by = recorded_at - _SEEN_AFTER
    if version.withdrawn is not None and version.withdrawn.at < seen_by:
        return f"policy version {version.version} was withdrawn before"
    for other in programme.published:
        if other.version <= version.version or other.effective_at > at:
            continue
        assert other.published is not None, "published versions have been published"
        if other.withdrawn is None and other.published.at < seen_by:
            return f"policy version {other.version} was in force, not {version.version}"
    return ""


def _text(at: Instant | None) -> str:
    return "no time" if at is None else to_datetime(at).isoformat()


class _Suspicion(NamedTuple):
    """A tier that was not the member's, unless the document itself gave it."""

    entry_id: str
    tier: str
    finding: Finding


class PinBook:
    """Pins of the documents of one account, or of those that are nobody's."""

    __slots__ = ("_claimed", "_pinned", "_suspicion")

    def __init__(self) -> None:
        """Begin with no document."""
        self._pinned: dict[str, int] = {}
        """By document, a hash of its pins."""
        self._claimed: dict[str, Instant] = {}
        """By document that is not pinned yet, when it was claimed."""
        self._suspicion: _Suspicion | None = None

    def enter(
        self, fact: AccountFact, pos: int, tiers: Sequence[TierSpan], terms: TierTerms
    ) -> Iterator[Finding]:
        """Take the next fact, and the tiers known before it; yield what does not match."""
        if isinstance(fact, TierChanged):
            suspicion = self._suspicion
            if suspicion and (suspicion.entry_id, suspicion.tier) == (fact.entry_id, fact.to_tier):
                self._suspicion = None
        elif isinstance(fact, DocumentMovedOut):
            # Should it ever come back, it is pinned anew.
            self._pinned.pop(fact.document, None)
            self._claimed.pop(fact.document, None)
        elif isinstance(fact, DocumentPosted):
            yield from self.close()
            if fact.pins.policy_digest:
                yield from self._post(fact, pos, tiers, terms)

    def enter_of_nobody(
        self, posted: DocumentPosted, pos: int, recorded_at: Instant, programme: Programme
    ) -> Iterator[Finding]:
        """Take a version of a document that has no member, nor a tier therefore."""
        if self.is_first(posted):
            at = pinned_instant(posted.pins.local_time)
            wrong = not_in_force(programme, posted.pins.policy_digest, at, recorded_at)
            if wrong:
                yield Finding(pos, Reason.POLICY_NOT_IN_FORCE, wrong)
        yield from self._post(posted, pos, (), NO_TIERS)

    def _post(
        self, posted: DocumentPosted, pos: int, tiers: Sequence[TierSpan], terms: TierTerms
    ) -> Iterator[Finding]:
        document, pins = posted.document, posted.pins
        key = document_key(posted.business_unit, document.source, document.document_id)
        before = self._before(key, posted)
        if before is not None:
            self._pinned[key] = before
            if before != _hash(pins):
                detail = f"the pins of document {key} are not those of its first final version"
                yield Finding(pos, Reason.AWARD_MISMATCH, detail)
            return
        yield from self._wrong_claim(key, posted, pos)
        if posted.pinned:
            self._pinned[key] = _hash(pins)
        held = tier_at(tiers, pinned_instant(pins.local_time))
        if pins.tier in (held, "" if held else terms.lowest):
            return
        held = held or terms.lowest
        higher = terms.ranks.get(pins.tier, -1) > terms.ranks.get(held, -1)
        if terms.earns_by_new and higher and document.status == DOCUMENT_STATUS_PENDING:
            # A booking tells what it would earn as final. It reaches no tier, and is pinned anew.
            return
        detail = f"tier {pins.tier!r} is pinned, the member had {held!r}"
        finding = Finding(pos, Reason.TIER_NOT_HELD, detail)
        if terms.earns_by_new:
            self._suspicion = _Suspicion(posted.entry_id, pins.tier, finding)
        else:
            yield finding

    def _wrong_claim(self, key: str, posted: DocumentPosted, pos: int) -> Iterator[Finding]:
        """Hold the claim in a version's own pins against the one that is known of its document."""
        pinned, known = claim_of(posted.pins), self._claimed.pop(key, None)
        if posted.HasField("before"):
            known = claim_of(posted.before.posted.pins)
        if posted.arrival.cause == ARRIVAL_CAUSE_MOVED:
            # Another account tells, from which it came.
            known = pinned
        elif posted.arrival.HasField("claim_time"):
            known = from_timestamp(posted.arrival.claim_time)
        if known is not None and not posted.pinned:
            self._claimed[key] = known
        if pinned != known:
            detail = f"the pins tell of a claim at {_text(pinned)}, the document of {_text(known)}"
            yield Finding(pos, Reason.AWARD_MISMATCH, detail)

    def is_first(self, posted: DocumentPosted) -> bool:
        """Whether a version is evaluated under pins of its own."""
        document = posted.document
        key = document_key(posted.business_unit, document.source, document.document_id)
        return self._before(key, posted) is None

    def _before(self, key: str, posted: DocumentPosted) -> int | None:
        """Pins of the versions before, wherever they stand; None where there are none."""
        if posted.HasField("before"):
            before = posted.before.posted
            return _hash(before.pins) if before.pinned else None
        # One that stood here of an owner who has gone is not the one that arrives.
        return None if posted.HasField("arrival") else self._pinned.get(key)

    def close(self) -> Iterator[Finding]:
        """Yield what no later fact has explained."""
        if self._suspicion is not None:
            yield self._suspicion.finding
        self._suspicion = None


def _hash(pins: Pins) -> int:
    return hash(pins.SerializeToString(deterministic=True))
