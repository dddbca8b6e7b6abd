"""`loyalty transfer`, `loyalty convert`, and `loyalty transfers …`: points on their way."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from loyalty.v1 import ledger_service_pb2 as pb
from loyalty.v1.events_pb2 import ReturnCause
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
    concurrent_channel_to,
    example,
    member_ref,
    party_ref,
    points_of,
    require_token,
)
from server.cli.policy_steps import ValidateOnly

if TYPE_CHECKING:
    from server.transferring import Continued

app = typer.Typer(help="Show transfers, and bring them to their end.", no_args_is_help=True)

Unit = Annotated[str, typer.Option(metavar="UNIT", help="Business unit that acts.")]
PartyRef = Annotated[
    str,
    typer.Argument(metavar="REF", help="Member id, scheme:value such as card:8800, or pool:ID."),
]
Receiver = Annotated[str, typer.Argument(metavar="RECEIVER", help="Who gets them: as REF.")]
TransferId = Annotated[
    str, typer.Argument(metavar="ID", help="The transfer, as `loyalty transfer` printed it.")
]
RequestId = Annotated[
    str,
    typer.Option(
        metavar="ID",
        help="Same id, same act. Without it the words of the command and the day make one.",
        show_default=False,
    ),
]


def transfer(  # noqa: PLR0913 - one argument an option
    ref: PartyRef,
    receiver: Receiver,
    points: Annotated[
        int, typer.Argument(metavar="POINTS", parser=points_of, help="Without the fee.")
    ],
    currency: Annotated[str, typer.Option(metavar="ID", help="Point currency.")],
    unit: Unit,
    request_id: RequestId = "",
    validate_only: ValidateOnly = False,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Send points to another member, into a pool, or home from a pool, as the policy lets them."""
    words = (ref, receiver, str(points), currency, unit)
    request = pb.TransferPointsRequest(
        request_id=request_id or id_from("loyalty transfer", _today(), *words),
        validate_only=validate_only,
        origin=Origin(business_unit=unit, channel="cli"),
        member=party_ref(ref),
        receiver=party_ref(receiver),
        points=Points(currency=currency, amount=points),
    )
    _tell(call_once((server, token, ca), request), json=json)


