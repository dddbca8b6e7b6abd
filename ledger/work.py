"""The work of one batch: what was found for it, what it decided so far, what it will append.

A batch is decided on states that nobody else sees until its commit has succeeded. While one batch
is being committed the next may be decided on top of it: it looks at its parent's states first.
"""

from collections.abc import Callable, Iterable

from ledger.awaited import AwaitedRow
from ledger.clock import Clock
from ledger.core.advance import advance
from ledger.core.decision import Decision
from ledger.core.events import AnyFact, Fact, columns_of, decode, encode
from ledger.core.instant import Instant
from ledger.core.programme import Programme, after
from ledger.core.state import OWN, Account
from ledger.ends import Ends
from ledger.envelope import StoredEvent, sealed
from ledger.keys import keys_of, thing_of
from ledger.kinds import EXPIRING, require_beginning
from ledger.known import DocumentHead, Known, Mark, PolicyNow, Range
from ledger.lanes import PERIOD, POLICY, account_of, account_stream, lane_of
from ledger.periods import Closed, PeriodBook
from ledger.policies import PolicyBook
from ledger.profile import UNKNOWN, Profile, joined
from ledger.purses import NO_PURSE, Purse, changes, is_deed
from ledger.receipt_codes import Guesses
from ledger.store import AppendBatch, Head, Holder, IdentityKey, IdentityRow, KeyRow
from ledger.wanted import Wanted
from loyalty.v1.events_pb2 import BudgetUsed, DocumentPosted

NO_FINGERPRINT = b""
"""Of keys that the ledger itself made: nobody sends their content again."""


