"""Steps of documents: posted in whatever order, moved, claimed; and points given by hand."""

import hypothesis.strategies as st
from hypothesis.stateful import rule

from loyalty.v1.ledger_service_pb2 import (
    OUTCOME_POSTED,
    AdjustPointsRequest,
    ClaimDocumentRequest,
    MoveDocumentRequest,
    PostDocumentRequest,
)
from loyalty.v1.types_pb2 import (
    DOCUMENT_KIND_SALE,
    DOCUMENT_STATUS_CANCELLED,
    DOCUMENT_STATUS_FINAL,
    DOCUMENT_STATUS_PENDING,
    Document,
    DocumentLine,
    Origin,
)
from tests.machine.books import DAY
from tests.machine.real import granted, posting
from tests.machine.steps import Steps, amount, members, units

STATUSES = {
    "final": DOCUMENT_STATUS_FINAL,
    "pending": DOCUMENT_STATUS_PENDING,
    "cancelled": DOCUMENT_STATUS_CANCELLED,
}
DOCUMENTS = {
    "D1": ("a", "ann"),
    "D2": ("b", "bob"),
    "D3": ("a", "cat"),
    "D6": ("b", None),
    "D7": ("a", None),
    "D4": ("b", "ann"),
    "D5": ("a", "bob"),
    "D8": ("a", None),
    "D9": ("a", "ann"),
    "D10": ("b", "bob"),
    "D11": ("b", "cat"),
    "D12": ("a", "ann"),
    "D13": ("a", "bob"),
    "D14": ("b", "cat"),
}
"""Unit, and whose it is at first, by document: the till does not always know."""
documents = st.sampled_from(tuple(DOCUMENTS))
claimed = st.sampled_from(("D6", "D7", "D8", "D1"))
food = st.one_of(st.integers(0, 9_999), st.sampled_from((10_000, 12_345, 40_000)))


class DocumentSteps(Steps):
    """Whatever can be done with a document."""

    @rule(
        document=documents,
        step=st.sampled_from((1, 1, 1, 2, 0, -1)),
        food=food,
        gift=st.sampled_from((0, 5_000)),
        status=st.sampled_from(("final", "final", "final", "pending", "cancelled")),
    )
    def post(self, document: str, step: int, food: int, gift: int, status: str) -> None:
        """A version arrives, in whatever order."""
        known = self.clerk.documents.get(document)
        newest = max(known["versions"]) if known else 0
        self.state(document, max(1, newest + step), food, gift, status)

    @rule(member=members, food=st.sampled_from((4_500, 9_000, 13_000, 30_000)))
    def buy(self, member: str, food: int) -> None:
        """Somebody buys something new."""
        new = (name for name, (_, whose) in DOCUMENTS.items() if whose == member)
        name = next((name for name in new if name not in self.clerk.documents), None)
        if name:
            self.state(name, 1, food, 0, "final")

    @rule(number=st.integers(0, 9), left=st.sampled_from((0, 1_000, 6_000)))
    def bring_back(self, number: int, left: int) -> None:
        """Goods of something that was bought come back, all or nearly all."""
        names = [name for name in DOCUMENTS if name in self.clerk.documents]
        if names:
            name = names[number % len(names)]
            newest = max(self.clerk.documents[name]["versions"])
            self.state(name, newest + 1, left, 0, "final")

    def state(self, name: str, version: int, food: int, gift: int, status: str) -> None:
        """State a document."""
        unit, first = DOCUMENTS[name]
        member = self.clerk.owner(name) or first
        if member != first and version in self.clerk.documents[name]["versions"]:
            # Whose an old version was, and whose it is, are two questions; see the store's tests.
            return
        lines = [DocumentLine(line_id="1", category="food", net_minor_units=food)]
        if gift:
            lines.append(DocumentLine(line_id="2", category="gift_card", net_minor_units=gift))
        request = self.about(
            PostDocumentRequest,
            unit,
            member=None if member is None else self.ref(member),
            document=Document(
                source="pos",
                document_id=name,
                version=version,
                kind=DOCUMENT_KIND_SALE,
                status=STATUSES[status],
                currency_code="EUR",
                lines=lines,
                receipt_code=f"code-{name}",
            ),
        )
        content = {"food": food, "gift": gift, "status": status, "unit": unit, "member": member}
        answer = self.both(request, lambda _: self.clerk.post(name, version, content, self.now))
        if answer is not None and posting(answer).outcome == OUTCOME_POSTED and member is not None:
            assert granted(answer) == self.clerk.granted(name)

    @rule(name=documents, member=members)
    def move(self, name: str, member: str) -> None:
        """A final document is given to another member, or to one at all."""
        unit, _ = DOCUMENTS[name]
        known = self.clerk.documents.get(name)
        if known is None or known["versions"][max(known["versions"])]["status"] != "final":
            return
        request = self.about(
            MoveDocumentRequest,
            unit,
            member=self.ref(member),
            document=f"{unit}/pos/{name}",
            reason="rang it up on the wrong card",
        )
        self.both(request, lambda _: self.clerk.move(name, member, self.now))

    @rule(name=claimed, member=members, unit=units, code=st.sampled_from((1, 1, 1, 0)))
    def claim(self, name: str, member: str, unit: str, code: int) -> None:
        """Somebody shows a receipt, or guesses its code."""
        self._show(name, member, unit, right_code=bool(code))

    @rule(member=members, unit=units, food=st.sampled_from((4_500, 13_000)), days=st.integers(0, 2))
    def find_a_receipt(self, member: str, unit: str, food: int, days: int) -> None:
        """Something is bought by nobody, and its receipt shown some days later."""
        new = (name for name, (_, whose) in DOCUMENTS.items() if whose is None)
        name = next((name for name in new if name not in self.clerk.documents), None)
        if name:
            self.state(name, 1, food, 0, "final")
            self.move_on(self.now + days * DAY)
            self._show(name, member, unit, right_code=True)

    def _show(self, name: str, member: str, unit: str, *, right_code: bool) -> None:
        issuer, _ = DOCUMENTS[name]
        request = self.about(
            ClaimDocumentRequest,
            unit,
            member=self.ref(member),
            document=f"{issuer}/pos/{name}",
            receipt_code=f"code-{name}" if right_code else "another",
        )
        self.both(
            request, lambda _: self.clerk.claim(name, member, self.now, right_code=right_code)
        )

    @rule(member=members, unit=units, change=st.integers(-200, 200).filter(bool))
    def adjust(self, member: str, unit: str, change: int) -> None:
        """Somebody gives or takes points by hand, and somebody else agrees."""
        request = AdjustPointsRequest(
            request_id=self.new("a"),
            origin=Origin(business_unit=unit, operator="yan"),
            member=self.ref(member),
            points=amount("p", change),
            reason="goodwill",
            approver="zoe",
        )
        self.both(request, lambda _: self.clerk.adjust(member, unit, change, self.now))
