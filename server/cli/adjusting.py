"""`loyalty adjust`, `loyalty adjustment approve`, `reject` and `list`, `loyalty lot extend`."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Final

import typer

from ledger.core.instant import from_datetime, to_timestamp
from loyalty.v1 import ledger_service_pb2 as pb
from loyalty.v1.types_pb2 import Origin, Points
from server.cli import console
from server.cli.calling import call_once, id_from
from server.cli.movements import print_movements
from server.cli.options import (
    DEFAULT_SERVER,
    AsJson,
    Authority,
    Ref,
    Server,
    Token,
    example,
    member_ref,
    points_of,
)
from server.cli.policy_steps import ValidateOnly

app = typer.Typer(help="Answer and list proposed adjustments.", no_args_is_help=True)
lots = typer.Typer(help="Care for single lots of points.", no_args_is_help=True)

Unit = Annotated[str, typer.Option(metavar="UNIT", help="Business unit that acts.")]
Operator = Annotated[
    str,
    typer.Option(
        envvar="LOYALTY_OPERATOR",
        metavar="NAME",
        help="Staff id of whoever does it; who agrees has to be another person.",
        show_default=False,
    ),
]
AdjustmentId = Annotated[
    str, typer.Argument(metavar="ID", help="The proposal, as `loyalty adjust` printed it.")
]
RequestId = Annotated[
    str,
    typer.Option(
        metavar="ID",
        help="Same id, same adjustment. Without it the words of the command and the day make one.",
        show_default=False,
    ),
]
NOTE_HELP: Final = "Why, in plain words. Kept for ever: nothing about a person."


class State(StrEnum):
    """Where an adjustment stands, as it is typed."""

    PROPOSED = "proposed"
    POSTED = "posted"
    REJECTED = "rejected"
    EXPIRED = "expired"


def adjust(  # noqa: PLR0913 - one argument an option
    ref: Ref,
    points: Annotated[
        int,
        typer.Argument(
            metavar="POINTS", parser=points_of, help="To give, or to take when below zero: -500."
        ),
    ],
    currency: Annotated[str, typer.Option(metavar="ID", help="Point currency.")],
    reason: Annotated[str, typer.Option(metavar="ID", help="A reason of the policy.")],
    unit: Unit,
    operator: Operator = "",
    note: Annotated[str, typer.Option(help=NOTE_HELP)] = "",
    funder: Annotated[
        str, typer.Option(metavar="UNIT", help="Who pays; without it as the policy says.")
    ] = "",
    expires: Annotated[
        datetime | None,
        typer.Option(help="When they expire, in UTC; without it as the policy says."),
    ] = None,
    lot: Annotated[str, typer.Option(metavar="ID", help="Take them from this lot first.")] = "",
    approver: Annotated[
        str, typer.Option(metavar="NAME", help="Staff id of the person who agreed.")
    ] = "",
    propose: Annotated[
        bool, typer.Option("--propose", help="Let somebody else agree later, where one has to.")
    ] = False,
    request_id: RequestId = "",
    validate_only: ValidateOnly = False,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Give or take points by hand, for a reason that the policy knows."""
    until = None if expires is None else expires.replace(tzinfo=UTC)
    words = (ref, str(points), currency, reason, unit, note, funder, lot, str(until))
    request = pb.AdjustPointsRequest(
        request_id=request_id or id_from("loyalty adjust", f"{datetime.now(UTC):%Y-%m-%d}", *words),
        validate_only=validate_only,
        origin=Origin(business_unit=unit, operator=operator, channel="cli"),
        member=member_ref(ref),
        points=Points(currency=currency, amount=points),
        reason=reason,
        note=note,
        funder=funder,
        expire_time=None if until is None else to_timestamp(from_datetime(until)),
        lot_id=lot,
        approver=approver,
        propose=propose,
    )
    _tell(call_once((server, token, ca), request).posting, json=json)


