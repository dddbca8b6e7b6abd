"""`loyalty activity`: records what a member did besides buying."""

from typing import Annotated

import typer

from loyalty.v1 import ledger_service_pb2 as ledger_pb
from loyalty.v1.types_pb2 import DOCUMENT_STATUS_CANCELLED, DOCUMENT_STATUS_FINAL, Origin
from server.cli import console
from server.cli.calling import call_once, id_from
from server.cli.options import DEFAULT_SERVER, AsJson, Authority, Ref, Server, Token, member_ref
from server.cli.policy_steps import ValidateOnly


def activity(  # noqa: PLR0913 - one argument an option
    ref: Ref,
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="What was done, in the words of the policy.")
    ],
    activity_id: Annotated[
        str, typer.Argument(metavar="ID", help="The unit's own id of it: posted once.")
    ],
    unit: Annotated[str, typer.Option(metavar="UNIT", help="Business unit that records it.")],
    source: Annotated[
        str, typer.Option(metavar="SOURCE", help="System of the unit that numbers activities.")
    ] = "cli",
    version: Annotated[int, typer.Option(min=1, help="Rises with every change.")] = 1,
    cancelled: Annotated[
        bool, typer.Option("--cancelled", help="It did not happen after all.")
    ] = False,
    validate_only: ValidateOnly = False,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Record something else than a purchase that may be worth points: a review, a check-in."""
    words = (unit, source, activity_id, str(version), kind, str(cancelled), ref)
    request = ledger_pb.RecordActivityRequest(
        request_id=id_from(*words),
        validate_only=validate_only,
        origin=Origin(business_unit=unit, channel="cli"),
        member=member_ref(ref),
        activity=ledger_pb.Activity(
            kind=kind,
            source=source,
            activity_id=activity_id,
            version=version,
            status=DOCUMENT_STATUS_CANCELLED if cancelled else DOCUMENT_STATUS_FINAL,
        ),
    )
    posting = call_once((server, token, ca), request).posting
    if json:
        console.print_json(posting)
        return
    outcome = ledger_pb.Outcome.Name(posting.outcome).removeprefix("OUTCOME_").lower()
    console.out.print(f"{outcome}   {posting.entry_id}")
    for grant in posting.grants:
        console.out.print(f"+{grant.granted:,} {grant.currency}   {grant.rule}", markup=False)
