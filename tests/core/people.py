"""Several members in one story, who are merged and become two again; all laws are checked.

As the shell does it: a request is for the account that its member is part of now, a document goes
where its owner is, a hold and a burn are found by what touched them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ledger.core.advance import advance
from ledger.core.commands import (
    NO_COUNTS,
    BeginMerge,
    BurnFact,
    BurnPoints,
    CaptureHold,
    Command,
    ContinueMerge,
    Counts,
    EnrolMember,
    HoldFact,
    HoldPoints,
    PostDocument,
    ReleaseHold,
    ReverseEntry,
    TierLadder,
)
from ledger.core.decide import decide
from ledger.core.decision import Draft
from ledger.core.events import AccountFact, Fact
from ledger.core.instant import Instant
from ledger.core.merging import Pair, begin, begin_undoing, carry, go_on, strays
from ledger.core.moving import Way
from ledger.core.refusals import DocumentOfAnotherMember, Merging
from ledger.core.state import OWN, Account
from loyalty.v1.events_pb2 import (
    BurnReversed,
    DocumentPosted,
    HoldCaptured,
    HoldMovedIn,
    HoldReleased,
    PointsBurned,
    PointsHeld,
    ReversalReversed,
)
from loyalty.v1.types_pb2 import DOCUMENT_KIND_SALE, Document, DocumentStatus, Origin, Pins
from tests.core.laws import check_laws
from tests.core.spec import FINAL, NEW_YEAR, NO_LIMITS, Grant, no_ladder, utc

STEPS_MAX = 400


@dataclass
class People:
    """Accounts by name, and everything that was recorded, in order."""

    names: Sequence[str]
    now: Instant = NEW_YEAR
    ladder: TierLadder = no_ladder
    ranks: Sequence[str] = ()
    accounts: dict[str, Account] = field(default_factory=dict)
    facts: list[tuple[str, Fact]] = field(default_factory=list)
    heads: dict[str, tuple[str, DocumentPosted]] = field(default_factory=dict)
    entries: int = 0

    def __post_init__(self) -> None:
        for name in self.names:
            self.accounts[name] = Account(name)
            self.does(name, EnrolMember("A", "pos", self.now, ()))

    def at(self, text: str) -> "People":
        """Let it be this instant."""
        self.now = utc(text)
        return self

    def where(self, name: str) -> str:
        """The account that a member is part of now."""
        while self.accounts[name].membership.is_merged:
            name = self.accounts[name].membership.into
        return name

    def does(self, name: str, command: Command) -> list[Fact]:
        """Advance an account, then decide; a merge that is under way refuses, as the shell does."""
        self.passes_time(name)
        account = self.accounts[name]
        merging = account.merging
        if merging is not None and (merging.undoing or merging.source == name):
            raise Merging(member_id=name)
        decision = decide(command, account, now=self.now, ladder=self.ladder)
        self._record(name, decision.facts, decision.account)
        return list(decision.facts)

    def passes_time(self, name: str) -> None:
        """Record what is due."""
        decision = advance(self.accounts[name], now=self.now, ladder=self.ladder)
        self._record(name, decision.facts, decision.account)

    def posts(
        self,
        named: str,
        document: str,
        version: int,
        *grants: Grant | int,
        status: DocumentStatus.ValueType = FINAL,
        counts: Counts = NO_COUNTS,
    ) -> list[Fact]:
        """Post a version that names a member, under the account where its owner is."""
        head = self.heads.get(document)
        owner = named if head is None else head[1].owner_id or head[0]
        there = self.where(owner)
        if self.where(named) != there:
            raise DocumentOfAnotherMember(document=document)
        given = [each if isinstance(each, Grant) else Grant(each) for each in grants]
        command = PostDocument(
            entry_id=self.new_entry(),
            business_unit="A",
            document=Document(
                source="till",
                document_id=document,
                version=version,
                kind=DOCUMENT_KIND_SALE,
                status=status,
                currency_code="EUR",
            ),
            origin=Origin(business_unit="A"),
            business_date="",
            occurred_at=self.now,
            head=None if head is None else head[1],
            pins=Pins(policy_digest="policy-1"),
            grants=given,
            counts=counts,
            owner=OWN if owner == there else owner,
            head_account=head[0] if head is not None and head[0] != there else "",
        )
        facts = self.does(there, command)
        for fact in facts:
            if isinstance(fact.event, DocumentPosted):
                self.heads[document] = (there, fact.event)
        return facts

    def burns(self, name: str, points: int) -> str:
        """Spend points; the entry's id."""
        entry = self.new_entry()
        self.does(self.where(name), BurnPoints(entry, "A", "P", points, None, self.now, NO_LIMITS))
        return entry

    def holds(
        self, name: str, hold_id: str, points: int, *, until: str = "", expire: bool = False
    ) -> None:
        """Set points aside."""
        expires_at = utc(until) if until else None
        command = HoldPoints(
            self.new_entry(),
            hold_id,
            "A",
            "P",
            points,
            expires_at,
            self.now,
            NO_LIMITS,
            points_expire=expire,
        )
        self.does(self.where(name), command)

    def captures(self, hold_id: str, points: int, *, final: bool = False) -> str:
        """Spend held points, in the account where the hold is; the entry's id."""
        there, history = self.hold_history(hold_id)
        self.passes_time(there)
        there, history = self.hold_history(hold_id)
        entry = self.new_entry()
        self.does(there, CaptureHold(entry, hold_id, "A", points, final, self.now, history))
        return entry

    def releases(self, hold_id: str) -> None:
        """Give held points back."""
        there, _ = self.hold_history(hold_id)
        self.passes_time(there)
        there, history = self.hold_history(hold_id)
        self.does(there, ReleaseHold(self.new_entry(), hold_id, "A", self.now, history))

    def reverses(self, target: str, points: int = 0) -> None:
        """Take back a burn or a reversal; lots that are another's go where that one is."""
        acts = self.burn_history(target)
        there = self.where(acts[0][0])
        entry = self.new_entry()
        command = ReverseEntry(
            entry,
            target,
            "A",
            points,
            None,
            self.now,
            tuple(fact for _, fact in acts),
            tuple(account for account, _ in acts),
        )
        self.does(there, command)
        for owner in sorted(strays(self.accounts[there])):
            home = self.where(owner)
            giver, taker = self._draft(there), self._draft(home)
            way = Way(giver, taker, entry, "A", frozenset({owner}))
            carry(way, self.ladder, at=self.now, now=self.now)
            self._take(there, giver)
            self._take(home, taker)

    # --- merges -------------------------------------------------------------------------------

    def begins(self, source: str, target: str, *, undoing: bool = False) -> None:
        """Begin to merge, or to undo that."""
        self.passes_time(source)
        self.passes_time(target)
        pair = Pair(self._draft(source), self._draft(target))
        command = BeginMerge(self.new_entry(), "A", "one person", "office", self.now)
        (begin_undoing if undoing else begin)(pair, command)
        self._take(source, pair.source)
        self._take(target, pair.target)

    def goes_on(self, source: str) -> bool:
        """One more step of what is under way."""
        merging = self.accounts[source].merging
        assert merging is not None
        self.passes_time(source)
        self.passes_time(merging.target)
        pair = Pair(self._draft(source), self._draft(merging.target))
        command = ContinueMerge(self.now, "policy-1", self._rank)
        done = go_on(pair, command, self.ladder, now=self.now)
        self._take(source, pair.source)
        self._take(merging.target, pair.target)
        return done

    def merges(self, source: str, target: str, *, undoing: bool = False) -> int:
        """Merge, or undo that, to the end; how many steps it took."""
        self.begins(source, target, undoing=undoing)
        return self.finishes(source)

    def unmerges(self, source: str) -> int:
        """Undo a merge to the end."""
        return self.merges(source, self.accounts[source].membership.into, undoing=True)

    def finishes(self, source: str) -> int:
        """Go on to the end."""
        for number in range(1, STEPS_MAX):
            if self.goes_on(source):
                return number
        raise AssertionError("it does not end")

    # --- then ---------------------------------------------------------------------------------

    def balance(self, name: str) -> tuple[int, int, int, int]:
        """(available, pending, held, arrears) of P in an account, whatever it is part of."""
        balance = self.accounts[name].balance("P")
        return balance.available, balance.pending, balance.held, balance.arrears

    def lots(self, name: str) -> dict[str, int]:
        """Points left per lot, in draw order."""
        return {lot.lot_id: lot.left for lot in self.accounts[name].lots}

    def hold_history(self, hold_id: str) -> tuple[str, tuple[HoldFact, ...]]:
        """Where a hold is, and all facts of it."""
        acts = [
            (name, fact.event)
            for name, fact in self.facts
            if isinstance(fact.event, PointsHeld | HoldMovedIn | HoldCaptured | HoldReleased)
            and fact.event.hold_id == hold_id
        ]
        return acts[-1][0], tuple(event for _, event in acts)

    def burn_history(self, target: str) -> list[tuple[str, BurnFact]]:
        """All facts of the burn that an entry belongs to, with their accounts."""
        acts = [
            (name, fact.event)
            for name, fact in self.facts
            if isinstance(fact.event, PointsBurned | HoldCaptured | BurnReversed | ReversalReversed)
        ]
        burn = next(_burn_of(event) for _, event in acts if event.entry_id == target)
        return [(name, event) for name, event in acts if _burn_of(event) == burn]

    def new_entry(self) -> str:
        """An id that nothing else has."""
        self.entries += 1
        return f"e{self.entries:05}"

    def _rank(self, tier: str) -> int:
        return self.ranks.index(tier) if tier in self.ranks else 0

    def _draft(self, name: str) -> Draft:
        return Draft(self.accounts[name], at=self.now)

    def _take(self, name: str, draft: Draft) -> None:
        decision = draft.decision()
        self._record(name, decision.facts, decision.account)

    def _record(self, name: str, facts: Sequence[Fact], account: Account) -> None:
        self.facts.extend((name, fact) for fact in facts)
        self.accounts[name] = account
        if facts:
            check_laws(self.facts_of(name), account)

    def facts_of(self, name: str) -> list[AccountFact]:
        """What a fold of an account takes."""
        return [
            fact.event
            for where, fact in self.facts
            if where == name and isinstance(fact.event, AccountFact)
        ]


def _burn_of(act: BurnFact) -> str:
    return act.burn_entry_id if isinstance(act, BurnReversed | ReversalReversed) else act.entry_id
