"""`loyalty member merge` and `unmerge`: one member of two, and two of one."""

from typing import Annotated, Final
from uuid import uuid4

import typer

from loyalty.v1 import member_service_pb2 as pb
from loyalty.v1.types_pb2 import Origin
from server.cli.calling import call_once
from server.cli.membership import Operator, Reason, Unit, print_after
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

_SECONDS: Final = 60.0
"""A large account moves in steps."""
Into = Annotated[
    str,
    typer.Argument(metavar="INTO", help="Who has everything then: a member id, or scheme:value."),
]


def merge(  # noqa: PLR0913 - every option is an argument
    ref: Ref,
    into: Into,
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
    """Merge REF into INTO, which has everything then; whoever names REF means INTO."""
    request = pb.MergeMembersRequest(
        request_id=request_id or str(uuid4()),
        validate_only=validate_only,
        origin=Origin(business_unit=unit, channel="cli", operator=operator),
        member=member_ref(ref),
        into=member_ref(into),
        reason=reason,
    )
    answer = call_once((server, token, ca), request, seconds=_SECONDS)
    print_after(answer, other=f"into [bold]{answer.into.member_id}[/]", json=json)


def unmerge(  # noqa: PLR0913 - every option is an argument
    ref: Ref,
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
    """Undo a merge: REF has again what is left of its lots, its holds, debts and documents."""
    request = pb.UnmergeMembersRequest(
        request_id=request_id or str(uuid4()),
        validate_only=validate_only,
        origin=Origin(business_unit=unit, channel="cli", operator=operator),
        member=member_ref(ref),
        reason=reason,
    )
    answer = call_once((server, token, ca), request, seconds=_SECONDS)
    other = getattr(answer, "from").member_id
    print_after(answer, other=f"out of [bold]{other}[/]", json=json)
