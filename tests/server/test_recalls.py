"""Recalls over the wire: bad points are followed to whoever has them, and just these are taken."""

import asyncio
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc import StatusCode as Code

from ledger.core.refusals import InsufficientPoints
from loyalty.v1.audit_service_pb2 import TracedLot, TraceLotsRequest, VerifyHistoryRequest
from loyalty.v1.ledger_service_pb2 import BatchItem, BatchPostRequest, RecallPointsRequest
from loyalty.v1.types_pb2 import (
    RECALL_ACTION_CLAW_BACK,
    RECALL_ACTION_QUARANTINE,
    RECALL_SPENT_ARREARS,
    MemberRef,
    Origin,
    RecallAction,
    RecallSpent,
)
from projections.traces import walk
from server.cli.recall_passes import Recall, Recalled
from tests.server.served import Caller, Served, refused, serving, violations_of
from tests.store.moving import AT_ONCE, Mover
from tests.store.till import KEY, Till, open_till

POLICY = AT_ONCE.replace(
    "{kind: base, id: tea,", "{kind: base, id: tea, campaign: double,"
).replace("earn:\n", "campaigns: [{id: double}]\nearn:\n")
DOUBLE = TraceLotsRequest(campaign="double")


@pytest.fixture
async def till(database: str) -> AsyncIterator[Till]:
    """A process of its own, at which members buy, give and spend."""
    async with open_till(database, now="2026-11-01T12:00") as till:
        await till.publish(POLICY)
        yield till


@pytest.fixture
async def server(database: str, till: Till, tmp_path: Path) -> AsyncIterator[Served]:
    """Another process on the same database, whose read side follows."""
    (tmp_path / "identity.key").write_text(KEY.hex())
    async with serving(database, tmp_path, projections=True) as running:
        yield running


@pytest.fixture
async def desk(server: Served) -> AsyncIterator[Caller]:
    async with server.caller(await server.token("desk")) as caller:
        yield caller


async def given(till: Till) -> tuple[MemberRef, MemberRef]:
    """M1 got 100 bad points, gave 60 of them to M2 (and 6 for the fee), who spent 45 of 70."""
    mover = Mover(till)
    m1, m2 = await till.enrol("1"), await till.enrol("2")
    await mover.earns(m1, "bad", 100, on="2026-10-01", tea=True)
    await mover.moves(m1, m2, 60)
    await till.post(till.burn(m2, 45))
    await mover.earns(m2, "late", 10, on="2026-10-02", tea=False)
    return m1, m2


def recall(
    desk: Caller,
    action: RecallAction.ValueType,
    spent: RecallSpent.ValueType = RecallSpent.RECALL_SPENT_UNSPECIFIED,
) -> Recall:
    """What the command does, through this caller."""

    async def post(items: list[BatchItem]) -> list[object]:
        answer = await desk.ledger.BatchPost(BatchPostRequest(items=items))
        return list(answer.results)

    asked = RecallPointsRequest(
        origin=Origin(business_unit="a", operator="u1"),
        recall_id="double",
        action=action,
        spent=spent,
        reason="paid twice",
    )
    return Recall(post, desk.audit.TraceLots, asked)  # type: ignore[arg-type]


def shown(done: int, total: int) -> None:
    assert 0 < done <= total


async def followed(desk: Caller, till: Till, *members: MemberRef) -> list[TracedLot]:
    """The trace, from after what the members did last."""
    positions = [(await till.ledger.reads.account(member))[1] for member in members]
    question = TraceLotsRequest(campaign="double", min_positions=positions)
    return list((await desk.audit.TraceLots(question)).lots)


async def sound(desk: Caller) -> bool:
    words = [word async for word in desk.audit.VerifyHistory(VerifyHistoryRequest())]
    return not words[-1].divergences


def points(recalled: Recalled) -> dict[str, int]:
    return {kind: points for (kind, _), points in recalled.points.items()}


async def test_a_gift_that_was_partly_spent_is_recalled(till: Till, desk: Caller) -> None:
    m1, m2 = await given(till)
    before = await followed(desk, till, m1, m2)
    assert [(lot.points, lot.left, lot.spent, lot.passed_on) for lot in before] == [
        (100, 34, 6, 60),
        (60, 15, 45, 0),
    ]
    aside = await recall(desk, RECALL_ACTION_QUARANTINE).run(DOUBLE, shown)
    assert (aside.accounts, aside.refused, points(aside)) == (2, {}, {"points_quarantined": 49})
    assert [await till.available(member) for member in (m1, m2)] == [0, 10]
    again = await recall(desk, RECALL_ACTION_QUARANTINE).run(DOUBLE, shown)
    assert (again.accounts, again.refused) == (0, {})
    lifted = await recall(desk, RecallAction.RECALL_ACTION_RELEASE).run(DOUBLE, shown)
    assert points(lifted) == {"quarantine_lifted": 49}
    assert [await till.available(member) for member in (m1, m2)] == [34, 25]
    for expected in ({"points_clawed_back": 49, "arrears_incurred": 51}, {}):
        taken = await recall(desk, RECALL_ACTION_CLAW_BACK, RECALL_SPENT_ARREARS).run(DOUBLE, shown)
        assert points(taken) == expected
    assert [await till.available(member) for member in (m1, m2)] == [0, 10]
    after = await followed(desk, till, m1, m2)
    assert [(lot.clawed_back, lot.left, lot.charged) for lot in after] == [(34, 0, 6), (15, 0, 45)]
    assert await sound(desk)


