"""What the decisions of a batch rest on: what is known of the ledger, and what has to be looked up.

Whatever is asked here is noted. What turned out to matter and is not known is looked up, and the
batch decided again; and what was decided holds only if the lanes that it looked at stand where they
stood.
"""

from collections.abc import Callable
from typing import NamedTuple

from ledger.clock import Clock
from ledger.core.events import AnyFact, Fact, decode
from ledger.core.instant import Instant
from ledger.core.programme import Programme, after
from ledger.core.state import OWN, Account
from ledger.ends import Ends
from ledger.known import DocumentHead, Known, PolicyNow
from ledger.lanes import PERIOD, POLICY, account_of, account_stream, lane_of
from ledger.periods import Closed, PeriodBook
from ledger.policies import PolicyBook
from ledger.profile import UNKNOWN, Profile, joined
from ledger.purses import NO_PURSE, Purse
from ledger.receipt_codes import Guesses
from ledger.rows import AppendBatch, Head, Holder, IdentityKey
from ledger.wanted import Wanted
from loyalty.v1.events_pb2 import DocumentPosted


class Surroundings(NamedTuple):
    """What all batches of a writer stand on."""

    lanes: int
    clock: Clock
    policies: PolicyBook
    periods: PeriodBook
    guesses: Guesses
    purses: Callable[[str], Purse | None]
    """Shared purses of the cache, by stream."""


