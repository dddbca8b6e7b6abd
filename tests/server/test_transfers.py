"""Points on their way, over real gRPC and at the command line: given, accepted, back, converted.

One server serves the file; its clock only goes forward, and every test has members of its own.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import grpc
import pytest
import pytest_asyncio
from typer.testing import CliRunner, Result

from ledger.clock import SettableClock
from loyalty.v1 import ledger_service_pb2 as pb
from loyalty.v1.audit_service_pb2 import (
    ClosePeriodRequest,
    ListPeriodsRequest,
    VerifyHistoryRequest,
)
from loyalty.v1.events_pb2 import (
    RETURN_CAUSE_CANCELLED,
    RETURN_CAUSE_DECLINED,
    RETURN_CAUSE_REFUSED,
    RETURN_CAUSE_TIMED_OUT,
)
from loyalty.v1.programme_service_pb2 import PublishPolicyRequest
from server.cli import app
from tests.database_fixtures import execute, fresh_name, renamed
from tests.server.gifts import POLICY, Desk, about, conversion, movements, transfer
from tests.server.served import info_of, refused, serving, violations_of
from tests.store.till import at

pytestmark = pytest.mark.asyncio(loop_scope="module")
Code = grpc.StatusCode
Loyalty = Callable[..., Awaitable[Result]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(
    postgres_url: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Desk]:
    """The one server, whose read side follows; nothing moves on unless a test asks for it."""
    name = fresh_name()
    await execute(postgres_url, f"CREATE DATABASE {name} TEMPLATE {template_database}")
    clock = SettableClock(at("2025-01-10T12:00"))
    folder = tmp_path_factory.mktemp("transfers")
    dsn = renamed(postgres_url, name)
    async with serving(dsn, folder, clock, projections=True) as served:
        token = await served.token("desk")
        async with served.caller(token) as caller:
            await caller.programme.PublishPolicy(
                PublishPolicyRequest(request_id="p-1", document=POLICY, allow_retroactive=True)
            )
            yield Desk(served, caller, clock, token)
    await execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def loyalty(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Loyalty:
    """The command line, pointed at the server and its database."""
    monkeypatch.setenv("DATABASE_URL", desk.served.dsn)

    async def run(*words: str) -> Result:
        where = ("--server", desk.served.address, "--token", desk.token)
        return await asyncio.to_thread(CliRunner().invoke, app, [*words, *where])

    return run


async def test_points_arrive_at_once_and_both_see_the_transfer(desk: Desk) -> None:
    ann, bob = await desk.joins("100"), await desk.joins("101", 0)
    sent = await desk.sends(ann, bob, 60, "point")
    assert movements(sent.posting) == [("points_sent", "point", 60), ("points_burned", "point", 5)]
    seen = sent.transfer
    assert (seen.state, seen.fee, seen.business_unit) == (pb.TRANSFER_STATE_COMPLETED, 5, "market")
    assert await desk.has(ann, "point") == (35, 0)
    assert await desk.has(bob, "point") == (60, 0)
    again = await desk.sends(ann, bob, 60, "point")
    assert again.posting.outcome == pb.OUTCOME_REPLAYED
    assert again.transfer == seen == await desk.now(seen.transfer_id)
    assert await desk.has(bob, "point") == (60, 0)
    hotelier = await desk.served.token("hotelier", units=("hotel",), verbs=("read",))
    async with desk.served.caller(hotelier) as other:
        found = await other.ledger.GetTransfer(pb.GetTransferRequest(transfer_id=seen.transfer_id))
        assert (found.transfer.state, found.transfer.business_unit) == (seen.state, "")
        await refused(
            other.ledger.TransferPoints(transfer(ann, bob, 1, "point")),
            Code.PERMISSION_DENIED,
            "PERMISSION",
        )


async def test_what_cannot_be_sent_is_refused_and_moves_nothing(desk: Desk) -> None:
    ann, bob = await desk.joins("110"), await desk.joins("111", 0)
    call = desk.call.ledger.TransferPoints
    status = await refused(
        call(transfer(ann, bob, 96, "point")), Code.FAILED_PRECONDITION, "INSUFFICIENT_POINTS"
    )
    assert info_of(status).metadata["requested"] == "101", "the fee counts"
    status = await refused(
        call(transfer(ann, ann, 10, "point")), Code.INVALID_ARGUMENT, "MALFORMED"
    )
    assert violations_of(status) == ["receiver"]
    await refused(call(transfer(ann, "119", 10, "point")), Code.NOT_FOUND, "UNKNOWN_MEMBER")
    tried = transfer(ann, bob, 95, "point")
    tried.validate_only = True
    assert not (await call(tried)).HasField("transfer")
    assert await desk.has(ann, "point") == (100, 0)


async def test_who_receives_accepts_or_declines_and_who_sends_cancels(desk: Desk) -> None:
    ann, bob = await desk.joins("120"), await desk.joins("121", 0)
    accepted, declined, cancelled = [await desk.asks(ann, bob, points) for points in (20, 30, 10)]
    assert await desk.has(ann, "mile") == (100 - 66, 60)
    ledger = desk.call.ledger
    await refused(
        ledger.AcceptTransfer(about(pb.AcceptTransferRequest, ann, accepted)),
        Code.NOT_FOUND,
        "UNKNOWN_TRANSFER",
    )
    took = await ledger.AcceptTransfer(about(pb.AcceptTransferRequest, bob, accepted))
    assert took.transfer.state == pb.TRANSFER_STATE_COMPLETED
    assert await desk.has(bob, "mile") == (20, 0)
    answer = await ledger.DeclineTransfer(about(pb.DeclineTransferRequest, bob, declined))
    assert answer.transfer.cause == RETURN_CAUSE_DECLINED
    assert not answer.posting.movements, "the sender's account is nobody else's to see"
    answer = await ledger.CancelTransfer(about(pb.CancelTransferRequest, ann, cancelled))
    assert answer.transfer.cause == RETURN_CAUSE_CANCELLED
    assert ("points_returned", "mile", 10) in movements(answer.posting)
    # What came back brought its fee along.
    assert await desk.has(ann, "mile") == (100 - 22, 0)
    status = await refused(
        ledger.CancelTransfer(about(pb.CancelTransferRequest, ann, accepted)),
        Code.FAILED_PRECONDITION,
        "TRANSFER_RESOLVED",
    )
    assert info_of(status).metadata["first_outcome"] == "COMPLETED"


async def test_a_decision_is_taken_once_by_whoever_is_first(desk: Desk) -> None:
    ann, bob = await desk.joins("130"), await desk.joins("131", 0)
    gift = await desk.asks(ann, bob, 50)
    ledger = desk.call.ledger
    answers = await asyncio.gather(
        ledger.AcceptTransfer(about(pb.AcceptTransferRequest, bob, gift)),
        ledger.DeclineTransfer(about(pb.DeclineTransferRequest, bob, gift)),
        ledger.CancelTransfer(about(pb.CancelTransferRequest, ann, gift)),
        return_exceptions=True,
    )
    assert sum(not isinstance(answer, BaseException) for answer in answers) == 1
    arrived = (await desk.now(gift)).state == pb.TRANSFER_STATE_COMPLETED
    assert await desk.has(ann, "mile") == ((45, 0) if arrived else (100, 0))
    assert await desk.has(bob, "mile") == ((50, 0) if arrived else (0, 0))


async def test_points_for_a_closed_account_come_back_with_the_reason_and_the_fee(
    desk: Desk, loyalty: Loyalty
) -> None:
    ann, bob = await desk.joins("140"), await desk.joins("141", 0)
    gift = await desk.asks(ann, bob, 10)
    await desk.leaves(bob)
    sent = await desk.sends(ann, bob, 60, "point")
    back = sent.transfer
    assert back.state == pb.TRANSFER_STATE_RETURNED
    assert (back.cause, back.reason) == (RETURN_CAUSE_REFUSED, "ACCOUNT_CLOSED")
    assert await desk.has(ann, "point") == (100, 0)
    await refused(
        desk.call.ledger.AcceptTransfer(about(pb.AcceptTransferRequest, bob, gift)),
        Code.FAILED_PRECONDITION,
        "ACCOUNT_CLOSED",
    )
    cancelled = await loyalty("transfers", "cancel", "card:140", gift, "--unit", "market")
    assert "returned, cancelled" in cancelled.stdout
    assert await desk.has(ann, "mile") == (100, 0)
    told = await loyalty(
        "transfer", "card:140", "card:141", "7", "--currency", "point", "--unit", "market"
    )
    assert told.exit_code == 0, told.output
    assert "returned, refused: ACCOUNT_CLOSED" in told.stdout


async def test_gifts_are_sent_and_decided_about_at_the_command_line(
    desk: Desk, loyalty: Loyalty
) -> None:
    await desk.joins("150")
    await desk.joins("151", 0)
    here = ("--unit", "market")
    give = ("transfer", "card:150", "card:151")
    sent = await loyalty(*give, "40", "--currency", "point", *here)
    assert sent.exit_code == 0, sent.output
    assert "posted" in sent.stdout
    assert "points sent   -40 point, +40 in transit" in sent.stdout
    assert "40 point and a fee of 5 from" in sent.stdout
    assert sent.stdout.rstrip().endswith("completed")
    again = await loyalty(*give, "40", "--currency", "point", *here)
    assert again.stdout.startswith("replayed")
    refusal = await loyalty(*give, "90", "--currency", "point", *here)
    assert (refusal.exit_code, "INSUFFICIENT_POINTS" in refusal.output) == (1, True)
    assert "95" in refusal.output, "what was asked for, with the fee"
    below = await loyalty(*give, "-40", "--currency", "point", *here)
    assert (below.exit_code, "MALFORMED" in below.output) == (1, True)
    assert "points.amount is -40, expected a whole number from 1" in below.output
    none = await loyalty("transfers", "list", "card:151", "--open")
    assert none.stdout.startswith("no open transfers of card:151; `loyalty transfer --help`")
    accepted, declined = await desk.asks("150", "151", 20), await desk.asks("150", "151", 30)
    listed = await loyalty("transfers", "list", "card:151", "--open")
    assert accepted in listed.stdout
    assert "awaiting acceptance until 2025-01-14 00:00" in listed.stdout
    took = await loyalty("transfers", "accept", "card:151", accepted, *here)
    assert "points received   +20 mile" in took.stdout
    assert "completed" in took.stdout
    gave = await loyalty("transfers", "decline", "card:151", declined, *here)
    assert "returned, declined" in gave.stdout
    late = await loyalty("transfers", "decline", "card:151", accepted, *here)
    assert (late.exit_code, "TRANSFER_RESOLVED" in late.output) == (1, True)
    shown = await loyalty("transfers", "show", declined)
    assert "30 mile and a fee of 3 from" in shown.stdout
    assert "returned, declined" in shown.stdout
    unknown = await loyalty("transfers", "show", "0198a0c0-0000-7000-8000-000000000000")
    assert (unknown.exit_code, "UNKNOWN_TRANSFER" in unknown.output) == (1, True)


async def test_time_to_accept_runs_out_and_the_command_gives_points_back(
    desk: Desk, loyalty: Loyalty
) -> None:
    desk.clock.set(at("2025-01-20T12:00"))
    ann, bob = await desk.joins("160"), await desk.joins("161", 0)
    once = ("transfers", "continue", "--once")
    # Whatever other tests left is over by now.
    assert (await loyalty(*once)).exit_code == 0
    gift = await desk.asks(ann, bob, 40)
    early = await loyalty(*once)
    assert (early.exit_code, early.stdout) == (0, "0 completed, 0 returned\n"), early.output
    assert await desk.has(ann, "mile") == (56, 40)
    desk.clock.set(at("2025-01-24T00:00"))
    status = await refused(
        desk.call.ledger.AcceptTransfer(about(pb.AcceptTransferRequest, bob, gift)),
        Code.FAILED_PRECONDITION,
        "TRANSFER_RESOLVED",
    )
    assert info_of(status).metadata["first_outcome"] == "TIMED_OUT"
    assert (await loyalty(*once)).stdout == "0 completed, 1 returned\n"
    assert (await desk.now(gift)).cause == RETURN_CAUSE_TIMED_OUT
    assert await desk.has(ann, "mile") == (100, 0)
    assert "returned, timed out" in (await loyalty("transfers", "show", gift)).stdout
    assert (await loyalty(*once)).stdout.startswith("0 completed, 0 returned")


async def test_a_conversion_is_settled_and_a_closed_month_stays(desk: Desk) -> None:
    desk.clock.set(at("2025-02-10T12:00"))
    ann = await desk.joins("200", 200)
    call = desk.call.ledger.ConvertPoints
    answer = await call(conversion(ann, 159))
    # 159 x 4/5 = 127.2
    assert movements(answer.posting) == [
        ("points_converted", "point", 159),
        ("converted_points_issued", "mile", 127),
    ]
    assert await desk.has(ann, "point") == (41, 0)
    assert await desk.has(ann, "mile") == (327, 0)
    assert (await call(conversion(ann, 159))).posting.outcome == pb.OUTCOME_REPLAYED
    await refused(call(conversion(ann, 9)), Code.FAILED_PRECONDITION, "BELOW_MINIMUM")
    await refused(call(conversion(ann, 42)), Code.FAILED_PRECONDITION, "INSUFFICIENT_POINTS")
    status = await refused(
        call(conversion(ann, 20, "swop")), Code.INVALID_ARGUMENT, "UNKNOWN_CONVERSION"
    )
    assert info_of(status).metadata["known"] == "swap"
    [flow] = await desk.flows("2025-02", answer.posting.position)
    assert (flow.issuer, flow.business_unit, flow.currency) == ("market", "hotel", "point")
    assert (flow.burned, flow.converted, flow.paid.minor_units) == (0, 159, 159)
    close = desk.call.audit.ClosePeriod
    asked = ClosePeriodRequest(request_id="close-2", period="2025-02", operator="anna")
    await refused(close(asked), Code.FAILED_PRECONDITION, "PERIOD_NOT_OVER")
    desk.clock.set(at("2025-03-03T12:00"))
    closed = await close(asked)
    assert (closed.period.closed, closed.period.closed_by, closed.replayed) == (
        True,
        "desk/anna",
        False,
    )
    assert (await close(asked)).replayed
    assert await desk.flows("2025-02") == [flow]
    listed = await desk.call.audit.ListPeriods(ListPeriodsRequest())
    assert [(each.period, each.closed) for each in listed.periods] == [
        ("2025-02", True),
        ("2025-03", False),
    ]


async def test_a_month_is_converted_closed_and_settled_at_the_command_line(
    desk: Desk, loyalty: Loyalty
) -> None:
    desk.clock.set(at("2025-03-10T12:00"))
    await desk.joins("210")
    swap = ("convert", "card:210", "swap")
    made = await loyalty(*swap, "50", "--unit", "market")
    assert made.exit_code == 0, made.output
    assert "points converted   -50 point" in made.stdout
    assert "converted points issued   +40 mile" in made.stdout
    small = await loyalty(*swap, "5", "--unit", "market")
    assert (small.exit_code, "BELOW_MINIMUM" in small.output) == (1, True)
    none = await loyalty(*swap, "-5", "--unit", "market")
    assert (none.exit_code, "points is -5, expected" in none.output) == (1, True)
    early = await loyalty("period", "close", "2025-03", "--operator", "anna")
    assert (early.exit_code, "PERIOD_NOT_OVER" in early.output) == (1, True)
    wrong = await loyalty("period", "close", "2025-13")
    assert (wrong.exit_code, "2025-13" in wrong.output) == (1, True)
    desk.clock.set(at("2025-04-02T12:00"))
    tried = await loyalty("period", "close", "2025-03", "--operator", "anna", "--validate-only")
    assert "2025-03 could be closed" in tried.stdout
    closed = await loyalty("period", "close", "2025-03", "--operator", "anna")
    assert closed.stdout == "2025-03 was closed by desk/anna\n"
    again = await loyalty("period", "close", "2025-03", "--operator", "anna")
    assert again.stdout == "2025-03 was closed before by desk/anna\n"
    rows = (await loyalty("period", "list")).stdout.splitlines()
    [march] = [row for row in rows if "2025-03 " in row and "desk/anna" in row]
    assert "closed" in march
    assert any("2025-04" in row and "open" in row for row in rows)
    sheet = await loyalty("settlement", "--period", "2025-03", "--format", "csv")
    assert "2025-03,,point,market,hotel,0,0,50,USD,50," in sheet.stdout.splitlines()
    table = (await loyalty("settlement", "--period", "2025-03")).stdout
    assert "2025-03   closed" in table
    assert "hotel   50 point, 0.50 USD" in table
    assert "market   -50 point, -0.50 USD" in table
    words = [word async for word in desk.call.audit.VerifyHistory(VerifyHistoryRequest())]
    assert not words[-1].divergences
