"""`loyalty member erase` and `loyalty member certificate`: a member becomes nobody, provably."""

from typing import Annotated, Final, Literal
from uuid import uuid4

import typer

from ledger.core.instant import from_timestamp, to_datetime
from loyalty.v1 import member_service_pb2 as pb
from loyalty.v1.types_pb2 import ErasedBalance, ErasureRequester, Origin
from server.cli import console
from server.cli.calling import call_once
from server.cli.options import (
    DEFAULT_SERVER,
    AsJson,
    Authority,
    Ref,
    RequestId,
    Server,
    Token,
    member_ref,
)
from server.cli.policy_steps import ValidateOnly
from server.cli.pools import print_home

_BALANCE: Final = "ERASED_BALANCE_"
_REQUESTER: Final = "ERASURE_REQUESTER_"


def erase(  # noqa: PLR0913 - every option is an argument
    ref: Ref,
    unit: Annotated[str, typer.Option(metavar="UNIT", help="Business unit that erases.")],
    balance: Annotated[
        Literal["forfeited", "kept"],
        typer.Option(help="Points expire at once, or stay as nobody's until their time is over."),
    ],
    requested_by: Annotated[
        Literal["member", "representative", "authority", "retention"],
        typer.Option(help="Who wants it."),
    ],
    reference: Annotated[
        str, typer.Option(metavar="CODE", help="Your own reference; no name, for it stays.")
    ] = "",
    operator: Annotated[
        str, typer.Option(metavar="ID", help="Staff id of who does it, where a token is shared.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: it cannot be undone.")] = False,
    request_id: RequestId = "",
    validate_only: ValidateOnly = False,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Erase what is known of a member as a person, for ever, and print the certificate. Keep it."""
    request = pb.EraseMemberRequest(
        request_id=request_id or str(uuid4()),
        validate_only=validate_only,
        origin=Origin(business_unit=unit, channel="cli", operator=operator),
        member=member_ref(ref),
        balance=ErasedBalance.Value(_BALANCE + balance.upper()),
        requested_by=ErasureRequester.Value(_REQUESTER + requested_by.upper()),
        reference=reference,
    )
    if not (yes or validate_only):
        typer.confirm(f"Erase {ref}? It cannot be undone", abort=True, err=True)
    answer = call_once((server, token, ca), request)
    if json:
        console.print_json(answer)
    else:
        _print(answer.certificate)
        print_home(answer)


def certificate(
    member_id: Annotated[
        str, typer.Argument(metavar="MEMBER_ID", help="Id of the member who was erased.")
    ],
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Show the certificate of an erasure, and whether nothing is left. Exit 1 if something is."""
    request = pb.GetErasureRequest(member_id=member_id)
    answer = call_once((server, token, ca), request)
    if json:
        console.print_json(answer)
    else:
        _print(answer.certificate)
        left = "nothing is left" if answer.complete else "[bold red]something is left[/]"
        console.out.print(left)
    if not answer.complete:
        raise typer.Exit(console.NO)


def _print(told: pb.ErasureCertificate) -> None:
    at = to_datetime(from_timestamp(told.erase_time))
    schemes = ", ".join(each.scheme for each in told.identities) or "none"
    for name, value in (
        ("certificate", told.certificate_id),
        ("member", told.member_id),
        ("erased", f"{at:%Y-%m-%d %H:%M:%S} UTC at {told.business_unit} by {told.actor}"),
        ("wanted by", ErasureRequester.Name(told.requested_by).removeprefix(_REQUESTER).lower()),
        ("reference", told.reference or "none"),
        ("identities", schemes),
        ("profile", "yes" if told.profile else "none was there"),
        ("points", ErasedBalance.Name(told.balance).removeprefix(_BALANCE).lower()),
        ("digest", told.digest),
    ):
        console.out.print(f"{name:<12}{value}", markup=False)
