"""`loyalty member suspend`, `close` and `reopen`: how far a member takes part."""

from typing import Annotated, Any, Final
from uuid import uuid4

import typer
from google.protobuf.message import Message

from loyalty.v1 import member_service_pb2 as pb
from loyalty.v1.types_pb2 import MembershipState, Origin
from server.cli import console
from server.cli.calling import Where, call_once
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

Unit = Annotated[str, typer.Option(metavar="UNIT", help="Business unit whose staff decided.")]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why; never a name, for it stays.")]
Operator = Annotated[
    str, typer.Option(metavar="ID", help="Staff id of who decided, where the token is shared.")
]
_PREFIX: Final = "MEMBERSHIP_STATE_"


def suspend(  # noqa: PLR0913 - every option is an argument
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
    """Let a member earn, but not spend, until `reopen`."""
    request = pb.SuspendMemberRequest(
        request_id=request_id or str(uuid4()),
        validate_only=validate_only,
        origin=Origin(business_unit=unit, channel="cli", operator=operator),
        member=member_ref(ref),
        reason=reason,
    )
    show_after((server, token, ca), request, json=json)


def close(  # noqa: PLR0913 - every option is an argument
    ref: Ref,
    unit: Unit,
    reason: Reason,
    forfeit: Annotated[
        bool, typer.Option("--forfeit", help="What is left of spendable points expires now.")
    ] = False,
    operator: Operator = "",
    request_id: RequestId = "",
    validate_only: ValidateOnly = False,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Close an account: corrections of what it had before are taken, and nothing else."""
    request = pb.CloseMemberRequest(
        request_id=request_id or str(uuid4()),
        validate_only=validate_only,
        origin=Origin(business_unit=unit, channel="cli", operator=operator),
        member=member_ref(ref),
        reason=reason,
        forfeit=forfeit,
    )
    show_after((server, token, ca), request, json=json)


def reopen(  # noqa: PLR0913 - every option is an argument
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
    """Let a suspended or closed member take part again; what was forfeited stays forfeited."""
    request = pb.ReopenMemberRequest(
        request_id=request_id or str(uuid4()),
        validate_only=validate_only,
        origin=Origin(business_unit=unit, channel="cli", operator=operator),
        member=member_ref(ref),
        reason=reason,
    )
    show_after((server, token, ca), request, json=json)


def show_after(where: Where, request: Message, *, json: bool) -> None:
    """Call once, and show the member as they are after it."""
    print_after(call_once(where, request), json=json)


def state_of(member: pb.Member) -> str:
    """How far a member takes part, in a word: "open"."""
    return MembershipState.Name(member.membership).removeprefix(_PREFIX).lower()


def print_after(answer: Any, *, other: str = "", json: bool) -> None:
    """Print the member of an answer as they are now, and the `other` of two, if there is one."""
    if json:
        console.print_json(answer)
        return
    member = answer.member
    state = state_of(member)
    again = "(done before)" if answer.replayed else ""
    words = (f"member [bold]{member.member_id}[/]", f"[bold]{state}[/]", other, again)
    console.out.print("   ".join(filter(None, words)))
    print_home(answer)
