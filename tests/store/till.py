"""A till for tests of the store: short words for whole requests, against a ledger on a database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from ledger.act import Answer
from ledger.clock import Clock, SettableClock
from ledger.core.instant import from_datetime, to_timestamp
from ledger.service import Ledger, LedgerSettings
from loyalty.v1.ledger_service_pb2 import (
    AdvanceAccountRequest,
    BurnPointsRequest,
    CaptureHoldRequest,
    HoldPointsRequest,
    PostDocumentRequest,
    Posting,
    ReleaseHoldRequest,
    ReverseEntryRequest,
)
from loyalty.v1.member_service_pb2 import EnrolMemberRequest, UpdateMemberRequest
from loyalty.v1.programme_service_pb2 import PublishPolicyRequest
from loyalty.v1.types_pb2 import (
    DOCUMENT_KIND_SALE,
    DOCUMENT_STATUS_CANCELLED,
    DOCUMENT_STATUS_FINAL,
    Document,
    DocumentLine,
    Identity,
    MemberRef,
    Origin,
    Points,
)
from server import database

KEY = bytes(range(32))

POLICY = """
schema: loyalty.policy/v1
programme: test
version: 1
effective_from: 2020-01-01T00:00:00Z
zone: UTC
currencies:
  - {id: p, role: spendable}
business_units:
  - {id: a, zone: UTC, currency: EUR, point_value: "0.01 EUR"}
  - {id: b, zone: UTC, currency: EUR, point_value: "0.01 EUR"}
categories: [food, {id: gift_card, earns: false}]
earn:
  - {kind: base, id: base, currency: p, rate: {points: 1, per: "1.00 EUR"}}
redemptions:
  - {id: pay, currency: p, min_points: 1, step: 1}
"""


def at(text: str) -> int:
    """Instant of an ISO time in UTC: "2025-03-01T12:00"."""
    return from_datetime(datetime.fromisoformat(text + "+00:00"))


def origin_of(unit: str, occurred: str = "") -> Origin:
    """A business unit, with the time at which something happened there."""
    origin = Origin(business_unit=unit)
    if occurred:
        origin.occurred_time.CopyFrom(to_timestamp(at(occurred)))
    return origin


class Till:
    """Posts to a ledger as one client; every call has its own request id unless one is given."""

    def __init__(self, ledger: Ledger, clock: SettableClock, client: str = "till") -> None:
        self.ledger = ledger
        self.clock = clock
        self.client = client
        self._requests = 0

    def rid(self) -> str:
        self._requests += 1
        return f"{self.client}-{self._requests}"

    async def write(self, request: Any) -> Answer:
        return await self.ledger.write(request, client=self.client)

    async def post(self, request: Any) -> Posting:
        message = (await self.write(request)).message
        assert isinstance(message, Posting)
        return message

    async def publish(self, text: str = POLICY) -> None:
        await self.write(PublishPolicyRequest(request_id=self.rid(), document=text))

    async def enrol(self, card: str, unit: str = "a") -> MemberRef:
        identity = Identity(scheme="card", value=card)
        origin = Origin(business_unit=unit)
        await self.write(
            EnrolMemberRequest(request_id=self.rid(), origin=origin, identities=[identity])
        )
        return MemberRef(identity=identity)

    def document(
        self,
        member: MemberRef | None,
        document_id: str,
        version: int,
        *net_minor: int,
        unit: str = "a",
        rid: str = "",
        occurred: str = "",
    ) -> PostDocumentRequest:
        return PostDocumentRequest(
            request_id=rid or self.rid(),
            origin=origin_of(unit, occurred),
            member=member,
            document=Document(
                source="till",
                document_id=document_id,
                version=version,
                kind=DOCUMENT_KIND_SALE,
                status=DOCUMENT_STATUS_FINAL if net_minor else DOCUMENT_STATUS_CANCELLED,
                currency_code="EUR",
                lines=[
                    DocumentLine(line_id=str(index), category="food", net_minor_units=net)
                    for index, net in enumerate(net_minor, start=1)
                ],
            ),
        )

    def burn(
        self, member: MemberRef, points: int, unit: str = "a", rid: str = "", occurred: str = ""
    ) -> BurnPointsRequest:
        return BurnPointsRequest(
            request_id=rid or self.rid(),
            origin=origin_of(unit, occurred),
            member=member,
            points=Points(currency="p", amount=points),
        )

    def hold(self, member: MemberRef, hold_id: str, points: int) -> HoldPointsRequest:
        return HoldPointsRequest(
            request_id=self.rid(),
            origin=Origin(business_unit="a"),
            member=member,
            hold_id=hold_id,
            points=Points(currency="p", amount=points),
        )

    def capture(self, hold_id: str, points: int, *, final: bool = False) -> CaptureHoldRequest:
        return CaptureHoldRequest(
            request_id=self.rid(),
            origin=Origin(business_unit="a"),
            hold_id=hold_id,
            points=points,
            final=final,
        )

    def release(self, hold_id: str) -> ReleaseHoldRequest:
        return ReleaseHoldRequest(
            request_id=self.rid(), origin=Origin(business_unit="a"), hold_id=hold_id
        )

    def reverse(self, entry_id: str, points: int = 0, unit: str = "a") -> ReverseEntryRequest:
        return ReverseEntryRequest(
            request_id=self.rid(),
            origin=Origin(business_unit=unit),
            entry_id=entry_id,
            points=points,
        )

    def advance(self, member: MemberRef) -> AdvanceAccountRequest:
        return AdvanceAccountRequest(
            request_id=self.rid(), origin=Origin(business_unit="a"), member=member
        )

    async def household(self, member: MemberRef, household: str) -> None:
        await self.write(
            UpdateMemberRequest(
                request_id=self.rid(),
                origin=Origin(business_unit="a"),
                member=member,
                household=household,
            )
        )

    async def available(self, member: MemberRef, currency: str = "p") -> int:
        account, _ = await self.ledger.reads.account(member)
        return account.balance(currency).available


def moved(posting: Posting) -> list[tuple[str, int]]:
    """What moved, short."""
    return [(movement.kind, movement.points) for movement in posting.movements]


@asynccontextmanager
async def open_till(
    url: str, *, now: str = "2025-03-01T12:00", clock: Clock | None = None, **settings: Any
) -> AsyncIterator[Till]:
    """A ledger on a database with its clock standing at `now`, and a till in front of it."""
    pool = await database.pool(url)
    standing = SettableClock(at(now))
    ledger = await Ledger.open(
        pool, LedgerSettings(identity_key=KEY, **settings), clock or standing
    )
    try:
        yield Till(ledger, standing)
    finally:
        await ledger.close()
        await pool.close()
