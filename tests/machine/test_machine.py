"""Any order of anything: the ledger and the clerk's model must agree after every step.

LOYALTY_MACHINE_EXAMPLES says how many stories are tried; the usual number is for every day.
"""

import os
from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from ledger.act import Answer
from ledger.core.refusals import Refusal
from loyalty.v1.ledger_service_pb2 import (
    OUTCOME_POSTED,
    OUTCOME_REPLAYED,
    OUTCOME_SUPERSEDED,
    AdjustPointsRequest,
    AdvanceAccountRequest,
    BurnPointsRequest,
    CaptureHoldRequest,
    HoldPointsRequest,
    MoveDocumentRequest,
    PostDocumentRequest,
    ReleaseHoldRequest,
    ReverseEntryRequest,
)
from loyalty.v1.member_service_pb2 import EnrolMemberRequest
from loyalty.v1.types_pb2 import (
    DOCUMENT_KIND_SALE,
    DOCUMENT_STATUS_CANCELLED,
    DOCUMENT_STATUS_FINAL,
    DOCUMENT_STATUS_PENDING,
    Document,
    DocumentLine,
    Identity,
    Origin,
    Points,
)
from tests.machine.naive import DAY, HOUR, Clerk, No
from tests.machine.real import RealLedger, posting, ref

MEMBERS = ("ann", "bob")
STATUSES = {
    "final": DOCUMENT_STATUS_FINAL,
    "pending": DOCUMENT_STATUS_PENDING,
    "cancelled": DOCUMENT_STATUS_CANCELLED,
}
OUTCOMES = {
    OUTCOME_POSTED: "POSTED",
    OUTCOME_REPLAYED: "REPLAYED",
    OUTCOME_SUPERSEDED: "SUPERSEDED",
}
members = st.sampled_from(MEMBERS)
units = st.sampled_from(("a", "b"))
points = st.one_of(st.integers(1, 60), st.integers(1, 400))


def _asked(work: Callable[[str], Any], entry: str) -> tuple[str, Any]:
    """(reason, nothing) of what the clerk refuses, or (nothing, answer)."""
    try:
        return "", work(entry)
    except No as no:
        return str(no), None


