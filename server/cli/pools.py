"""`loyalty pool …`: what members have together, who is in it and what they may do there."""

from enum import StrEnum
from typing import Annotated, Any, NamedTuple
from uuid import uuid4

import typer

from loyalty.v1 import member_service_pb2 as pb
from loyalty.v1.types_pb2 import MemberRef, Origin, PoolPermission
from server.cli import console
from server.cli.calling import Where, call_once
from server.cli.options import (
    DEFAULT_SERVER,
    AsJson,
    Authority,
    RequestId,
    Server,
    Token,
    example,
    member_ref,
    party_ref,
)
from server.cli.policy_steps import ValidateOnly

app = typer.Typer(help="Let members share points.", no_args_is_help=True)


class May(StrEnum):
    """What a member may do in a pool."""

    VIEW = "view"
    CONTRIBUTE = "contribute"
    SPEND = "spend"
    ADMINISTER = "administer"


By = Annotated[str, typer.Option(metavar="REF", help="Who does it: scheme:value or a member id.")]
PoolRef = Annotated[
    str, typer.Argument(metavar="POOL", help="pool:ID, as `loyalty pool open` printed it.")
]
Subject = Annotated[str, typer.Argument(metavar="REF", help="Scheme:value or a member id.")]
Permissions = Annotated[
    list[May], typer.Option("--may", help="What the member may do there; once for each.")
]
Unit = Annotated[str, typer.Option(metavar="UNIT", help="Business unit through which it happens.")]


def open_(
    by: By,
    unit: Unit,
    request_id: RequestId = "",
    validate_only: ValidateOnly = False,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Open a pool; who opens it may do everything there."""
    request = pb.CreatePoolRequest(member=member_ref(by))
    _write((server, token, ca), request, _How(unit, request_id, validate_only), json=json)


def add(  # noqa: PLR0913 - every option is an argument
    pool: PoolRef,
    ref: Subject,
    may: Permissions,
    by: By,
    unit: Unit,
    request_id: RequestId = "",
    validate_only: ValidateOnly = False,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Let a member in. That the member agrees is for you to know."""
    request = pb.AddPoolMemberRequest(
        member=member_ref(by),
        pool_id=_pool_id(pool),
        joining=member_ref(ref),
        permissions=_permissions(may),
    )
    _write((server, token, ca), request, _How(unit, request_id, validate_only), json=json)


def remove(  # noqa: PLR0913 - every option is an argument
    pool: PoolRef,
    ref: Subject,
    unit: Unit,
    by: Annotated[
        str, typer.Option(metavar="REF", help="Who does it; REF itself by default.")
    ] = "",
    request_id: RequestId = "",
    validate_only: ValidateOnly = False,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Take a member out; what is left of what they put in goes home to them.

    If nobody who stays may administer the pool, who has been in it longest may then; the last
    member's leaving closes it.
    """
    request = pb.RemovePoolMemberRequest(
        member=member_ref(by or ref), pool_id=_pool_id(pool), leaving=member_ref(ref)
    )
    _write((server, token, ca), request, _How(unit, request_id, validate_only), json=json)


def permit(  # noqa: PLR0913 - every option is an argument
    pool: PoolRef,
    ref: Subject,
    may: Permissions,
    by: By,
    unit: Unit,
    request_id: RequestId = "",
    validate_only: ValidateOnly = False,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Say what a member may do from now on: these things, and nothing else."""
    request = pb.SetPoolPermissionRequest(
        member=member_ref(by),
        pool_id=_pool_id(pool),
        subject=member_ref(ref),
        permissions=_permissions(may),
    )
    _write((server, token, ca), request, _How(unit, request_id, validate_only), json=json)


def close(  # noqa: PLR0913 - every option is an argument
    pool: PoolRef,
    by: By,
    unit: Unit,
    request_id: RequestId = "",
    validate_only: ValidateOnly = False,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Close a pool; what is left goes home to whoever put it in."""
    request = pb.ClosePoolRequest(member=member_ref(by), pool_id=_pool_id(pool))
    _write((server, token, ca), request, _How(unit, request_id, validate_only), json=json)


def show(
    pool: PoolRef,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Show who is in a pool, what they may do there, and what it has."""
    request = pb.GetPoolRequest(pool_id=_pool_id(pool))
    _tell(call_once((server, token, ca), request), json=json)


class _How(NamedTuple):
    """What every write about a pool says of itself, as the options name it."""

    unit: str
    request_id: str
    validate_only: bool


def _write(where: Where, request: Any, how: _How, *, json: bool) -> None:
    """Send a write, and show the pool as it is after it."""
    request.request_id = how.request_id or str(uuid4())
    request.validate_only = how.validate_only
    request.origin.CopyFrom(Origin(business_unit=how.unit, channel="cli"))
    _tell(call_once(where, request), json=json)


def _pool_id(pool: str) -> str:
    ref: MemberRef = party_ref(pool if ":" in pool else f"pool:{pool}")
    if not ref.pool_id:
        console.fail(f"POOL {pool!r}: expected pool: and the id of a pool", code=console.USAGE)
    return ref.pool_id


def _permissions(may: list[May]) -> list[PoolPermission.ValueType]:
    return [PoolPermission.Value(f"POOL_PERMISSION_{each.name}") for each in may]


def _tell(answer: Any, *, json: bool) -> None:
    if json:
        console.print_json(answer)
        return
    pool: pb.Pool = answer.pool
    again = "   (done before)" if getattr(answer, "replayed", False) else ""
    closed = "   closed" if pool.closed else ""
    console.out.print(f"pool:{pool.pool_id}{closed}{again}", markup=False)
    rows = console.table("Members", "member", "may", numbers=0)
    for member in pool.members:
        names = (PoolPermission.Name(each) for each in member.permissions)
        may = ", ".join(name.removeprefix("POOL_PERMISSION_").lower() for name in names)
        rows.add_row(member.member_id, may)
    if pool.members:
        console.out.print(rows)
    for balance in pool.balances:
        console.out.print(f"{balance.available:,} {balance.currency} to spend", markup=False)
    print_home(answer)


def print_home(answer: Any) -> None:
    """Print what goes home from pools because of a call."""
    for transfer in getattr(answer, "transfers", ()):
        points = f"{transfer.points.amount:,} {transfer.points.currency}"
        console.out.print(f"{points} home to {transfer.receiver_id}", markup=False)


app.command("open", epilog=example("loyalty pool open --by card:8800 --unit market"))(open_)
app.command(
    epilog=example(
        "loyalty pool add pool:0198… card:8801 --may view --may spend --by card:8800 --unit market"
    )
)(add)
app.command(epilog=example("loyalty pool remove pool:0198… card:8801 --unit market"))(remove)
app.command(
    epilog=example(
        "loyalty pool permit pool:0198… card:8801 --may view --by card:8800 --unit market"
    )
)(permit)
app.command(epilog=example("loyalty pool close pool:0198… --by card:8800 --unit market"))(close)
app.command(epilog=example("loyalty pool show pool:0198…"))(show)