def convert(  # noqa: PLR0913 - one argument an option
    ref: Ref,
    conversion: Annotated[str, typer.Argument(metavar="ID", help="Conversion of the policy.")],
    points: Annotated[
        int, typer.Argument(metavar="POINTS", parser=points_of, help="To give up, without the fee.")
    ],
    unit: Unit,
    request_id: RequestId = "",
    validate_only: ValidateOnly = False,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Make points of one currency into points of another."""
    words = (ref, conversion, str(points), unit)
    request = pb.ConvertPointsRequest(
        request_id=request_id or id_from("loyalty convert", _today(), *words),
        validate_only=validate_only,
        origin=Origin(business_unit=unit, channel="cli"),
        member=member_ref(ref),
        conversion=conversion,
        points=points,
    )
    _tell(call_once((server, token, ca), request), json=json)


def accept(
    ref: Ref,
    transfer_id: TransferId,
    unit: Unit,
    validate_only: ValidateOnly = False,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Accept points that were sent to a member."""
    request = _about(pb.AcceptTransferRequest, "accept", ref, transfer_id, unit)
    request.validate_only = validate_only
    _tell(call_once((server, token, ca), request), json=json)


def decline(
    ref: Ref,
    transfer_id: TransferId,
    unit: Unit,
    validate_only: ValidateOnly = False,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Decline points that were sent to a member: they go back, with the fee."""
    request = _about(pb.DeclineTransferRequest, "decline", ref, transfer_id, unit)
    request.validate_only = validate_only
    _tell(call_once((server, token, ca), request), json=json)


def cancel(
    ref: Ref,
    transfer_id: TransferId,
    unit: Unit,
    validate_only: ValidateOnly = False,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Take points back that a member sent, as long as the receiver does not have them."""
    request = _about(pb.CancelTransferRequest, "cancel", ref, transfer_id, unit)
    request.validate_only = validate_only
    _tell(call_once((server, token, ca), request), json=json)


def show(
    transfer_id: TransferId,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Show where a transfer stands."""
    request = pb.GetTransferRequest(transfer_id=transfer_id)
    answer = call_once((server, token, ca), request)
    if json:
        console.print_json(answer.transfer)
        return
    _print_transfer(answer.transfer)


def list_(
    ref: PartyRef,
    only_open: Annotated[
        bool, typer.Option("--open", help="Only those that are on their way.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 50,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """List the transfers from and to a member or a pool, newest first."""
    request = pb.ListTransfersRequest(
        member=party_ref(ref), only_open=only_open, page_size=min(limit, 1_000)
    )
    found: list[pb.Transfer] = []
    while True:
        page = call_once((server, token, ca), request)
        found.extend(page.transfers)
        if len(found) >= limit or not page.next_page_token:
            break
        request.page_token = page.next_page_token
    del found[limit:]
    if json:
        console.print_json(pb.ListTransfersResponse(transfers=found))
        return
    rows = console.table(
        "Transfers", "id", "sent", "from", "to", "currency", "points", "fee", "state", numbers=0
    )
    for each in found:
        rows.add_row(
            each.transfer_id,
            console.utc(each.sent_time),
            each.sender_id,
            each.receiver_id,
            each.points.currency,
            f"{each.points.amount:,}",
            f"{each.fee:,}",
            _state(each),
        )
    which = "open transfers" if only_open else "transfers"
    console.print_table(
        rows, none=f"no {which} of {ref}; `loyalty transfer --help` shows how to send points"
    )


def continue_(
    once: Annotated[
        bool, typer.Option("--once", help="End after one pass, instead of one every 5 seconds.")
    ] = False,
    unit: Annotated[
        str, typer.Option(metavar="UNIT", help="Unit in whose name is asked, as in the token.")
    ] = "transfers",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Bring transfers to their end that a crash, or a time to accept, left. Safe to run twice."""
    from server.cli import passes
    from server.passes import PassStopped

    wanted = passes.Wanted(once, unit, require_token(token))
    refused = False

    def tell(continued: "Continued") -> None:
        nonlocal refused
        refused = bool(continued.refused)
        _print_continued(continued, json=json)

    async def work() -> None:
        await passes.bring_on(concurrent_channel_to(server, ca), wanted, tell)

    try:
        console.run(work())
    except PassStopped as error:
        console.fail(str(error), advice=console.RUN_AGAIN, code=console.UNAVAILABLE)
    except KeyboardInterrupt:
        raise typer.Exit(console.OK) from None
    if refused:
        raise typer.Exit(console.NO)


def _about(kind: type[Any], step: str, ref: str, transfer_id: str, unit: str) -> Any:
    return kind(
        request_id=id_from(f"loyalty transfers {step}", ref, transfer_id, unit),
        origin=Origin(business_unit=unit, channel="cli"),
        member=member_ref(ref),
        transfer_id=transfer_id,
    )


def _today() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d}"


def _tell(answer: Any, *, json: bool) -> None:
    if json:
        console.print_json(answer)
        return
    posting: pb.Posting = answer.posting
    outcome = pb.Outcome.Name(posting.outcome).removeprefix("OUTCOME_").lower()
    console.out.print(f"{outcome}   {posting.entry_id}")
    print_movements(posting.movements)
    if "transfer" in answer.DESCRIPTOR.fields_by_name and answer.HasField("transfer"):
        _print_transfer(answer.transfer)


def _print_transfer(transfer: pb.Transfer) -> None:
    fee = f" and a fee of {transfer.fee:,}" if transfer.fee else ""
    console.out.print(
        f"{transfer.points.amount:,} {transfer.points.currency}{fee}"
        f" from {transfer.sender_id} to {transfer.receiver_id}: {_state(transfer)}",
        markup=False,
    )


def _state(transfer: pb.Transfer) -> str:
    state = pb.TransferState.Name(transfer.state).removeprefix("TRANSFER_STATE_")
    text = state.lower().replace("_", " ")
    if transfer.state == pb.TRANSFER_STATE_RETURNED:
        cause = ReturnCause.Name(transfer.cause).removeprefix("RETURN_CAUSE_").lower()
        text += f", {cause.replace('_', ' ')}" + (f": {transfer.reason}" if transfer.reason else "")
    elif transfer.state == pb.TRANSFER_STATE_AWAITING_ACCEPTANCE:
        text += f" until {console.utc(transfer.accept_until_time)}"
    return text


def _print_continued(continued: "Continued", *, json: bool) -> None:
    if json:
        console.print_json(
            {
                "completed": continued.completed,
                "returned": continued.returned,
                "replayed": continued.replayed,
                "refused": dict(continued.refused),
            }
        )
        return
    console.out.print(f"{continued.completed:,} completed, {continued.returned:,} returned")
    for reason, steps in sorted(continued.refused.items()):
        console.err.print(f"[red]refused[/] {reason}   {steps:,} steps")


app.command(epilog=example("loyalty transfers accept card:8801 0198… --unit market"))(accept)
app.command(epilog=example("loyalty transfers decline card:8801 0198… --unit market"))(decline)
app.command(epilog=example("loyalty transfers cancel card:8800 0198… --unit market"))(cancel)
app.command(epilog=example("loyalty transfers show 0198…"))(show)
app.command("list", epilog=example("loyalty transfers list card:8801 --open"))(list_)
app.command("continue", epilog=example("loyalty transfers continue --once"))(continue_)
