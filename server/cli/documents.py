"""`loyalty document`: whose a document is: claimed by who shows its receipt, or moved by staff."""

from typing import Annotated

import typer

from loyalty.v1 import account_service_pb2 as account_pb
from loyalty.v1 import ledger_service_pb2 as ledger_pb
from loyalty.v1.events_pb2 import ClaimCause
from loyalty.v1.types_pb2 import DocumentStatus, Origin
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
)
from server.cli.policy_steps import ValidateOnly

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
        request_id=id_from("claim", document, ref, unit),
        validate_only=validate_only,
        origin=Origin(business_unit=unit, channel="cli"),
        member=member_ref(ref),
        document=document,
        receipt_code=code,
    )
    posting = call_once((server, token, ca), request).posting
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
        request_id=request_id or id_from("move", document, ref, reason),
        validate_only=validate_only,
        origin=Origin(business_unit=document.partition("/")[0], channel="cli"),
        member=member_ref(ref),
        document=document,
        reason=reason,
    )
    posting = call_once((server, token, ca), request).posting
    _show(posting, json=json)


@app.command(epilog=example("loyalty document show market/till/T-7"))
def show(
    document: Key,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Show whose a document is, how it came there, and its versions."""
    request = account_pb.GetDocumentRequest(document=document)
    found = call_once((server, token, ca), request)
    if json:
        console.print_json(found)
        return
    console.out.print(f"member [bold]{found.member_id or 'none'}[/]")
    if found.HasField("claim"):
        how = ClaimCause.Name(found.claim.cause).removeprefix("CLAIM_CAUSE_").lower()
        at = console.utc(found.claim.claim_time)
        console.out.print(f"claimed by {how.replace('_', ' ')}, {at}")
    if found.awaited_scheme:
        console.out.print(f"waits for an identity of scheme {found.awaited_scheme}")
    if found.HasField("claim_until_time"):
        code = "by the code of its receipt" if found.has_receipt_code else "by staff alone"
        console.out.print(f"can be claimed until {console.utc(found.claim_until_time)}, {code}")
    table = console.table("", "version", "status", "recorded", "member", "net", numbers=1)
    for version in found.versions:
        table.add_row(
            str(version.version),
            DocumentStatus.Name(version.status).removeprefix("DOCUMENT_STATUS_").lower(),
            console.utc(version.recorded_time),
            version.member_id or "none",
            console.money(version.net_minor_units, found.stated.currency_code),
        )
    console.out.print(table)


@app.command(epilog=example("loyalty document unclaimed --unit market --limit 20"))
def unclaimed(
    unit: Annotated[
        str, typer.Option(metavar="UNIT", help="Of this business unit; of all by default.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, newest first.")] = 50,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """List documents that are nobody's; a token with the verb `move` sees those of its units."""
    request = account_pb.ListUnclaimedDocumentsRequest(business_unit=unit, page_size=limit)
    found = call_once((server, token, ca), request)
    if json:
        console.print_json(found)
        return
    table = console.table("", "document", "occurred", "claim until", "by", "net", numbers=1)
    for each in found.documents:
        until = console.utc(each.claim_until_time) if each.HasField("claim_until_time") else "open"
        ways = [*(["code"] if each.has_receipt_code else []), each.awaited_scheme, "staff"]
        table.add_row(
            each.document,
            console.utc(each.occurred_time),
            until,
            ", ".join(filter(None, ways)),
            console.money(each.net.minor_units, each.net.currency_code),
        )
    console.print_table(
        table,
        none="no unclaimed documents; `loyalty document show UNIT/SOURCE/ID` tells whose one is",
    )
    if found.next_page_token:
        console.out.print("there are more; --limit shows up to 1,000")


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
    print_movements(posting.departure.movements)
