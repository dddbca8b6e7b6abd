"""Points by hand over the wire: who may, what waits, and how it is listed."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from loyalty.v1.ledger_service_pb2 import (
    ADJUSTMENT_STATE_EXPIRED,
    ADJUSTMENT_STATE_POSTED,
    ADJUSTMENT_STATE_PROPOSED,
    ADJUSTMENT_STATE_REJECTED,
    AdjustPointsRequest,
    ApproveAdjustmentRequest,
    BatchItem,
    BatchPostRequest,
    ListAdjustmentsRequest,
    ListAdjustmentsResponse,
    RejectAdjustmentRequest,
)
from loyalty.v1.types_pb2 import Origin, Points
from tests.server import requests
from tests.server.served import Served, refused, serving, violations_of


@pytest.fixture
async def server(database: str, tmp_path: Path) -> AsyncIterator[Served]:
    """A server whose read side follows."""
    async with serving(database, tmp_path, projections=True) as running:
        yield running


def adjusting(request_id: str, points: int, **said: Any) -> AdjustPointsRequest:
    return AdjustPointsRequest(
        request_id=request_id,
        origin=Origin(business_unit=said.pop("unit", "market"), operator=said.pop("by", "u1")),
        member=requests.member(),
        points=Points(currency="point", amount=points),
        reason="goodwill",
        **said,
    )


def answered(kind: Any, request_id: str, adjustment_id: str) -> Any:
    return kind(
        request_id=request_id,
        origin=Origin(business_unit="market", operator="u2"),
        adjustment_id=adjustment_id,
    )


def listed(answer: ListAdjustmentsResponse) -> list[tuple[int, int]]:
    return [(each.points.amount, each.state) for each in answer.adjustments]


async def test_proposals_wait_are_answered_and_are_listed(server: Served) -> None:
    desk, office = await server.token("desk"), await server.token("office")
    async with server.caller(desk) as till, server.caller(office) as other:
        await server.with_member(till)
        ids = []
        for number in (1, 2, 3):
            wish = adjusting(f"a-{number}", number, propose=True)
            ids.append((await till.ledger.AdjustPoints(wish)).posting.entry_id)
        await other.ledger.ApproveAdjustment(answered(ApproveAdjustmentRequest, "y", ids[0]))
        no = answered(RejectAdjustmentRequest, "n", ids[1])
        last = (await other.ledger.RejectAdjustment(no)).posting
        question = ListAdjustmentsRequest(min_position=last.position)
        assert listed(await other.ledger.ListAdjustments(question)) == [
            (3, ADJUSTMENT_STATE_PROPOSED),
            (2, ADJUSTMENT_STATE_REJECTED),
            (1, ADJUSTMENT_STATE_POSTED),
        ]
        question.state = ADJUSTMENT_STATE_PROPOSED
        [waits] = (await other.ledger.ListAdjustments(question)).adjustments
        assert (waits.adjustment_id, waits.entry_id) == (ids[2], "")
        assert waits.HasField("valid_until_time")
        assert waits.actor.startswith("desk/")
        question.state = ADJUSTMENT_STATE_EXPIRED
        assert listed(await other.ledger.ListAdjustments(question)) == []
        of_u2 = ListAdjustmentsRequest(operator="U2", min_position=last.position)
        assert len(listed(await other.ledger.ListAdjustments(of_u2))) == 2


async def test_a_list_comes_in_pages(server: Served) -> None:
    async with server.caller(await server.token("desk")) as till:
        await server.with_member(till)
        for number in range(1, 6):
            made = await till.ledger.AdjustPoints(adjusting(f"a-{number}", number, approver="u2"))
        question = ListAdjustmentsRequest(page_size=2, min_position=made.posting.position)
        amounts = []
        while True:
            page = await till.ledger.ListAdjustments(question)
            amounts += [each.points.amount for each in page.adjustments]
            question.page_token = page.next_page_token
            if not page.next_page_token:
                break
        assert amounts == [5, 4, 3, 2, 1]
        first = await till.ledger.ListAdjustments(ListAdjustmentsRequest(page_size=2))
        other = ListAdjustmentsRequest(page_token=first.next_page_token, operator="u1")
        status = await refused(
            till.ledger.ListAdjustments(other), grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED"
        )
        assert violations_of(status) == ["page_token"]


async def test_who_may_adjust_may_not_approve(server: Served) -> None:
    whole, desk = await server.token("whole"), await server.token("desk", verbs=("adjust",))
    dining = await server.token("dining", units=("dining",), verbs=("approve",))
    async with (
        server.caller(whole) as every,
        server.caller(desk) as till,
        server.caller(dining) as other,
    ):
        await server.with_member(every)
        wish = adjusting("a-1", 10, propose=True)
        proposed = (await till.ledger.AdjustPoints(wish)).posting
        yes = answered(ApproveAdjustmentRequest, "y", proposed.entry_id)
        denied = grpc.StatusCode.PERMISSION_DENIED
        await refused(till.ledger.ApproveAdjustment(yes), denied, "PERMISSION")
        await refused(other.ledger.ApproveAdjustment(yes), denied, "PERMISSION")
        yes.origin.business_unit = "dining"
        unknown = other.ledger.ApproveAdjustment(yes)
        await refused(unknown, grpc.StatusCode.NOT_FOUND, "UNKNOWN_ADJUSTMENT")
        question = ListAdjustmentsRequest(min_position=proposed.position)
        assert len(listed(await till.ledger.ListAdjustments(question))) == 1
        assert listed(await other.ledger.ListAdjustments(question)) == []
        of_market = other.ledger.ListAdjustments(ListAdjustmentsRequest(business_unit="market"))
        await refused(of_market, denied, "PERMISSION")


async def test_a_batch_adjusts(server: Served) -> None:
    async with server.caller(await server.token("desk")) as till:
        await server.with_member(till)
        items = [
            BatchItem(adjust_points=adjusting("a-1", 10, approver="u2")),
            BatchItem(adjust_points=adjusting("a-2", 10)),
        ]
        results = (await till.ledger.BatchPost(BatchPostRequest(items=items))).results
        assert results[0].posting.balances[0].available == 10
        assert "second person" in results[1].refusal.message


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"points": 0}, "points.amount"),
        ({"points": 10**15 + 1}, "points.amount"),
        ({"reason": ""}, "reason"),
        ({"note": "x" * 201}, "note"),
        ({"points": -5, "funder": "market"}, "funder"),
        ({"lot_id": "L", "funder": "market"}, "funder"),
        ({"by": "", "approver": "u2"}, "origin.operator"),
    ],
)
async def test_what_is_wrong_is_named(server: Served, said: dict[str, Any], field: str) -> None:
    async with server.caller(await server.token("desk")) as till:
        await server.with_member(till)
        points, reason = said.pop("points", 10), said.pop("reason", None)
        request = adjusting("a-1", points, **said)
        if reason is not None:
            request.reason = reason
        status = await refused(
            till.ledger.AdjustPoints(request), grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED"
        )
        assert violations_of(status) == [field]
