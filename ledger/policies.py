"""The policies of the programme: which one is in force at an instant, and what it says.

Policies live in the ledger's own history, in the stream `policy/<programme>`. Every process follows
that stream; a policy takes effect with a lead longer than the time a process needs to see it.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeVar, cast

import rules
from ledger.core import refusals
from ledger.core.commands import Occasion, TierVerdict
from ledger.core.events import PolicyFact, decode
from ledger.core.instant import Instant, from_timestamp, to_datetime
from ledger.core.programme import Programme, after
from ledger.core.state import Account
from ledger.ladders import verdict
from ledger.rows import PolicyRow
from ledger.spending_refusals import spending_refusal
from ledger.store import Store
from loyalty.v1.events_pb2 import PolicyPublished

Asked = TypeVar("Asked")
_OF_MEMBERS: Final = (
    b'"member_attributes":[{',
    b'"segments":["',
    b'"birthday":{',
    b'"per":"household"',
    b'"relation":"household"',
)
KNOWN_MAX: Final = 50
"""Names a refusal tells: a policy may list thousands, and a refusal travels in headers."""


@dataclass(frozen=True, slots=True)
class PublishedPolicy:
    """A policy as published, and compiled."""

    event: PolicyPublished
    compiled: rules.Policy
    effective_at: Instant


def published(event: PolicyPublished) -> PublishedPolicy:
    """Compile what was published. It was checked then, and is not judged again.

    The digest is the published one: expanding the document today could add keys it did not have.
    """
    compiled = rules.compile_policy(rules.load(event.expanded), published=True)
    compiled = replace(compiled, digest=event.digest)
    return PublishedPolicy(event, compiled, from_timestamp(event.effective_time))


def asks_of_members(expanded: bytes) -> bool:
    """Whether a policy, as canonical JSON, may ask for attributes, segments and the like."""
    return any(words in expanded for words in _OF_MEMBERS)


def _read(row: PolicyRow) -> tuple[PolicyFact, PublishedPolicy | None]:
    fact = cast(PolicyFact, decode(row.payload))
    return fact, published(fact) if isinstance(fact, PolicyPublished) else None


class PolicyBook:
    """All drafts and policies, as far as they are known from the store."""

    def __init__(self, *, approval_required: bool = True) -> None:
        """Begin without any; `refresh` reads them."""
        self.approval_required = approval_required
        """Whether a policy needs a second person's approval before it is published."""
        self.programme = Programme()
        self.asks_of_members = False
        """Whether a policy asks what is known of members besides their account."""
        self._by_digest: dict[str, PublishedPolicy] = {}
        self._selectable: list[PublishedPolicy] = []
        """What may come into force, highest version first."""

    async def refresh(self, store: Store) -> None:
        """Read what was recorded of policies since the last refresh."""
        for row in await store.policy_events(self.programme.version):
            if row.version > self.programme.version:
                # In a thread: a large policy takes long enough to be felt at the tills.
                fact, policy = await asyncio.to_thread(_read, row)
                self.add(row.stream, row.version, fact, row.recorded_at, policy)

    def add(
        self,
        stream: str,
        version: int,
        fact: PolicyFact,
        recorded_at: Instant,
        policy: PublishedPolicy | None,
    ) -> None:
        """Take up the next fact of the stream; one that is known already changes nothing.

        `policy` is what the fact publishes, if it publishes one.
        """
        if version <= self.programme.version:
            return
        self.programme = after(self.programme, fact, recorded_at, stream)
        if policy is not None:
            self._by_digest[policy.event.digest] = policy
            self.asks_of_members = self.asks_of_members or asks_of_members(policy.event.expanded)
        known = self._by_digest
        standing = [each.digest for each in self.programme.published if each.takes_effect]
        self._selectable = [known[digest] for digest in standing]

    def find(self, at: Instant) -> PublishedPolicy | None:
        """The policy in force at an instant: the highest version that had taken effect."""
        for policy in self._selectable:
            if policy.effective_at <= at:
                return policy
        return None

    def effective_times(self) -> list[Instant]:
        """When another policy came into force, oldest first; each holds until the next."""
        return sorted({policy.effective_at for policy in self._selectable})

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

    async def known(self, digest: str, store: Store) -> rules.Policy:
        """As `pinned`, after another look: another process has perhaps just published it."""
        if digest not in self._by_digest:
            await self.refresh(store)
        return self.pinned(digest)

    def ladder(
        self, account: Account, at: Instant, /, occasion: Occasion = "counted"
    ) -> TierVerdict | None:
        """Ask the ladder of the policy in force at an instant which tier an account has."""
        found = self.find(at)
        return None if found is None else verdict(found.compiled, account, at, occasion)


def ask(question: Callable[[], Asked]) -> Asked:
    """Put a question to the rules; what they refuse becomes the ledger's refusal of that field."""
    try:
        return question()
    except rules.RulesRefusal as refused:
        raise refusal_of(refused) from None


_UNKNOWN: Final = {
    "UNKNOWN_BUSINESS_UNIT": refusals.UnknownBusinessUnit,
    "UNKNOWN_CATEGORY": refusals.UnknownCategory,
    "UNKNOWN_CURRENCY": refusals.UnknownCurrency,
    "NOT_REDEEMABLE": refusals.UnknownCurrency,
    "UNKNOWN_ACTIVITY": refusals.UnknownActivity,
    "UNKNOWN_PAYMENT": refusals.UnknownPayment,
    "UNKNOWN_REASON": refusals.UnknownReason,
    "UNKNOWN_FUNDER": refusals.UnknownFunder,
}
"""Words the policy does not know, by the rules' reason."""


def refusal_of(refused: rules.RulesRefusal) -> refusals.Refusal:
    """The ledger's refusal for one of the rules."""
    known = ", ".join(refused.known[:KNOWN_MAX])
    if len(refused.known) > KNOWN_MAX:
        known += ", …"
    if refused.reason in _UNKNOWN:
        return _UNKNOWN[refused.reason](field=refused.path, value=refused.value, known=known)
    match refused.reason:
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
