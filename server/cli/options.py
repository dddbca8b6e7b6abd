"""Options that several commands share, and the channel they lead to."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

import grpc
import typer
from typer.core import TyperCommand

from loyalty.v1 import types_pb2 as types_pb
from server.cli.console import GET_TOKEN, USAGE, fail

CALL_SECONDS: Final = 30.0
PORT_MAX: Final = 65_535

Server = Annotated[
    str,
    typer.Option(envvar="LOYALTY_SERVER", help="Running server, as host:port.", metavar="ADDRESS"),
]
Token = Annotated[
    str,
    typer.Option(
        envvar="LOYALTY_TOKEN",
        help="Token of `loyalty token create`; better in LOYALTY_TOKEN than on the command line.",
        metavar="TOKEN",
        show_default=False,
    ),
]
Authority = Annotated[
    Path | None,
    typer.Option(
        "--ca",
        envvar="LOYALTY_CA",
        help="PEM file of the authority that signed the server's certificate; switches TLS on.",
        metavar="FILE",
    ),
]
RequestId = Annotated[
    str, typer.Option(metavar="ID", help="Chosen by the caller; a new one by default.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Ref = Annotated[
    str,
    typer.Argument(
        metavar="REF", help="Member id, or an identity as scheme:value such as card:8800."
    ),
]

_BELOW_ZERO: Final = re.compile(r"^-(\d+)$")
_POINTS: Final = re.compile(r"-?[0-9]{1,18}")

DEFAULT_SERVER: Final = "127.0.0.1:7070"


class OfPoints(TyperCommand):
    """A command that takes POINTS: a number below zero is no option, but points.

    Those that a call does not take are refused by the ledger, which says what would be right.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse; an option that does not exist is refused as by every other command."""
        self.make_parser(ctx).parse_args([_BELOW_ZERO.sub(r"\1", arg) for arg in args])
        ctx.ignore_unknown_options = True
        return super().parse_args(ctx, args)


def example(text: str) -> str:
    """The example at the end of a command's help."""
    return f"Example: [bold]{text}[/]"


def host_and_port(option: str, address: str) -> tuple[str, int]:
    """Host and port of an address, or say what one looks like."""
    host, _, port = address.rpartition(":")
    if not (host and port.isdigit() and int(port) <= PORT_MAX):
        fail(f"{option} {address}: expected host:port such as 127.0.0.1:8080", code=USAGE)
    return host, int(port)


def require_token(token: str) -> str:
    """Return the token, or say where to get one."""
    if not token:
        fail("no token is given", advice=GET_TOKEN, code=USAGE)
    return token


def _credentials(authority: Path | None) -> grpc.ChannelCredentials | None:
    if authority is None:
        return None
    if not authority.is_file():
        fail(f"--ca {authority}: there is no such file", code=USAGE)
    return grpc.ssl_channel_credentials(authority.read_bytes())


@contextmanager
def channel_to(server: str, authority: Path | None) -> Iterator[grpc.Channel]:
    """A channel for one call after the other."""
    credentials = _credentials(authority)
    if credentials is None:
        opened = grpc.insecure_channel(server)
    else:
        opened = grpc.secure_channel(server, credentials)
    with opened as channel:
        yield channel


def concurrent_channel_to(
    server: str, authority: Path | None, options: Sequence[tuple[str, int]] = ()
) -> grpc.aio.Channel:
    """A channel for many calls at once; the caller closes it."""
    credentials = _credentials(authority)
    if credentials is None:
        return grpc.aio.insecure_channel(server, options)
    return grpc.aio.secure_channel(server, credentials, options)


def points_of(text: str) -> int:
    """The number that a POINTS names."""
    if not _POINTS.fullmatch(text):
        fail(f"POINTS {text!r}: expected a whole number such as 500", code=USAGE)
    return int(text)


def identity_of(text: str) -> types_pb.Identity:
    """The identity that an IDENTITY names, which has to be scheme:value."""
    scheme, colon, value = text.partition(":")
    if not (scheme and colon and value):
        fail(f"IDENTITY {text!r}: expected scheme:value such as card:8800", code=USAGE)
    return types_pb.Identity(scheme=scheme, value=value)


def member_ref(ref: str) -> types_pb.MemberRef:
    """Whom a REF means: scheme:value is an identity, everything else has to be a member id."""
    scheme, colon, value = ref.partition(":")
    if colon:
        if not (scheme and value):
            fail(f"REF {ref!r}: expected scheme:value such as card:8800", code=USAGE)
        return types_pb.MemberRef(identity=types_pb.Identity(scheme=scheme, value=value))
    try:
        return types_pb.MemberRef(member_id=str(UUID(ref)))
    except ValueError:
        fail(f"REF {ref!r}: expected a member id, or scheme:value such as card:8800", code=USAGE)


def party_ref(ref: str) -> types_pb.MemberRef:
    """As `member_ref`; `pool:ID` is a pool."""
    scheme, _, value = ref.partition(":")
    if scheme != "pool":
        return member_ref(ref)
    try:
        return types_pb.MemberRef(pool_id=str(UUID(value)))
    except ValueError:
        fail(f"REF {ref!r}: expected pool: and the id of a pool", code=USAGE)