class Grounds:
    """What handlers read."""

    def __init__(
        self, around: Surroundings, standing: dict[int, Head], looked_up: Wanted | None = None
    ) -> None:
        """Begin where the lanes stand; `standing` is copied.

        `looked_up` is what earlier rounds wanted: of that, what is not known is not there.
        """
        self.lanes, self._clock, self.policies, self._periods, self.guesses, self._purses = around
        self.known = Known()
        self.policy_facts: list[PolicyNow] = []
        self.period_facts: list[Closed] = []
        """Periods that this batch closes."""
        self.wanted = Wanted()
        """What was asked for and not known: with it, decide again."""
        self.batch = AppendBatch()
        self.standing = dict(standing)
        self._consulted: set[int] = set()
        self._looked_up = looked_up or Wanted()

    def account(self, stream: str) -> Account:
        """State of a stream; one that has no facts yet is an empty account.

        What was decided on it, a refusal too, holds only if its lane has not moved meanwhile.
        """
        self._consulted.add(lane_of(stream, self.lanes))
        found = self.known.accounts.get(stream)
        return Account(account_of(stream)) if found is None else found

    def other_account(self, stream: str) -> Account:
        """As `account`, for one that the request does not name: it may have to be looked up."""
        if stream not in self.known.accounts and stream not in self._looked_up.streams:
            self.wanted.streams.add(stream)
        return self.account(stream)

    def acts(self, thing: str) -> list[tuple[str, AnyFact]]:
        """Acts on a thing in order, each with its stream; empty for a thing that nobody made."""
        found = self.known.acts.get(thing)
        if found is None:
            if thing not in self._looked_up.things:
                self.wanted.things.add(thing)
            return []
        return [found[key] for key in sorted(found)]

    def head(self, thing: str) -> DocumentHead | None:
        """The newest version of a document that the request does not name."""
        found = self.known.heads.get(thing)
        if found is None and thing not in self._looked_up.documents:
            self.wanted.documents.add(thing)
        return found

    def programme(self) -> Programme:
        """The programme's policies, with what this batch records of them."""
        programme = self.policies.programme
        if programme.stream:
            self._consulted.add(lane_of(programme.stream, self.lanes))
        for each in self.policy_facts:
            programme = after(programme, each.fact, each.recorded_at, each.stream)
        return programme

    def closed_periods(self) -> tuple[Closed, ...]:
        """The accounting periods that are closed. What is late for one is decided on that."""
        programme = self.policies.programme.stream.removeprefix(POLICY)
        if programme:
            self._consulted.add(lane_of(PERIOD + programme, self.lanes))
        return (*self._periods.closed, *self.period_facts)

    def everywhere(self) -> dict[int, int]:
        """Where every lane stands; what is decided on it holds only if none has moved."""
        self._consulted.update(range(self.lanes))
        return {lane: self.standing[lane].next_pos for lane in range(self.lanes)}

    @property
    def ends(self) -> Ends:
        """When points end whose life more than a date decides.

        Not kept: the two would hold each other, and with them all that a batch made.
        """
        return Ends(self.policies.pinned, self._segments)

    def _segments(self, account_id: str) -> frozenset[str]:
        return self.profile(account_stream(account_id)).segments

    def profile(self, stream: str) -> Profile:
        """What the register knows of the member with an account, and of those merged into it."""
        parts = self.account(stream).parts
        if not parts:
            return self.known.profiles.get(stream, UNKNOWN)
        streams = (stream, *map(account_stream, sorted(parts.keys() - {OWN})))
        return joined(self.known.profiles.get(each, UNKNOWN) for each in streams)

    def purse(self, stream: str) -> Purse:
        """Where a shared purse stands; what was decided on it holds only if its lane stands too.

        Which purses a document asks for only the rules know. One that is not known yet is noted.
        """
        self._consulted.add(lane_of(stream, self.lanes))
        found = self.known.purses.get(stream) or self._purses(stream)
        if found is None:
            self.wanted.purses.add(stream)
            return NO_PURSE
        return found

    def first_final(self, thing: str) -> DocumentPosted | None:
        """The first final version of a document that has one; None is noted, and decided again."""
        found = self.known.firsts.get(thing)
        if found is None:
            self.wanted.firsts.add(thing)
        return found

    def expiries(self, stream: str) -> list[Fact]:
        """What last expired of an account, or came back, in order."""
        if stream not in self._looked_up.expiries:
            self.wanted.expiries.add(stream)
        found = self.known.expiries.get(stream, {})
        return [found[version] for version in sorted(found)]

    def history(self, stream: str) -> list[AnyFact]:
        """What tells of the closed lots of an account, in order: recorded, and of this batch.

        A batch that asks for it is not decided on top of one that is not committed yet.
        """
        if stream not in self._looked_up.histories:
            self.wanted.histories.add(stream)
        mine = (decode(event.payload) for event in self.batch.events if event.stream == stream)
        return [*self.known.histories.get(stream, ()), *mine]

    def now(self, stream: str) -> Instant:
        """Time for a decision in a stream's lane: never at or before the lane's last fact."""
        lane = lane_of(stream, self.lanes)
        return max(self._clock.now(), self.standing[lane].last_recorded_at + 1)

    def clock_now(self) -> Instant:
        """The clock as it is."""
        return self._clock.now()

    def holder(self, key: IdentityKey) -> str:
        """Account that an identity is linked to; empty for none.

        What is refused because of it holds only if that account has not changed meanwhile.
        """
        found = self.known.identities.get(key)
        if found is None:
            return ""
        self._consulted.add(lane_of(account_stream(found.account), self.lanes))
        return found.account

    def member_known_by(self, key: IdentityKey) -> str:
        """As `holder`, for an identity that the request does not name: it may be looked up."""
        if key not in self.known.identities and key not in self._looked_up.identities:
            self.wanted.identities.add(key)
        return self.holder(key)

    def identities_of(self, stream: str) -> list[tuple[IdentityKey, Holder]]:
        """All identities of the member with an account; they may have to be looked up."""
        if stream not in self._looked_up.holdings:
            self.wanted.holdings.add(stream)
        account = account_of(stream)
        return sorted(
            (key, holder)
            for key, holder in self.known.identities.items()
            if holder is not None and holder.account == account
        )

    def awaiting(self, account_id: str) -> list[str]:
        """Things of documents that wait for an identity which an account has."""
        holders = self.known.identities
        rows = [row for row in self.known.awaited.values() if row is not None]
        found = [(row.document, holders.get((row.scheme, row.keyed_hash))) for row in rows]
        return sorted(document for document, who in found if who and who.account == account_id)
