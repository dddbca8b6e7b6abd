"""Random histories of members who are merged and part again, in whatever order, step by step.

Beside the ledger two books are kept that know nothing of merges: what is left of every lot and
debt, and whose each one is. Whatever moves, every point is somewhere once; and when nothing is
under way, it is where its owner is.
"""

from collections import Counter
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.core import merging
from ledger.core.commands import Counts, Numbered, Use
from ledger.core.refusals import Refusal
from ledger.core.snapshot import decode, encode
from ledger.core.usage import UsageKey
from loyalty.v1.events_pb2 import (
    ArrearsIncurred,
    ArrearsRepaid,
    BurnReversed,
    DocumentPosted,
    HoldCaptured,
    PendingClawedBack,
    PointsBurned,
    PointsClawedBack,
    PointsEarned,
    PointsExpired,
    PointsPended,
    ReversalReversed,
)
from loyalty.v1.types_pb2 import DocumentStatus
from tests.core.people import People
from tests.core.spec import CANCELLED, FINAL, PENDING, Grant, utc

NAMES = "abc"
EVERYTHING = 0
TAKING = (
    PointsBurned,
    HoldCaptured,
    ReversalReversed,
    PointsClawedBack,
    PendingClawedBack,
    ArrearsRepaid,
)
name = st.sampled_from(NAMES)
points = st.integers(1, 60)
small = st.integers(0, 3)
Act = tuple[Any, ...]
everyday = st.one_of(
    st.tuples(st.just("post"), name, small, points, st.sampled_from([PENDING, FINAL, CANCELLED])),
    st.tuples(st.just("burn"), name, points),
    st.tuples(st.just("burn"), name, st.just(EVERYTHING)),
    st.tuples(st.just("hold"), name, small, points),
    st.tuples(st.just("capture"), small, points, st.booleans()),
    st.tuples(st.just("release"), small),
    st.tuples(st.just("reverse"), small, st.integers(0, 40)),
    st.tuples(st.just("reverse"), st.integers(0, 5), st.just(0)),
    st.tuples(st.just("wait"), st.integers(1, 40)),
)
act = st.one_of(
    everyday,
    st.tuples(st.just("merge"), name, name),
    st.tuples(st.just("unmerge"), name),
    st.tuples(st.just("step"), name),
)
phase = st.lists(everyday, min_size=2, max_size=12)
MOVES = (("merge", "a", "b"), ("merge", "b", "c"), ("unmerge", "b"), ("unmerge", "a"))


class NoSuchThing(Exception):
    """Nothing of the kind was made yet."""