class Work:
    """A batch under way."""

    def __init__(
        self,
        *,
        lanes: int,
        standing: dict[int, Head],
        clock: Clock,
        policies: PolicyBook,
        purses: Callable[[str], Purse | None],
        guesses: Guesses,
        periods: PeriodBook,
        looked_up: Wanted | None = None,
    ) -> None:
        """Begin where the lanes stand; `standing` is copied, `purses` knows those of the cache.

        `looked_up` is what earlier rounds wanted: of that, what is not known is not there.
        """
        self.lanes = lanes
        self.policies = policies
        self.guesses = guesses
        self._periods = periods
        self.period_facts: list[Closed] = []
        """Periods that this batch closes."""
        self.ends = Ends(policies.pinned, lambda of: self.profile(account_stream(of)).segments)
        self.known = Known()
        self.made = Known()
        """What this batch itself changed: taken over by the cache once it is committed."""
        self.policy_facts: list[PolicyNow] = []
        self.posted: list[DocumentHead] = []
        """Versions that the act under way has recorded."""
        self.wanted = Wanted()
        """What was asked for and not known: with it, decide again."""
        self.acted = 0
        """How many facts were recorded that time alone had not decided, also those undone since."""
        self.batch = AppendBatch()
        self._identities: dict[IdentityKey, tuple[Holder | None, IdentityRow | None]] = {}
        """Whose an identity was before this batch, and its row after it."""
        self.standing = dict(standing)
        self._began = dict(standing)
        self._consulted: set[int] = set()
        self._clock = clock
        self._purses = purses
        self._looked_up = looked_up or Wanted()
        self.to_undo = self._looked_up.undone

    # What handlers read

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

    # What handlers record

    def advance(self, stream: str) -> tuple[Account, list[AnyFact]]:
        """Record what time has decided for an account, and give its state after that."""
        account, now = self.account(stream), self.now(stream)
        decision = advance(account, now=now, ladder=self.policies.ladder, ends=self.ends)
        if not decision.facts:
            return account, []
        acted = self.acted
        self.record(stream, decision)
        self.acted = acted
        return decision.account, [fact.event for fact in decision.facts]

    def record(self, stream: str, decision: Decision) -> Range:
        """Record the facts of a decision about an account's or a document's stream."""
        before = self.account(stream).version
        if not before and not self.wanted:  # else it is decided again
            require_beginning(stream, decision.facts)
        where = self.append(stream, before, decision.facts)
        self.known.accounts[stream] = self.made.accounts[stream] = decision.account
        for fact, occurred_at in decision.facts:
            if is_deed(fact):
                for purse, used in changes(fact):
                    self.use_purse(purse, used, occurred_at=occurred_at)
        return where

    def use_purse(self, stream: str, used: BudgetUsed, *, occurred_at: Instant) -> None:
        """Record what a fact changes in a shared purse."""
        before = self.purse(stream)
        used.used_after = before.used + used.change
        self.append(stream, before.version, (Fact(used, occurred_at),))
        after_it = Purse(before.version + 1, used.used_after)
        self.known.purses[stream] = self.made.purses[stream] = after_it

    def begin(self, stream: str, fact: AnyFact, *, occurred_at: Instant) -> None:
        """Record the first fact of a stream that is found by its key, and was not found."""
        self._consulted.add(lane_of(stream, self.lanes))
        self.append(stream, 0, (Fact(fact, occurred_at),))

    def append(self, stream: str, before: int, facts: Iterable[Fact]) -> Range:
        """Give facts their place in a stream that stands at version `before`."""
        lane = lane_of(stream, self.lanes)
        recorded_at = self.now(stream)
        pos = self.standing[lane].next_pos
        version = before
        for fact in facts:
            version += 1
            place = (lane, pos, stream, version, *columns_of(fact.event))
            stored = sealed((*place, fact.occurred_at, recorded_at), encode(fact.event))
            self.batch.events.append(stored)
            for key in keys_of(fact.event):
                self._register_act(key, fact.event, stored)
            if type(fact.event) in EXPIRING:
                for known in (self.known, self.made):
                    known.expiries.setdefault(stream, {})[version] = fact
            pos += 1
            self.acted += 1
            recorded_at += 1
        if version == before:
            return Range(lane, stream, None, None, pos)
        self.standing[lane] = Head(pos, recorded_at - 1)
        return Range(lane, stream, before + 1, version, pos)

    def _register_act(self, key: str, fact: AnyFact, event: StoredEvent) -> None:
        """Register a fact under a key of what it is about, so that it is found again."""
        thing = thing_of(key)
        for known in (self.known, self.made):
            known.acts.setdefault(thing, {})[key] = (event.stream, fact)
        self.batch.keys.append(
            KeyRow(
                key=key,
                command=None,
                fingerprint=NO_FINGERPRINT,
                answer=None,
                refers_to=None,
                lane=event.lane,
                stream=event.stream,
                first_version=event.version,
                last_version=event.version,
            )
        )

    def register(self, row: KeyRow) -> None:
        """Register a caller's key with its answer."""
        self.batch.keys.append(row)
        self.known.rows[row.key] = self.made.rows[row.key] = row

    def register_head(self, thing: str, head: DocumentHead) -> None:
        """Remember the newest version of a document."""
        before = self.known.heads.get(thing)
        came = head.posted.HasField("arrival")
        if head.posted.pinned and (came or before is None or not before.posted.pinned):
            self.known.firsts[thing] = self.made.firsts[thing] = head.posted
        self.known.heads[thing] = self.made.heads[thing] = head
        self.posted.append(head)

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

    def register_identity(self, row: IdentityRow) -> None:
        """Register an identity, or another member for one that is registered."""
        self._change_identity((row.scheme, row.keyed_hash), row)

    def unlink_identity(self, key: IdentityKey) -> None:
        """Let an identity be nobody's."""
        self._change_identity(key, None)

    def _change_identity(self, key: IdentityKey, row: IdentityRow | None) -> None:
        known = self.known.identities.get(key)
        before, _ = self._identities.get(key, (known, None))
        self._identities[key] = (before, row)
        after = None if row is None else Holder(row.account, row.identity_id)
        self.known.identities[key] = self.made.identities[key] = after

    def awaiting(self, account_id: str) -> list[str]:
        """Things of documents that wait for an identity which an account has."""
        holders = self.known.identities
        rows = [row for row in self.known.awaited.values() if row is not None]
        found = [(row.document, holders.get((row.scheme, row.keyed_hash))) for row in rows]
        return sorted(document for document, who in found if who and who.account == account_id)

    def await_identity(self, row: AwaitedRow) -> None:
        """Let a document wait for an identity that nobody has."""
        self.known.awaited[row.document] = self.made.awaited[row.document] = row

    def await_no_more(self, document: str) -> None:
        """Let a document wait for nobody any more."""
        self.known.awaited[document] = self.made.awaited[document] = None

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

    def erase_profile(self, stream: str) -> None:
        """Forget what is known of a member; the row goes in the same commit."""
        self.register_profile(stream, UNKNOWN)
        self.made.erased.add(stream)

    def register_profile(self, stream: str, profile: Profile) -> None:
        """Remember what is known of a member from now on; it is stored in the same commit."""
        self.known.profiles[stream] = self.made.profiles[stream] = profile

    # Going back

    @property
    def of_programme(self) -> bool:
        """Whether this batch records something that all decisions after it look at."""
        return bool(self.policy_facts or self.period_facts)

    def mark(self) -> Mark:
        """A point to which `back_to` returns."""
        return Mark(
            self.known.copy(),
            self.made.copy(),
            dict(self.standing),
            len(self.batch.events),
            len(self.batch.keys),
            dict(self._identities),
            len(self.policy_facts),
            len(self.period_facts),
        )

    def back_to(self, mark: Mark) -> None:
        """Forget everything since the mark."""
        self.known, self.made, self.standing = mark.known, mark.made, mark.standing
        del self.batch.events[mark.events :]
        del self.batch.keys[mark.keys :]
        self._identities = mark.identities
        del self.policy_facts[mark.policies :]
        del self.period_facts[mark.periods :]

    def close(self) -> AppendBatch:
        """The batch to append, with the lanes it touches and where it expects them."""
        for key, (before, row) in self._identities.items():
            if row is None:
                if before is not None:
                    self.batch.unlinked_identities.append(key)
            elif before is None:
                self.batch.identities.append(row)
            else:
                self.batch.moved_identities.append(row)
        for document, awaited in self.made.awaited.items():
            if awaited is None:
                self.batch.awaited_no_more.append((document,))
            else:
                self.batch.awaited.append(awaited)
        touched = self._consulted | {event.lane for event in self.batch.events}
        self.batch.expected = {lane: self._began[lane].next_pos for lane in touched}
        self.batch.recorded_at = {lane: self.standing[lane].last_recorded_at for lane in touched}
        return self.batch