def approve(
    adjustment_id: AdjustmentId,
    unit: Unit,
    operator: Operator = "",
    validate_only: ValidateOnly = False,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Agree to a proposal: its points move. Needs another token and person than proposed it."""
    request = pb.ApproveAdjustmentRequest(
        request_id=id_from("loyalty approve", adjustment_id, operator),
        validate_only=validate_only,
        origin=Origin(business_unit=unit, operator=operator, channel="cli"),
        adjustment_id=adjustment_id,
    )
    _tell(call_once((server, token, ca), request).posting, json=json)


def reject(  # noqa: PLR0913 - one argument an option
    adjustment_id: AdjustmentId,
    unit: Unit,
    operator: Operator = "",
    note: Annotated[str, typer.Option(help=NOTE_HELP)] = "",
    validate_only: ValidateOnly = False,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Turn a proposal down: nothing moves."""
    request = pb.RejectAdjustmentRequest(
        request_id=id_from("loyalty reject", adjustment_id, operator, note),
        validate_only=validate_only,
        origin=Origin(business_unit=unit, operator=operator, channel="cli"),
        adjustment_id=adjustment_id,
        note=note,
    )
    _tell(call_once((server, token, ca), request).posting, json=json)


def list_(
    unit: Annotated[str, typer.Option(metavar="UNIT", help="Only of this business unit.")] = "",
    state: Annotated[
        State | None, typer.Option(help="Only those that stand so; without it all.")
    ] = None,
    operator: Annotated[
        str, typer.Option(metavar="NAME", help="Only those in which this staff id had a part.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most so many, newest first.")] = 50,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """List adjustments and proposals, newest first."""
    request = pb.ListAdjustmentsRequest(
        business_unit=unit, operator=operator, page_size=limit, state=_state(state)
    )
    answer = call_once((server, token, ca), request)
    if json:
        console.print_json(answer)
        return
    rows = console.table("", "adjustment", "state", "unit", "reason", "until", "points", numbers=1)
    for each in answer.adjustments:
        waits = each.state == pb.ADJUSTMENT_STATE_PROPOSED
        rows.add_row(
            each.adjustment_id,
            _word(each.state),
            each.business_unit,
            each.reason,
            console.utc(each.valid_until_time) if waits else "",
            f"{each.points.amount:+,} {each.points.currency}",
        )
    console.print_table(
        rows, none="no adjustments to show; `loyalty adjust --help` shows how to make one"
    )


def _state(state: State | None) -> pb.AdjustmentState.ValueType:
    name = "UNSPECIFIED" if state is None else state.value.upper()
    return pb.AdjustmentState.Value(f"ADJUSTMENT_STATE_{name}")


def _word(state: pb.AdjustmentState.ValueType) -> str:
    return pb.AdjustmentState.Name(state).removeprefix("ADJUSTMENT_STATE_").lower()


def extend(  # noqa: PLR0913 - one argument an option
    ref: Ref,
    lot: Annotated[
        str, typer.Argument(metavar="LOT", help="Lot id, as `loyalty account REF --json` shows.")
    ],
    until: Annotated[datetime, typer.Option(help="When it expires from now on, in UTC.")],
    reason: Annotated[str, typer.Option(help="Why, in plain words.")],
    unit: Unit,
    operator: Operator = "",
    validate_only: ValidateOnly = False,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Move a lot's end to a later day, as a new expiry policy wants it."""
    request = pb.ExtendLotRequest(
        request_id=id_from("loyalty extend", ref, lot, until.isoformat()),
        validate_only=validate_only,
        origin=Origin(business_unit=unit, operator=operator, channel="cli"),
        member=member_ref(ref),
        lot_id=lot,
        expire_time=to_timestamp(from_datetime(until.replace(tzinfo=UTC))),
        reason=reason,
    )
    _tell(call_once((server, token, ca), request).posting, json=json)


def _tell(posting: pb.Posting, *, json: bool) -> None:
    if json:
        console.print_json(posting)
        return
    outcome = pb.Outcome.Name(posting.outcome).removeprefix("OUTCOME_").lower()
    console.out.print(f"{outcome}   {posting.entry_id}")
    print_movements(posting.movements)
    for balance in posting.balances:
        owed = f", {balance.arrears:,} owed" if balance.arrears else ""
        console.out.print(
            f"{balance.currency}   {balance.available:,} available{owed}", markup=False
        )


app.command(epilog=example("loyalty adjustment approve 0198… --unit market --operator ben"))(
    approve
)
app.command(epilog=example("loyalty adjustment reject 0198… --unit market --operator ben"))(reject)
app.command("list", epilog=example("loyalty adjustment list --state proposed"))(list_)
lots.command(
    epilog=example(
        "loyalty lot extend card:8800 0198….1 --until 2028-01-01 --unit market"
        ' --reason "three years instead of two"'
    )
)(extend)
