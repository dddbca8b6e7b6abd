"""Why an entry is what it is, asked over real gRPC: the rules again, or the lots drawn."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import grpc
import pytest

from ledger.clock import SettableClock
from ledger.core.instant import DAY, from_datetime
from loyalty.v1.account_service_pb2 import (
    ExplainEntryRequest,
    ExplainEntryResponse,
    ListEntriesRequest,
)
from loyalty.v1.ledger_service_pb2 import (
    OUTCOME_SUPERSEDED,
    AdvanceAccountRequest,
    PostDocumentRequest,
    Posting,
)
from loyalty.v1.programme_service_pb2 import PublishPolicyRequest
from loyalty.v1.types_pb2 import Document, Origin
from tests.server import asked, requests
from tests.server.served import Caller, Served, refused, serving, violations_of

ORIGIN = Origin(business_unit="market")
BEGIN = from_datetime(datetime(2026, 5, 1, 12, tzinfo=UTC))


async def begin(caller: Caller) -> None:
    await caller.programme.PublishPolicy(
        PublishPolicyRequest(request_id="p-1", document=asked.POLICY, allow_retroactive=True)
    )
    await caller.members.EnrolMember(requests.enrolment())


@pytest.fixture
async def till(served: Served) -> AsyncIterator[Caller]:
    """A caller of a programme with a bit of everything."""
    async with served.caller(await served.token("till")) as caller:
        await begin(caller)
        yield caller


async def post(till: Caller, document: Document, request_id: str) -> Posting:
    request = PostDocumentRequest(
        request_id=request_id, origin=ORIGIN, member=requests.member(), document=document
    )
    return (await till.ledger.PostDocument(request)).posting  # type: ignore[no-any-return]


async def explained(till: Caller, **asks: object) -> ExplainEntryResponse:
    request = ExplainEntryRequest(**asks)  # type: ignore[arg-type]
    answer: ExplainEntryResponse = await till.accounts.ExplainEntry(request)
    return answer


async def test_an_award_is_explained_rule_by_rule(till: Caller) -> None:
    posted = await post(till, asked.sale_of(("grocery", 12_50), document_id="T-1"), "r-1")
    why = await explained(till, document="market/till/T-1")
    assert why.entry_id == posted.entry_id
    assert (why.member_id, why.version, why.policy_version) == (posted.member_id, 1, 1)
    rows = {row.rule: row for row in why.rules}
    base = rows["base"]
    assert (base.title, base.exact, base.rounding) == ("Base", "25/2", "floor at rule")
    assert (base.wanted, base.granted, base.cut_by) == (12, 12, "")
    assert [(share.line_id, share.eligible_minor_units) for share in base.lines] == [("1", 1250)]
    skipped = {skip.rule: skip.condition for skip in why.skipped}
    assert set(rows) | set(skipped) >= {"base", "status", "gold", "fashion", "first", "coffee"}
    assert "tier" in skipped["gold"]
    assert [(each.counter, each.number) for each in why.numbers if each.counter == "nth"] == [
        ("nth", 1)
    ]
    assert any("12.5" in line for line in why.lines)


async def test_an_explanation_speaks_chinese(till: Caller) -> None:
    await post(till, asked.sale_of(("grocery", 12_50), document_id="T-1"), "r-1")
    why = await explained(till, document="market/till/T-1", language="zh")
    assert {row.rule: row.title for row in why.rules}["base"] == "基础"
    assert any("基础" in line for line in why.lines)


@pytest.mark.parametrize("seed", range(3))
async def test_what_is_explained_is_what_was_granted(till: Caller, seed: int) -> None:
    cut = 0
    for number, document in enumerate(asked.baskets(seed, 30)):
        posted = await post(till, document, f"r-{number}")
        if posted.outcome == OUTCOME_SUPERSEDED:
            continue
        why = await explained(
            till, document=f"market/till/{document.document_id}", version=document.version
        )
        assert why.entry_id == posted.entry_id
        assert list(why.movements) == list(posted.movements)
        points = {row.rule: row.granted for row in why.rules if row.granted}
        assert points == {grant.rule: grant.granted for grant in posted.grants}
        cut += sum(row.cut_by != "" for row in why.rules)
        for row in why.rules:
            assert sum(Fraction(share.exact) for share in row.lines) == Fraction(row.exact) or (
                not row.lines
            )
    assert cut


async def test_the_newest_version_is_explained_unless_another_is_named(till: Caller) -> None:
    document = asked.sale_of(("grocery", 12_00), document_id="T-1")
    await post(till, document, "r-1")
    document.version = 4
    document.lines[0].net_minor_units = 5_00
    await post(till, document, "r-2")
    granted = []
    for version in (0, 1, 4):
        why = await explained(till, document="market/till/T-1", version=version)
        granted.append(next(row.granted for row in why.rules if row.rule == "base"))
    assert granted == [5, 12, 5]
    why = await explained(till, document="market/till/T-1")
    assert any("taken back" in line for line in why.lines)


async def test_a_burn_says_which_lots_it_drew_and_its_reversal_where_they_went(
    till: Caller,
) -> None:
    await post(till, asked.sale_of(("grocery", 30_00), document_id="T-1"), "r-1")
    burnt = (await till.ledger.BurnPoints(requests.burn(points=40))).posting
    why = await explained(till, entry_id=burnt.entry_id)
    assert [movement.kind for movement in why.movements] == ["points_burned"]
    assert why.lines[0] == "40 point spent at market"
    assert "first" in why.lines[1]
    assert "of what market gave on" in why.lines[2]
    back = (await till.ledger.ReverseEntry(requests.reversal(burnt.entry_id))).posting
    why = await explained(till, entry_id=back.entry_id, language="zh")
    assert "退回" in why.lines[0]
    assert why.movements[0].draws[0].lot_id == burnt.movements[0].draws[0].lot_id


async def test_an_award_is_found_by_its_entry_with_its_member(till: Caller) -> None:
    posted = await post(till, asked.sale_of(("grocery", 30_00), document_id="T-1"), "r-1")
    why = await explained(till, entry_id=posted.entry_id, member=requests.member())
    assert why.document == "market/till/T-1"
    await refused(
        till.accounts.ExplainEntry(ExplainEntryRequest(entry_id=posted.entry_id)),
        grpc.StatusCode.NOT_FOUND,
        "UNKNOWN_ENTRY",
    )


async def test_an_expiry_is_explained_by_its_line_of_the_statement(
    database: str, tmp_path: Path
) -> None:
    clock = SettableClock(BEGIN)
    async with serving(database, tmp_path, clock) as served:
        token = await served.token("till")
        async with served.caller(token) as till:
            await begin(till)
            await post(till, asked.sale_of(("grocery", 30_00), document_id="T-1"), "r-1")
            clock.set(BEGIN + 500 * DAY)
            await till.ledger.AdvanceAccount(
                AdvanceAccountRequest(request_id="a-1", origin=ORIGIN, member=requests.member())
            )
            entries = await till.accounts.ListEntries(ListEntriesRequest(member=requests.member()))
            expired = next(e for e in entries.entries if e.movement.kind == "points_expired")
            why = await explained(till, member=requests.member(), version=expired.version)
            assert why.lines[0] == "55 point issued by market expired"
            assert why.lines[1] == "Their time had passed: 2027-05-01"


async def test_a_document_without_a_member_is_explained_without_rules(till: Caller) -> None:
    request = PostDocumentRequest(
        request_id="r-1",
        origin=ORIGIN,
        document=asked.sale_of(("grocery", 30_00), document_id="T-1"),
    )
    await till.ledger.PostDocument(request)
    why = await explained(till, document="market/till/T-1")
    # The policy is pinned all the same: whoever claims the document is paid under it.
    assert (why.member_id, list(why.rules), why.policy_version) == ("", [], 1)


async def test_what_another_unit_did_is_not_explained(till: Caller, served: Served) -> None:
    posted = await post(till, asked.sale_of(("grocery", 30_00), document_id="T-1"), "r-1")
    token = await served.token("hotel", units=("hotel",))
    async with served.caller(token) as hotel:
        for request in (
            ExplainEntryRequest(document="market/till/T-1"),
            ExplainEntryRequest(entry_id=posted.entry_id, member=requests.member()),
        ):
            await refused(
                hotel.accounts.ExplainEntry(request), grpc.StatusCode.NOT_FOUND, "UNKNOWN_ENTRY"
            )


WRONG = {
    "entry_id": ExplainEntryRequest(),
    "document": ExplainEntryRequest(document="T-1"),
    "version": ExplainEntryRequest(document="market/till/T-1", version=-1),
    "language": ExplainEntryRequest(document="market/till/T-1", language="fr"),
}


@pytest.mark.parametrize("field", WRONG)
async def test_what_is_wrong_with_a_question_is_named(till: Caller, field: str) -> None:
    status = await refused(
        till.accounts.ExplainEntry(WRONG[field]), grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED"
    )
    assert field in violations_of(status)
