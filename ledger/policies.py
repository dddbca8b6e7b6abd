"""The published policies of the programme: which one is in force at an instant, and what it says.

Policies live in the ledger's own history, in the stream `policy/<programme>`. Every process follows
that stream; a policy takes effect with a lead longer than the time a process needs to see it.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeVar

import rules
from ledger.core import refusals
from ledger.core.commands import TierVerdict
from ledger.core.events import decode
from ledger.core.instant import Instant, from_timestamp, optional_timestamp, to_datetime
from ledger.core.state import Account
from ledger.spending import spending_refusal
from ledger.store import PolicyRow, Store
from loyalty.v1.events_pb2 import PolicyPublished
from loyalty.v1.programme_service_pb2 import Policy as PolicyMessage

Asked = TypeVar("Asked")
KNOWN_MAX: Final = 50
"""Names a refusal tells: a policy may list thousands, and a refusal travels in headers."""


@dataclass(frozen=True, slots=True)
class PublishedPolicy:
    """A policy as published, and compiled."""

    event: PolicyPublished
    compiled: rules.Policy
    effective_at: Instant
    recorded_at: Instant

    @property
    def message(self) -> PolicyMessage:
        """The policy as the contract shows it."""
        event = self.event
        return PolicyMessage(
            programme=event.programme,
            version=event.version,
            digest=event.digest,
            document=event.document,
            effective_time=event.effective_time,
            publish_time=optional_timestamp(self.recorded_at),
            publisher=event.publisher,
        )


def published(event: PolicyPublished, recorded_at: Instant) -> PublishedPolicy:
    """Compile what was published. It was checked then, so it compiles.

    The digest is the published one: expanding the document today could add keys it did not have.
    """
    compiled = replace(rules.compile_policy(rules.load(event.expanded)), digest=event.digest)
    return PublishedPolicy(event, compiled, from_timestamp(event.effective_time), recorded_at)


def _read(row: PolicyRow) -> PublishedPolicy:
    event = decode(row.payload)
    assert isinstance(event, PolicyPublished), "a policy stream holds nothing else"
    return published(event, row.recorded_at)


class PolicyBook:
    """All published policies, newest known from the store."""

    def __init__(self) -> None:
        """Begin without any; `refresh` reads them."""
        self.stream = ""
        self.stream_version = 0
        self._by_digest: dict[str, PublishedPolicy] = {}
        self._newest_first: list[PublishedPolicy] = []

    async def refresh(self, store: Store) -> None:
        """Read what was published since the last refresh."""
        for row in await store.policy_events(self.stream_version):
            if row.version > self.stream_version:
                # In a thread: a large policy takes long enough to be felt at the tills.
                policy = await asyncio.to_thread(_read, row)
                self.add(row.stream, row.version, policy)

    def add(self, stream: str, version: int, policy: PublishedPolicy) -> None:
        """Take up the next policy of the stream; one that is known already changes nothing."""
        if version <= self.stream_version:
            return
        self.stream, self.stream_version = stream, version
        self._by_digest[policy.event.digest] = policy
        self._newest_first.append(policy)
        self._newest_first.sort(key=lambda each: each.event.version, reverse=True)

    @property
    def all(self) -> list[PublishedPolicy]:
        """Every published policy, highest version first."""
        return list(self._newest_first)

    def find(self, at: Instant) -> PublishedPolicy | None:
        """The policy in force at an instant: the highest version that had taken effect."""
        for policy in self._newest_first:
            if policy.effective_at <= at:
                return policy
        return None

    def at(self, at: Instant) -> rules.Policy:
        """As `find`, compiled. Raises NoPolicy."""
        found = self.find(at)
        if found is None:
            raise refusals.NoPolicy(occurred_time=to_datetime(at).isoformat())
        return found.compiled

    def pinned(self, digest: str) -> rules.Policy:
        """The policy with a digest. Raises UnknownPolicy."""
        found = self._by_digest.get(digest)
        if found is None:
            raise refusals.UnknownPolicy(policy=digest)
        return found.compiled

    def version(self, version: int) -> PublishedPolicy | None:
        """The policy with a version number."""
        for policy in self._newest_first:
            if policy.event.version == version:
                return policy
        return None

    def ladder(self, account: Account, at: Instant) -> TierVerdict | None:
        """Ask the ladder of the policy in force at an instant which tier an account has."""
        found = self.find(at)
        if found is None:
            return None
        answer = rules.tier_for(
            found.compiled, qualifying=account.qualifying, at=at, current=account.tier or None
        )
        if answer.tier is None:
            return None
        window, points = "", 0
        for (_, counted_in), held in account.qualifying.items():
            if counted_in > window:
                window, points = counted_in, 0
            if counted_in == window:
                points += held
        return TierVerdict(answer.tier, answer.valid_until, window, points, found.event.digest)


def ask(question: Callable[[], Asked]) -> Asked:
    """Put a question to the rules; what they refuse becomes the ledger's refusal of that field."""
    try:
        return question()
    except rules.RulesRefusal as refused:
        raise refusal_of(refused) from None


def refusal_of(refused: rules.RulesRefusal) -> refusals.Refusal:
    """The ledger's refusal for one of the rules."""
    known = ", ".join(refused.known[:KNOWN_MAX])
    if len(refused.known) > KNOWN_MAX:
        known += ", …"
    match refused.reason:
        case "UNKNOWN_BUSINESS_UNIT":
            return refusals.UnknownBusinessUnit(
                field=refused.path, value=refused.value, known=known
            )
        case "UNKNOWN_CATEGORY":
            return refusals.UnknownCategory(field=refused.path, value=refused.value, known=known)
        case "UNKNOWN_CURRENCY" | "NOT_REDEEMABLE":
            return refusals.UnknownCurrency(field=refused.path, value=refused.value, known=known)
        case "CURRENCY_MISMATCH":
            return refusals.ForeignCurrency(field=refused.path, value=refused.value, expected=known)
        case "RATE_MISSING":
            return refusals.RateMissing(field=refused.path, value=refused.value)
        case "AMOUNT_TOO_LARGE":
            return refusals.Malformed(
                field=refused.path, value=refused.value, expected="a smaller amount"
            )
        case "TIME_OUT_OF_RANGE":
            return refusals.Malformed(
                field=refused.path, value=refused.value, expected="a time the calendar knows"
            )
        case _:
            return spending_refusal(refused, known=known)
