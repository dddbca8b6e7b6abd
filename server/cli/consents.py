"""`loyalty member consent`: what a member agrees to, or does not any more."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from ledger.core.instant import from_datetime, to_timestamp
from loyalty.v1 import member_service_pb2 as pb
from loyalty.v1.types_pb2 import CONSENT_STATE_GRANTED, CONSENT_STATE_WITHDRAWN, Origin
from server.cli import console
from server.cli.calling import call_once
from server.cli.options import DEFAULT_SERVER, AsJson, Authority, Ref, Server, Token, member_ref

_FORMATS: Final = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"]


def consent(  # noqa: PLR0913 - every option is an argument
    ref: Ref,
    purpose: Annotated[
        str, typer.Argument(metavar="PURPOSE", help="What for: marketing, programme-terms.")
    ],
    unit: Annotated[str, typer.Option(metavar="UNIT", help="Business unit that was told.")],
    source: Annotated[
        str, typer.Option(metavar="CODE", help="Where the evidence is kept: web-form/17.")
    ],
    granted: Annotated[
        bool, typer.Option("--grant/--withdraw", help="The member agrees, or does not.")
    ],
    channel: Annotated[
        str, typer.Option(metavar="CODE", help="Through what: email, sms; empty: any.")
    ] = "",
    wording: Annotated[
        str, typer.Option(metavar="VERSION", help="Version of the wording; needed to grant.")
    ] = "",
    at: Annotated[
        datetime | None,
        typer.Option(help="When the member said so, UTC; now by default.", formats=_FORMATS),
    ] = None,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Record that a member agrees to something, or withdraws that. The last word counts."""
    said = datetime.now(UTC) if at is None else at.replace(tzinfo=UTC)
    request = pb.UpdateMemberRequest(
        origin=Origin(
            business_unit=unit, channel="cli", occurred_time=to_timestamp(from_datetime(said))
        ),
        member=member_ref(ref),
        consents=[
            pb.ConsentChange(
                purpose=purpose,
                channel=channel,
                state=CONSENT_STATE_GRANTED if granted else CONSENT_STATE_WITHDRAWN,
                wording_version=wording,
                source=source,
            )
        ],
    )
    told = request.SerializeToString(deterministic=True)
    request.request_id = hashlib.sha256(told).hexdigest()
    answer = call_once((server, token, ca), request)
    if json:
        console.print_json(answer)
    else:
        console.out.print("recorded before" if answer.replayed else "recorded")


def print_consents(consents: Iterable[pb.Consent]) -> None:
    """Show what a member agreed to or withdrew."""
    rows = console.table("Consents", "purpose", "channel", "state", "since", "wording", "source")
    for each in consents:
        rows.add_row(
            each.purpose,
            each.channel or "any",
            "granted" if each.state == CONSENT_STATE_GRANTED else "withdrawn",
            console.utc(each.change_time),
            each.wording_version,
            each.source,
        )
    if rows.row_count:
        console.out.print(rows)
