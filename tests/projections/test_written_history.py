"""The read side after real writes: the ledger's own answers and the projections must agree."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from ledger.clock import SettableClock
from ledger.core.instant import SECOND, to_timestamp
from ledger.service import Ledger, LedgerSettings
from loyalty.v1.ledger_service_pb2 import (
    AdvanceAccountRequest,
    BurnPointsRequest,
    CaptureHoldRequest,
    HoldPointsRequest,
    PostDocumentRequest,
    Posting,
    ReverseEntryRequest,
)
from loyalty.v1.member_service_pb2 import EnrolMemberRequest, Member
from loyalty.v1.programme_service_pb2 import PublishPolicyRequest
from loyalty.v1.types_pb2 import (
    DOCUMENT_KIND_SALE,
    DOCUMENT_STATUS_CANCELLED,
    DOCUMENT_STATUS_FINAL,
    Document,
    DocumentLine,
    DocumentStatus,
    Identity,
    MemberRef,
    Origin,
    Points,
)
from projections import PROJECTIONS
from projections.balances import balances_of
from projections.rebuild import rebuild
from projections.settlement import Flow, settlement_matrix
from projections.tiers import tier_of
from projections.unit_totals import UnitPoints, UnitTotals, unit_totals
from tests.projections.following import follow_to_the_end
from tests.projections.history import START

HARBOUR = Path(__file__).parents[1] / "policies" / "harbour.yaml"
DAY = 86_400 * SECOND
CATEGORY = {"market": "grocery", "dining": "food"}


class Till:
    """Writes as a client would, one request after the other."""

    def __init__(self, ledger: Ledger, clock: SettableClock) -> None:
        """Write to `ledger`; the clock stands still unless it is set."""
        self.ledger = ledger
        self.clock = clock
        self._requests = 0

    def origin(self, unit: str) -> Origin:
        """At `unit`, now."""
        at = to_timestamp(self.clock.now())
        return Origin(business_unit=unit, channel="pos", occurred_time=at)

    def request_id(self) -> str:
        """One that was not used before."""
        self._requests += 1
        return f"request-{self._requests}"

    async def enrol(self) -> MemberRef:
        """Enrol a member with a card."""
        request_id = self.request_id()
        request = EnrolMemberRequest(
            request_id=request_id,
            origin=self.origin("market"),
            identities=[Identity(scheme="card", value=request_id)],
        )
        answer = await self.ledger.write(request, client="till")
        assert isinstance(answer.message, Member)
        return MemberRef(member_id=answer.message.member_id)

    async def post(
        self,
        request: PostDocumentRequest
        | BurnPointsRequest
        | HoldPointsRequest
        | CaptureHoldRequest
        | ReverseEntryRequest
        | AdvanceAccountRequest,
        unit: str,
    ) -> Posting:
        """Write a request at `unit`."""
        request.request_id = self.request_id()
        request.origin.CopyFrom(self.origin(unit))
        answer = await self.ledger.write(request, client="till")
        assert isinstance(answer.message, Posting)
        return answer.message

    async def sell(
        self,
        unit: str,
        member: MemberRef,
        name: str,
        cents: int,
        *,
        version: int = 1,
        status: DocumentStatus.ValueType = DOCUMENT_STATUS_FINAL,
    ) -> Posting:
        """Post a sale of one line."""
        line = DocumentLine(line_id="1", category=CATEGORY[unit], net_minor_units=cents)
        document = Document(
            source="till",
            document_id=name,
            version=version,
            kind=DOCUMENT_KIND_SALE,
            status=status,
            currency_code="USD",
            lines=[line] if cents else [],
        )
        return await self.post(PostDocumentRequest(member=member, document=document), unit)


@pytest.fixture
async def till(service: asyncpg.Pool) -> AsyncIterator[Till]:
    """A till of a ledger under the sample programme."""
    clock = SettableClock(START)
    ledger = await Ledger.open(service, LedgerSettings(identity_key=b"k" * 32), clock)
    policy = PublishPolicyRequest(request_id="policy", document=HARBOUR.read_text(encoding="utf-8"))
    await ledger.write(policy, client="head-office")
    yield Till(ledger, clock)
    await ledger.close()


def points(amount: int) -> Points:
    """Spendable points."""
    return Points(currency="point", amount=amount)


async def lived_through(till: Till) -> tuple[MemberRef, dict[str, tuple[int, ...]]]:
    """A member earns, spends elsewhere, returns, owes, repays and loses; the last balances."""
    member = await till.enrol()
    await till.sell("market", member, "big", 1_200_00)
    await till.sell("dining", member, "meal", 100_00)
    burn = await till.post(BurnPointsRequest(member=member, points=points(900)), "dining")
    reversal = ReverseEntryRequest(entry_id=burn.entry_id, points=100)
    await till.post(reversal, "dining")
    hold = HoldPointsRequest(member=member, hold_id="h", points=points(300))
    await till.post(hold, "dining")
    await till.post(CaptureHoldRequest(hold_id="h", points=200, final=True), "dining")
    # The sale comes back after its points were spent: the rest is a debt, which dining's repay.
    cancelled = DOCUMENT_STATUS_CANCELLED
    await till.sell("market", member, "big", 0, version=2, status=cancelled)
    await till.sell("dining", member, "feast", 700_00)
    till.clock.set(START + 400 * DAY)
    last = await till.post(AdvanceAccountRequest(member=member), "market")
    return member, {
        row.currency: (row.available, row.pending, row.held, row.arrears) for row in last.balances
    }


async def test_balances_and_tier_are_those_that_the_ledger_answers(
    till: Till, service: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    member, told = await lived_through(till)
    await follow_to_the_end(service)
    found = (await balances_of(connection, member.member_id)).value
    assert {row.currency: tuple(row[1:5]) for row in found} == told
    account, _ = await till.ledger.reads.account(member)
    tier = (await tier_of(connection, member.member_id)).value
    assert tier is not None
    assert tier.tier == account.tiers[-1].tier


async def test_the_units_foot_for_points_that_really_moved(
    till: Till, service: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    await lived_through(till)
    await follow_to_the_end(service)
    units = (await unit_totals(connection)).value
    assert [(unit.business_unit, unit.documents, unit.postings) for unit in units] == [
        ("dining", 2, 2),
        ("market", 1, 2),
    ]
    for currency in ("point", "status"):
        assert_footing(units, currency)
        held = "SELECT sum(available + pending + held)::bigint FROM balance WHERE currency = $1"
        outstanding = sum(row.outstanding for row in rows_of(units, currency))
        assert outstanding == await connection.fetchval(held, currency)
    matrix = (await settlement_matrix(connection)).value
    # 1,000 of the market's points went in the restaurant; taking the sale back cost the restaurant
    # 250 of its own lot at once, and 750 from the next one, to repay the debt to the market.
    assert matrix.flows == (
        Flow("point", "dining", "market", burned=0, reclaimed=1_000, converted=0),
        Flow("point", "market", "dining", burned=1_000, reclaimed=0, converted=0),
    )
    assert matrix.net("point") == {"dining": 0, "market": 0}


async def test_every_projection_of_a_real_history_rebuilds_to_the_same_digest(
    till: Till, service: asyncpg.Pool
) -> None:
    await lived_through(till)
    await follow_to_the_end(service, batch_size=3)
    for projection in PROJECTIONS:
        rebuilt = await rebuild(service, projection.name)
        assert rebuilt.digest == rebuilt.replaced_digest


def rows_of(units: tuple[UnitTotals, ...], currency: str) -> list[UnitPoints]:
    """Points of every unit in one currency."""
    return [row for unit in units for row in unit.points if row.currency == currency]


def assert_footing(units: tuple[UnitTotals, ...], currency: str) -> None:
    """What was issued is outstanding, or is gone for a reason."""
    rows = rows_of(units, currency)
    gone = sum(
        row.burned + row.expired + row.clawed_back + row.repaid + row.converted for row in rows
    )
    assert sum(row.issued for row in rows) == sum(row.outstanding for row in rows) + gone
