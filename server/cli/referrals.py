"""`loyalty referral`: who brought a new member."""

import hashlib
from typing import Annotated

import typer

from loyalty.v1 import member_service_pb2 as pb
from loyalty.v1.types_pb2 import Origin
from server.cli import console
from server.cli.calling import call_once
from server.cli.options import DEFAULT_SERVER, AsJson, Authority, Server, Token, member_ref
from server.cli.policy_steps import ValidateOnly


def referral(
    new: Annotated[str, typer.Argument(metavar="NEW", help="Who is new: scheme:value or an id.")],
    referrer: Annotated[str, typer.Argument(metavar="REFERRER", help="Who brought them.")],
    unit: Annotated[str, typer.Option(metavar="UNIT", help="Business unit that was told.")],
    validate_only: ValidateOnly = False,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Tell who brought a new member; the first purchase that counts rewards them."""
    request = pb.CreateReferralRequest(
        validate_only=validate_only,
        origin=Origin(business_unit=unit, channel="cli"),
        member=member_ref(new),
        referrer=member_ref(referrer),
    )
    # A member is brought once, so to say the same again is the same request.
    told = pb.CreateReferralRequest(member=request.member, referrer=request.referrer)
    request.request_id = hashlib.sha256(
        told.SerializeToString(deterministic=True) + unit.encode()
    ).hexdigest()
    answer = call_once((server, token, ca), request)
    if json:
        console.print_json(answer)
    elif validate_only:
        console.out.print("it could be told")
    else:
        console.out.print("told before" if answer.replayed else "told")


def print_referral(told: pb.Referral) -> None:
    """Show who brought a member, and what came of it."""
    if not told.referral_id:
        return
    line = f"brought by   {told.referrer_id}, told {console.utc(told.referral_time)}, "
    if told.counts:
        line += f"{told.document} counts"
    elif told.document:
        line += f"{told.document} was returned"
    else:
        line += "no purchase that counts yet"
    console.out.print(line, markup=False)
