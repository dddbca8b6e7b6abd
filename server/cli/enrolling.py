"""`loyalty member enrol`: opens an account, or finds the one that is there."""

import hashlib
from typing import Annotated

import typer

from ledger.core.care import TERMS
from loyalty.v1 import member_service_pb2 as pb
from loyalty.v1.types_pb2 import CONSENT_STATE_GRANTED, Origin
from server.cli import console
from server.cli.calling import call_once
from server.cli.options import DEFAULT_SERVER, AsJson, Authority, Server, Token, identity_of
from server.cli.policy_steps import ValidateOnly


def enrol(  # noqa: PLR0913 - every option is an argument
    identities: Annotated[
        list[str],
        typer.Argument(
            metavar="IDENTITY...",
            help="How the member is known, as scheme:value such as card:8800.",
        ),
    ],
    unit: Annotated[str, typer.Option(metavar="UNIT", help="Business unit that enrols.")],
    or_existing: Annotated[
        bool,
        typer.Option(
            "--or-existing", help="Show the member an identity has already; needs the verb `read`."
        ),
    ] = False,
    terms: Annotated[
        str,
        typer.Option(metavar="VERSION", help="The member agrees to this version of the terms."),
    ] = "",
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
    """Open an account that is known by one identity or several."""
    request = pb.EnrolMemberRequest(
        validate_only=validate_only,
        origin=Origin(business_unit=unit, channel="cli"),
        identities=[identity_of(text) for text in identities],
        or_existing=or_existing,
    )
    if terms:
        request.consents.add(
            purpose=TERMS, state=CONSENT_STATE_GRANTED, wording_version=terms, source="cli"
        )
    told = request.SerializeToString(deterministic=True)
    request.request_id = request_id or hashlib.sha256(told).hexdigest()
    answer = call_once((server, token, ca), request)
    if json:
        console.print_json(answer)
        return
    member = answer.member
    done = (
        "there before" if member.existed else "enrolled before" if answer.replayed else "enrolled"
    )
    console.out.print(f"member [bold]{member.member_id}[/]   {done}")
