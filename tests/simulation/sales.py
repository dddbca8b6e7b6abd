"""What tills sell: to members, to nobody, and to strangers who may join later."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from loyalty.v1.ledger_service_pb2 import ClaimDocumentRequest, PostDocumentRequest
from loyalty.v1.member_service_pb2 import EnrolMemberRequest
from loyalty.v1.types_pb2 import (
    DOCUMENT_KIND_SALE,
    DOCUMENT_STATUS_CANCELLED,
    DOCUMENT_STATUS_FINAL,
    DOCUMENT_STATUS_PENDING,
    Document,
    DocumentLine,
    MemberRef,
    Origin,
)
from tests.simulation.cards import card, holder

Key = tuple[str, str]
"""(business unit, document id)"""
TO_NOBODY: Final = 0.15
TO_STRANGERS: Final = 0.05
STRANGERS: Final = 8
"""Cards that tills read though nobody has enrolled with them yet."""
RECENT: Final = 30
"""Members claim one of the newest receipts."""


@dataclass
class Sales:
    """Draws requests about documents, and remembers which there are."""

    random: Random
    known: list[int]
    """Numbers of the cards with which somebody has enrolled."""
    id: Callable[[str], str]
    """A request id that was not given before."""
    unit: Callable[[], str]
    strangers: range = field(init=False)
    versions: dict[Key, int] = field(default_factory=dict)
    """Highest version sent of each document."""
    buyers: dict[Key, MemberRef | None] = field(default_factory=dict)
    """Whom the till names; None: nobody, and the receipt shows a code."""
    of_nobody: list[Key] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.strangers = range(len(self.known), len(self.known) + STRANGERS)

    def first(self) -> PostDocumentRequest:
        """A new document."""
        key = self.unit(), self.id("D")
        draw = self.random.random()
        if draw < TO_NOBODY:
            self.buyers[key] = None
            self.of_nobody.append(key)
        elif draw < TO_NOBODY + TO_STRANGERS:
            self.buyers[key] = holder(self.random.choice(self.strangers))
        else:
            self.buyers[key] = self._member()
        self.versions[key] = 1
        return self._document(key, 1)

    def next(self) -> PostDocumentRequest:
        """A later version of a document, or an older one that comes late."""
        if not self.versions:
            return self.first()
        key = self.random.choice(list(self.versions))
        highest = self.versions[key]
        version = max(1, highest + self.random.choice((-1, 1, 1, 1, 2)))
        self.versions[key] = max(highest, version)
        return self._document(key, version)

    def claim(self) -> Any:
        """Somebody shows a receipt, or makes up its code."""
        if not self.of_nobody:
            return self.first()
        unit, document = key = self.random.choice(self.of_nobody[-RECENT:])
        right = self.random.random() < 0.9
        return ClaimDocumentRequest(
            request_id=self.id("claim"),
            origin=Origin(business_unit=self.unit()),
            member=self._member(),
            document=f"{unit}/pos/{document}",
            receipt_code=_code(key) if right else "guessed",
        )

    def join(self) -> EnrolMemberRequest:
        """A stranger becomes a member, or is one already."""
        number = self.random.choice(self.strangers)
        return EnrolMemberRequest(
            request_id=self.id("join"),
            origin=Origin(business_unit=self.unit()),
            identities=[card(number)],
            or_existing=True,
        )

    def joined(self, request: EnrolMemberRequest) -> None:
        """Remember that somebody is a member."""
        number = int(request.identities[0].value)
        if number not in self.known:
            self.known.append(number)

    def _member(self) -> MemberRef:
        return holder(self.random.choice(self.known))

    def _document(self, key: Key, version: int) -> PostDocumentRequest:
        unit, document = key
        status = self.random.choices(
            (DOCUMENT_STATUS_FINAL, DOCUMENT_STATUS_PENDING, DOCUMENT_STATUS_CANCELLED),
            weights=(80, 10, 10),
        )[0]
        lines = [
            DocumentLine(
                line_id=str(number),
                category=self.random.choice(("food", "food", "gift_card")),
                net_minor_units=self.random.randint(0, 30_000),
            )
            for number in range(self.random.randint(1, 3))
        ]
        request = PostDocumentRequest(
            request_id=self.id("post"),
            origin=Origin(business_unit=unit),
            document=Document(
                source="pos",
                document_id=document,
                version=version,
                kind=DOCUMENT_KIND_SALE,
                status=status,
                currency_code="EUR",
                lines=lines,
            ),
        )
        self._name(request, key)
        return request

    def _name(self, request: PostDocumentRequest, key: Key) -> None:
        """Say whose document it is; a till that knew nobody is now and then told later."""
        buyer = self.buyers[key]
        if buyer is None:
            request.document.receipt_code = _code(key)
            buyer = self._member() if self.random.random() < 0.1 else None
        if buyer is not None:
            request.member.CopyFrom(buyer)
            request.unclaimed_if_unknown = True


def _code(key: Key) -> str:
    return f"code of {'/'.join(key)}"
