"""`loyalty member unlink` and `move-identity`: identities that are lost, or somebody else's."""

from typing import Annotated
from uuid import uuid4

import typer

from loyalty.v1 import member_service_pb2 as pb
from loyalty.v1.types_pb2 import Origin
from server.cli.membership import Operator, Reason, Unit, show_after
from server.cli.options import (
    DEFAULT_SERVER,
    AsJson,
    Authority,
    Ref,
    RequestId,
    Server,
    Token,
    identity_of,
    member_ref,
)
from server.cli.policy_steps import ValidateOnly

Identity = Annotated[
    str, typer.Argument(metavar="IDENTITY", help="As scheme:value such as card:8800.")
]


def unlink(  # noqa: PLR0913 - every option is an argument
    ref: Ref,
    identity: Identity,
    unit: Unit,
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="Why; never a name, for it stays.")
    ] = "",
    operator: Operator = "",
    request_id: RequestId = "",
    validate_only: ValidateOnly = False,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Take an identity from the member REF: nobody is known by it any more."""
    request = pb.UnlinkIdentityRequest(
        request_id=request_id or str(uuid4()),
        validate_only=validate_only,
        origin=Origin(business_unit=unit, channel="cli", operator=operator),
        member=member_ref(ref),
        identity=identity_of(identity),
        reason=reason,
    )
    show_after((server, token, ca), request, json=json)


def move_identity(  # noqa: PLR0913 - every option is an argument
    ref: Ref,
    identity: Identity,
    unit: Unit,
    reason: Reason,
    operator: Operator = "",
    request_id: RequestId = "",
    validate_only: ValidateOnly = False,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Give an identity of another member to the member REF."""
    request = pb.MoveIdentityRequest(
        request_id=request_id or str(uuid4()),
        validate_only=validate_only,
        origin=Origin(business_unit=unit, channel="cli", operator=operator),
        member=member_ref(ref),
        identity=identity_of(identity),
        reason=reason,
    )
    show_after((server, token, ca), request, json=json)
