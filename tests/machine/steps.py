"""What every step of the state machine does: ask the ledger and the clerk, and compare."""

from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from ledger.act import Answer
from ledger.core.refusals import Refusal
from loyalty.v1.ledger_service_pb2 import (
    OUTCOME_POSTED,
    OUTCOME_REPLAYED,
    OUTCOME_SUPERSEDED,
    AdvanceAccountRequest,
    Posting,
)
from loyalty.v1.member_service_pb2 import EnrolMemberRequest, UpdateMemberRequest
from loyalty.v1.types_pb2 import Identity, MemberRef, Origin, Points
from tests.machine.books import DAY, HOUR, No
from tests.machine.naive import Clerk
from tests.machine.real import (
    RealLedger,
    balance,
    debts,
    insiders,
    lots,
    member_of,
    posting,
    ref,
    standing,
    tier,
)

MEMBERS = {"ann": "home", "bob": "home", "cat": ""}
"""Household by member."""
CURRENCIES = ("p", "q")
OUTCOMES = {
    OUTCOME_POSTED: "POSTED",
    OUTCOME_REPLAYED: "REPLAYED",
    OUTCOME_SUPERSEDED: "SUPERSEDED",
}
members = st.sampled_from(tuple(MEMBERS))
units = st.sampled_from(("a", "b"))
points = st.one_of(st.integers(1, 60), st.integers(1, 400))
fitting = st.sampled_from((True, True, True, False))
"""Whether an amount is to be within what is there."""
spans = st.one_of(
    st.integers(1, 3_600),
    st.integers(1, 4).map(lambda days: days * DAY),
    st.integers(1, 40).map(lambda days: days * DAY),
)
entries: Bundle[tuple[str, str]] = Bundle("entries")
"""(entry, unit) of what may be reversed."""


def _asked(work: Callable[[str], Any], entry: str) -> tuple[str, Any]:
    """(reason, nothing) of what the clerk refuses, or (nothing, answer)."""
    try:
        return "", work(entry)
    except No as no:
        return str(no), None


class Steps(RuleBasedStateMachine):
    """Does the same to both, and compares what they say."""

    def __init__(self) -> None:
        super().__init__()
        self.real = RealLedger()
        self.clerk = Clerk()
        self.now = 9 * HOUR
        self.numbers = 0
        self.names: dict[str, str] = {}
        """Of members and pools, by their ids."""
        self.ids: dict[str, str] = {}
        """Of members by name."""
        self.pools: dict[str, str] = {}
        """Ids of pools by name."""
        self.real.at(self.now)

    def enrol(self, member: str, household: str) -> None:
        """A member joins; units may know of a household."""
        identity = Identity(scheme="card", value=member)
        request = self.about(EnrolMemberRequest, "a", identities=[identity])
        enrolled = self.real.write(request)
        assert isinstance(enrolled, Answer)
        self.ids[member] = member_of(enrolled).member_id
        self.names[self.ids[member]] = member
        if household:
            told = self.about(UpdateMemberRequest, "a", member=ref(member), household=household)
            assert isinstance(self.real.write(told), Answer)
        self.clerk.enrol(member, household)

    def new(self, kind: str) -> str:
        self.numbers += 1
        return f"{kind}{self.numbers}"

    def about(self, kind: type[Any], unit: str, **given: Any) -> Any:
        """A new request at a unit."""
        return kind(request_id=self.new("r"), origin=Origin(business_unit=unit), **given)

    def both(self, request: Any, work: Callable[[str], Any]) -> Answer | None:
        """Send the request, let the clerk work, and compare: the answer, None if both refused."""
        real = self.real.write(request)
        entry = ""
        if isinstance(real, Answer) and real.kind is Posting:
            entry = posting(real).entry_id
        refused, said = _asked(work, entry)
        if isinstance(real, Refusal):
            assert real.reason == refused, f"the ledger says {real}"
            return None
        assert not refused, f"the clerk says {refused}, the ledger answers"
        if isinstance(said, str):
            assert OUTCOMES[posting(real).outcome] == said
        return real

    def within(self, member: str, currency: str, number: int, *, fits: bool, step: int = 1) -> int:
        """The number, or one within what the member has, in the steps that are asked for."""
        there = self.clerk.balance(member, currency, self.now)["available"]
        if not fits or there < step:
            return number
        return max(step, (1 + (number - 1) % there) // step * step)

    def pool(self, number: int) -> str | None:
        """A pool by number, the newest first, if there is one."""
        names = list(reversed(self.pools))
        return names[number % len(names)] if names else None

    def party(self, name: str) -> MemberRef:
        """A member or a pool by name."""
        return MemberRef(pool_id=self.pools[name]) if name in self.pools else self.ref(name)

    def ref(self, member: str) -> MemberRef:
        """A member by card, or by id who has none any more."""
        nameless = member in self.clerk.nameless
        return MemberRef(member_id=self.ids[member]) if nameless else ref(member)

    # Time

    @rule(by=spans, swept=st.sampled_from((*MEMBERS, "", "", "")))
    def pass_time(self, by: int, swept: str) -> None:
        """A while passes, and what it decided may be recorded."""
        self.move_on(self.now + by)
        if swept:
            self._advance(swept)

    def move_on(self, to: int) -> None:
        """It is later, or as late as it was."""
        self.now = max(self.now, to)
        self.real.at(self.now)

    def _advance(self, member: str) -> None:
        """What time decided is recorded; nothing else changes."""
        request = self.about(AdvanceAccountRequest, "a", member=self.ref(member))
        self.both(request, lambda _: self.clerk.tick(member, self.now))

    # After every step

    @invariant()
    def they_agree(self) -> None:
        """Balances and lots are the same, and the clerk's books add up."""
        for member in self.clerk.members:
            real = self.real.account(self.party(member))
            for currency in CURRENCIES:
                assert balance(real, currency) == self.clerk.balance(member, currency, self.now)
            assert tier(real) == self.clerk.tier(member, self.now)
            status = balance(real, "s")
            for state, what in (("available", "counts"), ("pending", "waits")):
                assert status[state] == self.clerk.status(member, what)
            assert standing(real) == self.clerk.stands(member)
            assert debts(real, self.names) == self.clerk.debts(member)
            assert insiders(real, self.names) == self.clerk.members[member]["pool"]
            recorded = lots(real, self.names)
            self.clerk.put_in_recorded_order(member, recorded)
            assert recorded == self.clerk.lots(member)
        self.clerk.check()

    def teardown(self) -> None:
        """In the end the whole history is verified."""
        self.real.check()
        self.real.close()


def amount(currency: str, number: int) -> Points:
    """So many points."""
    return Points(currency=currency, amount=number)
