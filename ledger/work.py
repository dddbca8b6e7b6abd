"""The work of one batch: what it rests on, what it decided so far, what it will append.

A batch is decided on states that nobody else sees until its commit has succeeded. While one batch
is being committed the next may be decided on top of it: it looks at its parent's states first.
"""

from collections.abc import Iterable

from ledger.awaited import AwaitedRow
from ledger.core.advance import advance
from ledger.core.decision import Decision
from ledger.core.events import AnyFact, Fact, columns_of, encode
from ledger.core.instant import Instant
from ledger.core.state import Account
from ledger.envelope import StoredEvent, sealed
from ledger.grounds import Grounds, Surroundings
from ledger.keys import keys_of, thing_of
from ledger.kinds import EXPIRING, require_beginning
from ledger.known import DocumentHead, Known, Mark, Range
from ledger.lanes import lane_of
from ledger.profile import UNKNOWN, Profile
from ledger.purses import Purse, changes, is_deed
from ledger.rows import AppendBatch, Head, Holder, IdentityKey, IdentityRow, KeyRow
from ledger.wanted import Wanted
from loyalty.v1.events_pb2 import BudgetUsed

NO_FINGERPRINT = b""
"""Of keys that the ledger itself made: nobody sends their content again."""


class Work(Grounds):
    """A batch under way."""

    def __init__(
        self, around: Surroundings, standing: dict[int, Head], looked_up: Wanted | None = None
    ) -> None:
        """Begin where the lanes stand, knowing nothing but of what was looked up."""
        super().__init__(around, standing, looked_up)
        self.made = Known()
        """What this batch itself changed: taken over by the cache once it is committed."""
        self.posted: list[DocumentHead] = []
        """Versions that the act under way has recorded."""
        self.acted = 0
        """How many facts were recorded that time alone had not decided, also those undone since."""
        self._identities: dict[IdentityKey, tuple[Holder | None, IdentityRow | None]] = {}
        """Whose an identity was before this batch, and its row after it."""
        self._began = dict(standing)
        self.to_undo = self._looked_up.undone

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

    def await_identity(self, row: AwaitedRow) -> None:
        """Let a document wait for an identity that nobody has."""
        self.known.awaited[row.document] = self.made.awaited[row.document] = row

    def await_no_more(self, document: str) -> None:
        """Let a document wait for nobody any more."""
        self.known.awaited[document] = self.made.awaited[document] = None

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