async def test_two_recall_while_points_are_spent_and_given(till: Till, desk: Caller) -> None:
    mover = Mover(till)
    members = [await till.enrol(f"m{number}") for number in range(6)]
    for number, member in enumerate(members):
        await mover.earns(member, f"D{number}", 50, on="2026-10-01", tea=True)
    await followed(desk, till, *members)

    async def lives(number: int) -> None:
        for _ in range(3):
            with suppress(InsufficientPoints):
                await till.post(till.burn(members[number], 7))
            with suppress(InsufficientPoints):
                await mover.moves(members[number], members[(number + 1) % 6], 5)

    living = asyncio.gather(*map(lives, range(6)))
    runs = (recall(desk, RECALL_ACTION_QUARANTINE).run(DOUBLE, shown) for _ in range(2))
    recalled = list(await asyncio.gather(*runs))
    await living
    await followed(desk, till, *members)
    recalled.append(await recall(desk, RECALL_ACTION_QUARANTINE).run(DOUBLE, shown))
    assert [each.refused for each in recalled] == [{}] * 3
    lots = await followed(desk, till, *members)
    aside = sum(points(each).get("points_quarantined", 0) for each in recalled)
    assert aside == sum(lot.quarantined for lot in lots)
    assert sum(lot.left + lot.in_transit for lot in lots) == 0
    assert aside + sum(lot.spent for lot in lots) == 300
    assert [await till.available(member) for member in members] == [0] * 6
    assert await sound(desk)


async def pages_of(desk: Caller, size: int) -> list[list[TracedLot]]:
    question = TraceLotsRequest(campaign="double", page_size=size)
    pages: list[list[TracedLot]] = []
    while not pages or question.page_token:
        answer = await desk.audit.TraceLots(question)
        pages.append(list(answer.lots))
        question.page_token = answer.next_page_token
    return pages


async def test_pages_read_what_one_walk_found(
    till: Till, desk: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    walked = []

    async def counted(*args: Any, **named: Any) -> Any:
        walked.append(named["after"])
        return await walk(*args, **named)

    monkeypatch.setattr("server.services.lot_traces.walk", counted)
    mover = Mover(till)
    members = [await till.enrol(f"m{number}") for number in range(6)]
    for number, member in enumerate(members):
        await mover.earns(member, f"D{number}", 50, on="2026-10-01", tea=True)
    lots = await followed(desk, till, *members)
    for window, size, walks in ((100, 1, 1), (100, 4, 1), (100, 6, 1), (4, 2, 2), (3, 2, 3)):
        monkeypatch.setattr("server.services.lot_traces.WINDOW_LOTS", window)
        walked.clear()
        assert await pages_of(desk, size) == [lots[at : at + size] for at in range(0, 6, size)]
        assert len(walked) == len(set(walked)) == walks, (window, size)
    monkeypatch.setattr("server.services.lot_traces.WINDOWS_KEPT", 0)
    walked.clear()
    assert await pages_of(desk, 2) == [lots[:2], lots[2:4], lots[4:]]
    assert len(walked) == 3


async def test_a_page_tells_what_lots_hold_now(till: Till, desk: Caller) -> None:
    mover = Mover(till)
    members = [await till.enrol(f"m{number}") for number in range(3)]
    for number, member in enumerate(members):
        await mover.earns(member, f"D{number}", 50, on="2026-10-01", tea=True)
    lots = await followed(desk, till, *members)
    owners = {(await till.ledger.reads.account(each))[0].account_id: each for each in members}
    second, third = (owners[lot.account_id] for lot in lots[1:])
    question = TraceLotsRequest(campaign="double", page_size=1)
    question.page_token = (await desk.audit.TraceLots(question)).next_page_token
    await till.post(till.burn(second, 7))
    await mover.earns(third, "D9", 50, on="2026-10-01", tea=True)
    fresh = await followed(desk, till, *members)
    assert len(fresh) == 4
    page = await desk.audit.TraceLots(question)
    assert [(lot.lot_id, lot.spent) for lot in page.lots] == [(lots[1].lot_id, 7)]
    question = TraceLotsRequest(campaign="double", page_token=page.next_page_token)
    assert list((await desk.audit.TraceLots(question)).lots) == [lots[2]]
    question.min_positions.append((await till.ledger.reads.account(third))[1])
    assert list((await desk.audit.TraceLots(question)).lots) == fresh[2:]


async def test_who_may_trace_and_what_is_asked(server: Served, till: Till, desk: Caller) -> None:
    members = await given(till)
    lots = await followed(desk, till, *members)
    page = await desk.audit.TraceLots(TraceLotsRequest(campaign="double", page_size=1))
    assert list(page.lots) == lots[:1]
    question = TraceLotsRequest(campaign="double", page_token=page.next_page_token)
    rest = await desk.audit.TraceLots(question)
    assert (list(rest.lots), rest.next_page_token) == (lots[1:], "")
    bound = sha256(b"lots\ncampaign\nnone").digest()[:8]
    forged = urlsafe_b64encode(bound + urlsafe_b64decode(page.next_page_token)[8:]).decode()
    elsewhere = TraceLotsRequest(campaign="none", page_token=forged)
    assert not (await desk.audit.TraceLots(elsewhere)).lots, "what another question kept"
    other = TraceLotsRequest(campaign="other", page_token=page.next_page_token)
    for wrong, field in (
        (other, "page_token"),
        (TraceLotsRequest(), "of"),
        (TraceLotsRequest(document="a/till"), "document"),
        (TraceLotsRequest(campaign="double", page_size=1001), "page_size"),
    ):
        status = await refused(desk.audit.TraceLots(wrong), Code.INVALID_ARGUMENT, "MALFORMED")
        assert field in violations_of(status)
    narrow = await server.token("one", units=("a",))
    async with server.caller(narrow) as one:
        await refused(one.audit.TraceLots(DOUBLE), grpc.StatusCode.PERMISSION_DENIED, "PERMISSION")