class Machine(RuleBasedStateMachine):
    """Does the same to both, and compares what they say."""

    documents = Bundle("documents")
    holds = Bundle("holds")
    entries = Bundle("entries")

    def __init__(self) -> None:
        super().__init__()
        self.real = RealLedger()
        self.clerk = Clerk()
        self.now = 9 * HOUR
        self.numbers = 0
        self.real.at(self.now)

    @initialize()
    def enrol(self) -> None:
        """Both members exist from the start."""
        for member in MEMBERS:
            identity = Identity(scheme="card", value=member)
            request = EnrolMemberRequest(
                request_id=self.new("e"), origin=Origin(business_unit="a"), identities=[identity]
            )
            assert isinstance(self.real.write(request), Answer)
            self.clerk.enrol(member)

    def new(self, kind: str) -> str:
        self.numbers += 1
        return f"{kind}{self.numbers}"

    def both(self, request: Any, work: Callable[[str], Any]) -> Answer | None:
        """Send the request, let the clerk work, and compare: the answer, None if both refused."""
        real = self.real.write(request)
        entry = "" if isinstance(real, Refusal) else posting(real).entry_id
        refused, said = _asked(work, entry)
        if isinstance(real, Refusal):
            assert real.reason == refused, f"the ledger says {real}"
            return None
        assert not refused, f"the clerk says {refused}, the ledger answers"
        if isinstance(said, str):
            assert OUTCOMES[posting(real).outcome] == said
        return real

    # Time

    @rule(by=st.one_of(st.integers(1, 3_600), st.integers(1, 40).map(lambda days: days * DAY)))
    def pass_time(self, by: int) -> None:
        """A while passes."""
        self.now += by
        self.real.at(self.now)

    @rule(member=members)
    def advance(self, member: str) -> None:
        """What time decided is recorded; nothing else changes."""
        request = AdvanceAccountRequest(
            request_id=self.new("t"), origin=Origin(business_unit="a"), member=ref(member)
        )
        self.both(request, lambda _: self.clerk.tick(member, self.now))

    # Documents

    @rule(target=documents, member=members, unit=units)
    def begin_document(self, member: str, unit: str) -> tuple[str, str, str]:
        """A document gets its number."""
        return self.new("D"), unit, member

    @rule(
        document=documents,
        version=st.integers(1, 5),
        food=st.one_of(st.integers(0, 9_999), st.sampled_from((10_000, 12_345, 40_000))),
        gift=st.sampled_from((0, 5_000)),
        status=st.sampled_from(("final", "final", "final", "pending", "cancelled")),
    )
    def post(
        self, document: tuple[str, str, str], version: int, food: int, gift: int, status: str
    ) -> None:
        """A version arrives, in whatever order."""
        name, unit, first = document
        member = self.clerk.owner(name) or first
        if member != first and version in self.clerk.documents[name]["versions"]:
            # Whose an old version was, and whose it is, are two questions; see the store's tests.
            return
        lines = [DocumentLine(line_id="1", category="food", net_minor_units=food)]
        if gift:
            lines.append(DocumentLine(line_id="2", category="gift_card", net_minor_units=gift))
        request = PostDocumentRequest(
            request_id=self.new("p"),
            origin=Origin(business_unit=unit),
            member=ref(member),
            document=Document(
                source="pos",
                document_id=name,
                version=version,
                kind=DOCUMENT_KIND_SALE,
                status=STATUSES[status],
                currency_code="EUR",
                lines=lines,
            ),
        )
        content = {"food": food, "gift": gift, "status": status, "unit": unit, "member": member}
        self.both(request, lambda _: self.clerk.post(name, version, content, self.now))

    @rule(document=documents, member=members)
    def move(self, document: tuple[str, str, str], member: str) -> None:
        """A final document is given to another member."""
        name, unit, _ = document
        known = self.clerk.documents.get(name)
        if known is None or known["versions"][max(known["versions"])]["status"] != "final":
            return
        request = MoveDocumentRequest(
            request_id=self.new("m"),
            origin=Origin(business_unit=unit),
            member=ref(member),
            document=f"{unit}/pos/{name}",
            reason="rang it up on the wrong card",
        )
        self.both(request, lambda _: self.clerk.move(name, member, self.now))

    @rule(member=members, unit=units, amount=st.integers(-200, 200).filter(bool))
    def adjust(self, member: str, unit: str, amount: int) -> None:
        """Somebody gives or takes points by hand, and somebody else agrees."""
        request = AdjustPointsRequest(
            request_id=self.new("a"),
            origin=Origin(business_unit=unit, operator="yan"),
            member=ref(member),
            points=Points(currency="p", amount=amount),
            reason="goodwill",
            approver="zoe",
        )
        self.both(request, lambda _: self.clerk.adjust(member, unit, amount, self.now))

    # Spending

    @rule(target=entries, member=members, unit=units, amount=points)
    def burn(self, member: str, unit: str, amount: int) -> Any:
        """Points are spent."""
        request = BurnPointsRequest(
            request_id=self.new("b"),
            origin=Origin(business_unit=unit),
            member=ref(member),
            points=Points(currency="p", amount=amount),
        )
        answer = self.both(
            request, lambda entry: self.clerk.burn(entry, member, unit, amount, self.now)
        )
        return multiple() if answer is None else (posting(answer).entry_id, unit)

    @rule(target=holds, member=members, unit=units, amount=points)
    def hold(self, member: str, unit: str, amount: int) -> Any:
        """Points are set aside."""
        hold = self.new("H")
        request = HoldPointsRequest(
            request_id=self.new("h"),
            origin=Origin(business_unit=unit),
            member=ref(member),
            hold_id=hold,
            points=Points(currency="p", amount=amount),
        )
        answer = self.both(request, lambda _: self.clerk.hold(hold, member, unit, amount, self.now))
        return multiple() if answer is None else (hold, unit)

    @rule(target=entries, hold=holds, amount=points, final=st.booleans())
    def capture(self, hold: tuple[str, str], amount: int, final: bool) -> Any:
        """Held points are spent."""
        request = CaptureHoldRequest(
            request_id=self.new("c"),
            origin=Origin(business_unit=hold[1]),
            hold_id=hold[0],
            points=amount,
            final=final,
        )
        answer = self.both(
            request, lambda entry: self.clerk.capture(entry, hold[0], amount, final, self.now)
        )
        return multiple() if answer is None else (posting(answer).entry_id, hold[1])

    @rule(hold=consumes(holds))
    def release(self, hold: tuple[str, str]) -> None:
        """Held points come back."""
        request = ReleaseHoldRequest(
            request_id=self.new("r"), origin=Origin(business_unit=hold[1]), hold_id=hold[0]
        )
        self.both(request, lambda _: self.clerk.release(hold[0], self.now))

    @rule(target=entries, entry=entries, amount=st.one_of(st.just(0), points))
    def reverse(self, entry: tuple[str, str], amount: int) -> Any:
        """A burn is taken back, or such a reversal."""
        request = ReverseEntryRequest(
            request_id=self.new("v"),
            origin=Origin(business_unit=entry[1]),
            entry_id=entry[0],
            points=amount,
        )
        answer = self.both(
            request, lambda made: self.clerk.reverse(made, entry[0], amount, self.now)
        )
        if answer is None or entry[0] in self.clerk.reversals:
            return multiple()
        return posting(answer).entry_id, entry[1]

    # After every step

    @invariant()
    def they_agree(self) -> None:
        """Balances and lots are the same, and the clerk's books add up."""
        for member in self.clerk.members:
            assert self.real.balance(member) == self.clerk.balance(member, self.now)
            assert self.real.lots(member) == self.clerk.lots(member)
        self.clerk.check()

    def teardown(self) -> None:
        """In the end the whole history is verified."""
        self.real.check()
        self.real.close()


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=int(os.environ.get("LOYALTY_MACHINE_EXAMPLES", "100")),
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
