"""What a batch knows before and while it is decided: found in the store or the cache, or made."""

from dataclasses import dataclass, field
from typing import NamedTuple

from ledger.awaited import AwaitedRow
from ledger.core.events import AnyFact, Fact, PolicyFact
from ledger.core.instant import Instant
from ledger.core.state import Account
from ledger.policies import PublishedPolicy
from ledger.profile import Profile
from ledger.purses import Purse
from ledger.rows import Head, Holder, IdentityKey, IdentityRow, KeyRow
from loyalty.v1.events_pb2 import DocumentPosted


class DocumentHead(NamedTuple):
    """The newest posted version of a document, and the stream it stands in."""

    stream: str
    posted: DocumentPosted
    key: str
    """The newest of its keys."""


class Range(NamedTuple):
    """Versions of a stream that one decision filled; None when it recorded nothing."""

    lane: int
    stream: str
    first: int | None
    last: int | None
    next_pos: int
    """Position after the decision: what its answer reflects."""


@dataclass(slots=True)
class Known:
    """What a batch knows: found in the store or the cache, or made by itself."""

    accounts: dict[str, Account] = field(default_factory=dict)
    """By stream."""
    rows: dict[str, KeyRow] = field(default_factory=dict)
    heads: dict[str, DocumentHead] = field(default_factory=dict)
    """By thing of the document."""
    acts: dict[str, dict[str, tuple[str, AnyFact]]] = field(default_factory=dict)
    """By thing of a hold or burn: its acts by key, with their stream."""
    identities: dict[IdentityKey, Holder | None] = field(default_factory=dict)
    """Whose each identity is that was looked for; none or None: nobody's."""
    purses: dict[str, Purse] = field(default_factory=dict)
    """By stream."""
    profiles: dict[str, Profile] = field(default_factory=dict)
    """By stream of the member's account."""
    erased: set[str] = field(default_factory=set)
    """Accounts, by stream, that a batch makes nobody's: their rows in the register go."""
    firsts: dict[str, DocumentPosted] = field(default_factory=dict)
    """First final versions by thing of the document, of those that were asked for."""
    awaited: dict[str, AwaitedRow | None] = field(default_factory=dict)
    """By thing of a document: whom it waits for; None: for nobody any more."""
    expiries: dict[str, dict[int, Fact]] = field(default_factory=dict)
    """By stream of an account: what expired or came back, by version, as far as it was asked."""
    histories: dict[str, list[AnyFact]] = field(default_factory=dict)
    """By stream of an account: what tells of closed lots, as far as it was asked and committed."""

    def copy(self) -> "Known":
        """A copy that may be put back when a group of acts is refused."""
        acts = {thing: dict(found) for thing, found in self.acts.items()}
        return Known(
            dict(self.accounts),
            dict(self.rows),
            dict(self.heads),
            acts,
            dict(self.identities),
            dict(self.purses),
            dict(self.profiles),
            set(self.erased),
            dict(self.firsts),
            dict(self.awaited),
            {stream: dict(found) for stream, found in self.expiries.items()},
            dict(self.histories),
        )

    def overlay(self, newer: "Known") -> None:
        """Take over what `newer` knows."""
        self.accounts |= newer.accounts
        self.rows |= newer.rows
        self.heads |= newer.heads
        self.identities |= newer.identities
        self.purses |= newer.purses
        self.profiles |= newer.profiles
        self.firsts |= newer.firsts
        self.awaited |= newer.awaited
        for thing, found in newer.acts.items():
            self.acts.setdefault(thing, {}).update(found)
        for stream, facts in newer.expiries.items():
            self.expiries.setdefault(stream, {}).update(facts)


class PolicyNow(NamedTuple):
    """A fact about a policy that this batch records."""

    stream: str
    version: int
    fact: PolicyFact
    recorded_at: Instant
    policy: PublishedPolicy | None
    """What it publishes, compiled already: that is not done twice."""


class Mark(NamedTuple):
    """A point to go back to."""

    known: Known
    made: Known
    standing: dict[int, Head]
    events: int
    keys: int
    identities: dict[IdentityKey, tuple[Holder | None, IdentityRow | None]]
    policies: int
    periods: int
