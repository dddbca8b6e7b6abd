"""`loyalty document`: whose a document is: claimed by who shows its receipt, or moved by staff."""

import hashlib
from typing import Annotated

import typer

from loyalty.v1 import ledger_service_pb2 as ledger_pb
from loyalty.v1.ledger_service_pb2_grpc import LedgerServiceStub
from loyalty.v1.types_pb2 import Origin
from server.cli import console
from server.cli.options import (
    CALL_SECONDS,
    DEFAULT_SERVER,
    AsJson,
    Authority,
    Ref,
    Server,
    Token,
    channel_to,
    example,
    member_ref,
    require_token,
)
from server.cli.policy_steps import ValidateOnly
from server.cli.sending import metadata

app = typer.Typer(help="Show, claim and move documents.", no_args_is_help=True)
Key = Annotated[
    str,
    typer.Argument(metavar="KEY", help="business_unit/source/document_id", show_default=False),
]


@app.command(epilog=example("loyalty document claim market/till/T-7 card:8800 7KQ2-99 --unit web"))
def claim(  # noqa: PLR0913 - one argument an option
    document: Key,
    ref: Ref,
    code: Annotated[str, typer.Argument(metavar="CODE", help="What the receipt shows.")],
    unit: Annotated[str, typer.Option(metavar="UNIT", help="Business unit that claims it.")],
    validate_only: ValidateOnly = False,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Credit a document without a member to who shows the code of its receipt."""
    request = ledger_pb.ClaimDocumentRequest(
        request_id=_request_id("claim", document, ref, unit),
        validate_only=validate_only,
        origin=Origin(business_unit=unit, channel="cli"),
        member=member_ref(ref),
        document=document,
        receipt_code=code,
    )
    call = metadata(require_token(token))
    with console.explained(), channel_to(server, ca) as channel:
        stub = LedgerServiceStub(channel)
        posting = stub.ClaimDocument(request, metadata=call, timeout=CALL_SECONDS).posting
    _show(posting, json=json)


@app.command(
    epilog=example("loyalty document move market/till/T-7 card:8801 --reason 'wrong card scanned'")
)
def move(  # noqa: PLR0913 - one argument an option
    document: Key,
    ref: Ref,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; no personal data.")],
    request_id: Annotated[
        str,
        typer.Option(metavar="ID", help="Chosen by the caller; from what is asked by default."),
    ] = "",
    validate_only: ValidateOnly = False,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Move a document to another member: taken back from the one who has it, given to the other."""
    request = ledger_pb.MoveDocumentRequest(
        request_id=request_id or _request_id("move", document, ref, reason),
        validate_only=validate_only,
        origin=Origin(business_unit=document.partition("/")[0], channel="cli"),
        member=member_ref(ref),
        document=document,
        reason=reason,
    )
    call = metadata(require_token(token))
    with console.explained(), channel_to(server, ca) as channel:
        stub = LedgerServiceStub(channel)
        posting = stub.MoveDocument(request, metadata=call, timeout=CALL_SECONDS).posting
    _show(posting, json=json)


def _request_id(*words: str) -> str:
    """The same for the same words: running a command again records nothing more."""
    return hashlib.sha256("\x1f".join(words).encode()).hexdigest()


def _show(posting: ledger_pb.Posting, *, json: bool) -> None:
    if json:
        console.print_json(posting)
        return
    outcome = ledger_pb.Outcome.Name(posting.outcome).removeprefix("OUTCOME_").lower()
    console.out.print(f"{outcome}   {posting.entry_id}   member {posting.member_id}")
    for grant in posting.grants:
        console.out.print(f"+{grant.granted:,} {grant.currency}   {grant.rule}", markup=False)
    if posting.HasField("departure"):
        console.out.print(f"left member {posting.departure.member_id}")
    for movement in posting.departure.movements:
        kind = movement.kind.replace("_", " ")
        console.out.print(f"{movement.points:,} {movement.currency}   {kind}", markup=False)