class Told:
    """Plays acts; what is refused did not happen."""

    def __init__(self) -> None:
        self.people = People(NAMES)
        self.versions: Counter[str] = Counter()
        self.burns: list[str] = []
        self.holds = 0
        self.day = 0
        for who in NAMES:
            for number, amount in enumerate((80, 30, 50, 20)):
                self.post(who, number, amount, FINAL)

    def play(self, acts: list[Act]) -> None:
        for kind, *words in acts:
            with suppress(Refusal, NoSuchThing):
                getattr(self, kind)(*words)
            self.check()

    def post(self, who: str, number: int, amount: int, status: DocumentStatus.ValueType) -> None:
        document = f"{who}{number}"
        self.versions[document] += 1
        expires = utc("2025-06-01") if number == 1 else None
        until = utc("2025-03-01") if number == 2 else None
        grants = (
            [] if status == CANCELLED else [Grant(amount, expires_at=expires, pending_until=until)]
        )
        counter = Numbered("visit", "2025", "", self.number(document, who), False, False)
        uses = [] if status == CANCELLED else [Use("cap/x", "", "2025-01", 0, amount)]
        self.people.posts(
            who,
            document,
            self.versions[document],
            *grants,
            status=status,
            counts=Counts(uses, [counter]),
        )

    def number(self, document: str, who: str) -> int:
        """As the room offers it."""
        head = self.people.heads.get(document)
        if head is not None and head[1].pinned and head[1].numbers[0].change >= 0:
            return head[1].numbers[0].number
        account = self.people.accounts[self.people.where(who)]
        numbers = account.numbers.get(("visit", "2025"))
        return 1 if numbers is None else numbers.next()

    def burn(self, who: str, amount: int) -> None:
        if amount == EVERYTHING:
            amount = self.people.balance(self.people.where(who))[0]
        self.burns.append(self.people.burns(who, amount))

    def hold(self, who: str, number: int, amount: int) -> None:
        self.holds += 1
        until = "2025-02-10" if number == 1 else ""
        self.people.holds(who, f"H{self.holds}", amount, until=until)

    def capture(self, back: int, amount: int, final: bool) -> None:
        entry = self.people.captures(self.held(back), amount, final=final)
        self.burns.append(entry)

    def release(self, back: int) -> None:
        self.people.releases(self.held(back))

    def held(self, back: int) -> str:
        hold_id = f"H{self.holds - back}"
        if not any(getattr(fact.event, "hold_id", "") == hold_id for _, fact in self.people.facts):
            raise NoSuchThing
        return hold_id

    def reverse(self, back: int, amount: int) -> None:
        if back >= len(self.burns):
            raise NoSuchThing
        self.people.reverses(self.burns[-1 - back], amount)

    def merge(self, source: str, target: str) -> None:
        self.people.begins(source, self.people.where(target))

    def unmerge(self, source: str) -> None:
        into = self.people.accounts[source].membership.into
        self.people.begins(source, into or source, undoing=True)

    def step(self, who: str) -> None:
        merging_now = self.people.accounts[who].merging
        if merging_now is not None:
            self.people.goes_on(merging_now.source)

    def wait(self, days: int) -> None:
        self.day += days
        self.people.now = utc("2025-01-01") + self.day * 86_400_000_000

    # --- the books --------------------------------------------------------------------------------

    def check(self) -> None:
        """Every point and debt is somewhere, once."""
        lots, debts = self.books()
        here: Counter[str] = Counter()
        owed: Counter[str] = Counter()
        for account in self.people.accounts.values():
            for lot in account.lots:
                here[lot.lot_id] += lot.left
            for debt in account.debts:
                owed[debt.debt_id] += debt.points
            assert decode(encode(account)) == account
        assert here == +lots
        assert owed == +debts

    def books(self) -> tuple[Counter[str], Counter[str]]:
        lots: Counter[str] = Counter()
        debts: Counter[str] = Counter()
        for _, fact in self.people.facts:
            event = fact.event
            if isinstance(event, PointsEarned | PointsPended):
                lots[event.lot_id] += event.points
            elif isinstance(event, PointsExpired):
                lots[event.lot_id] -= event.points
            elif isinstance(event, BurnReversed):
                lots.update({draw.lot_id: draw.points for draw in event.draws})
            elif isinstance(event, ArrearsIncurred):
                debts[event.debt_id] += event.points
            elif isinstance(event, TAKING):
                for draw in event.draws:
                    lots[draw.lot_id] -= draw.points
            if isinstance(event, ArrearsRepaid):
                debts[event.debt_id] -= event.points
        return lots, debts

    def check_homes(self) -> None:
        """Once nothing is under way, everything is where its owner is."""
        owners, used = self.owners()
        where = self.people.where
        for each, account in self.people.accounts.items():
            for lot in account.lots:
                assert owners[lot.lot_id] == (lot.owner or each)
                assert where(owners[lot.lot_id]) == each
            for debt in account.debts:
                assert owners[debt.debt_id] == (debt.owner or each)
                assert where(owners[debt.debt_id]) == each
            if account.membership.is_merged:
                assert not account.usage
                continue
            parts = {owner or each: part.usage for owner, part in account.parts.items()}
            parts = parts or {each: account.usage}
            total: Counter[UsageKey] = Counter()
            for owner, usage in parts.items():
                assert where(owner) == each
                assert +Counter(usage) == +used[owner]
                total.update(used[owner])
            assert +Counter(account.usage) == +total

    def owners(self) -> tuple[dict[str, str], dict[str, Counter[UsageKey]]]:
        """Whose each lot and debt is, and what each one's documents use."""
        owners: dict[str, str] = {}
        used: dict[str, Counter[UsageKey]] = {each: Counter() for each in NAMES}
        for where, fact in self.people.facts:
            event = fact.event
            if isinstance(event, PointsEarned | PointsPended):
                owners[event.lot_id] = event.owner_id or where
            elif isinstance(event, ArrearsIncurred):
                owners[event.debt_id] = event.owner_id or where
            elif isinstance(event, DocumentPosted):
                for usage in event.usages:
                    key = (usage.name, usage.scope, usage.period)
                    used[event.owner_id or where][key] += usage.change
        return owners, used

    def finish(self) -> None:
        """Bring to an end whatever is under way."""
        for account in list(self.people.accounts.values()):
            if account.merging is not None and account.merging.source == account.account_id:
                self.people.finishes(account.account_id)
        self.check()


@given(st.lists(act, max_size=40))
@settings(max_examples=250, deadline=None)
def test_every_point_is_somewhere_once_and_with_its_owner_in_the_end(acts: list[Act]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merging, "LOTS_A_STEP", 2)
        patch.setattr(merging, "COUNTS_A_STEP", 2)
        told = Told()
        told.play(acts)
        told.finish()
        told.check_homes()


@given(st.tuples(phase, phase, phase, phase, phase))
@settings(max_examples=120, deadline=None)
def test_a_chain_of_merges_that_is_undone_gives_everybody_what_is_theirs(
    phases: tuple[list[Act], ...],
) -> None:
    told = Told()
    for phase_acts, move in zip(phases, (*MOVES, None), strict=True):
        told.play(phase_acts)
        if move is not None:
            told.play([move])
            told.finish()
            told.check_homes()
    for each in NAMES:
        assert not told.people.accounts[each].parts or told.people.accounts[each].merging is None


@given(st.lists(everyday, max_size=15), st.integers(1, 3))
@settings(max_examples=150, deadline=None)
def test_a_merge_that_is_undone_at_once_has_changed_nothing(acts: list[Act], lots: int) -> None:
    told = Told()
    told.play(acts)
    for each in NAMES:
        told.people.passes_time(each)
    before = dict(told.people.accounts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merging, "LOTS_A_STEP", lots)
        patch.setattr(merging, "COUNTS_A_STEP", lots)
        told.people.merges("a", "b")
        told.people.unmerges("a")
    for each in "ab":
        was, now = before[each], told.people.accounts[each]
        assert now.lots == was.lots
        assert now.debts == was.debts
        assert [hold.hold_id for hold in now.holds] == [hold.hold_id for hold in was.holds]
        assert [hold.draws for hold in now.holds] == [hold.draws for hold in was.holds]
        for field in ("usage", "numbers", "streaks", "benefits", "last_activity", "qualifying"):
            assert getattr(now, field) == getattr(was, field)
        kept = {name: held for name, held in was.balances.items() if any(held)}
        assert {name: held for name, held in now.balances.items() if any(held)} == kept
