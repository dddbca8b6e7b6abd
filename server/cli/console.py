"""How the commands speak: data on stdout, progress and errors on stderr, one meaning per exit code.

0  done, and the answer is yes
1  done, and the answer is no: something diverges, is refused, or is not right
2  the command was called wrongly, or a setting is wrong
3  the server or the database cannot be reached or used
"""

import asyncio
import json
import sys
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, NoReturn, TypeVar

import grpc
import typer
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

Result = TypeVar("Result")

DETAILS_KEY: Final = "grpc-status-details-bin"
OK: Final = 0
NO: Final = 1
USAGE: Final = 2
UNAVAILABLE: Final = 3

# Advice that several commands give.
SETTINGS: Final = "docs/operations.md lists every setting"
GET_TOKEN: Final = "Set LOYALTY_TOKEN to one that `loyalty token create` printed"
RUN_AGAIN: Final = "Run it again: it goes on where it ended. The server's log tells why"
NAME_SOMETHING: Final = "Name what, or say --all"

# A file or a pipe has no width of its own; this one holds every table.
WIDTH: Final = 220

out: Final = Console(soft_wrap=True, highlight=False, width=None if sys.stdout.isatty() else WIDTH)
err: Final = Console(
    stderr=True, soft_wrap=True, highlight=False, width=None if sys.stderr.isatty() else WIDTH
)

_ADVICE: Final[Mapping[grpc.StatusCode, str]] = {
    grpc.StatusCode.UNAVAILABLE: (
        "Is it running? Start it with `loyalty serve`, or name another one with --server"
    ),
    grpc.StatusCode.UNAUTHENTICATED: (
        "Make a token with `loyalty token create` and set LOYALTY_TOKEN to it"
    ),
    grpc.StatusCode.PERMISSION_DENIED: (
        "Make a token that names the unit and the verb: `loyalty token create --help`"
    ),
    grpc.StatusCode.DEADLINE_EXCEEDED: "The server is busy; run the command again",
}


def fail(problem: str, *, advice: str = "", code: int = NO) -> NoReturn:
    """Say what is wrong and what to do next, and leave with `code`."""
    err.print(f"[bold red]error[/] {_plain(problem)}")
    if advice:
        advise(advice)
    raise typer.Exit(code)


def advise(what: str) -> None:
    """Say what to do next."""
    err.print(f"[bold]next[/]  {_plain(what)}")


def _plain(text: str) -> str:
    # Square brackets are markup to rich: paths such as earn[base.rooms] must survive.
    return text.replace("[", r"\[")


@contextmanager
def explained() -> Iterator[None]:
    """Turn what is expected to go wrong into an error with advice and an exit code."""
    try:
        yield
    except grpc.RpcError as error:
        _fail_with_status(error)
    except Exception as error:
        _fail_with_advice(error)
        raise


def _fail_with_advice(error: Exception) -> None:
    """Leave if this is something that an operator can put right; else return."""
    # Imported when something is wrong: they take longer to load than most commands to run.
    from ledger.service import WrongIdentityKey
    from server.cli.refused import FileRefused
    from server.config import SettingsError
    from server.database import DatabaseError
    from server.embedded import EmbeddedError
    from server.listening import AddressUnusable

    if isinstance(error, AddressUnusable):
        fail(str(error), advice=error.advice, code=USAGE)
    if isinstance(error, SettingsError | WrongIdentityKey):
        fail(str(error), advice=SETTINGS, code=USAGE)
    if isinstance(error, FileRefused):
        fail(str(error), code=USAGE)
    if isinstance(error, DatabaseError | EmbeddedError):
        fail(error.problem, advice=error.advice, code=UNAVAILABLE)


def _fail_with_status(error: grpc.RpcError) -> NoReturn:
    call = error if isinstance(error, grpc.Call | grpc.aio.AioRpcError) else None
    if call is None:
        fail(str(error), code=UNAVAILABLE)
    status = call.code()
    unreachable = status in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
    reason = _reason(call)
    fail(
        f"{reason or status.name}: {call.details() or 'the server gives no reason'}",
        advice=_ADVICE.get(status) or _advice_on(reason),
        code=UNAVAILABLE if unreachable else NO,
    )


def _reason(call: grpc.Call | grpc.aio.AioRpcError) -> str:
    """The refusal's reason, by which docs/refusals.md is ordered; empty without one."""
    from google.rpc.error_details_pb2 import ErrorInfo
    from google.rpc.status_pb2 import Status

    info = ErrorInfo()
    trailing: Any = call.trailing_metadata() or ()
    for key, value in trailing:
        if key != DETAILS_KEY:
            continue
        for detail in Status.FromString(value).details:
            if detail.Unpack(info):
                return info.reason
    return ""


def _advice_on(reason: str) -> str:
    from ledger.core.refusals import ALL_REFUSALS

    return next((each.advice for each in ALL_REFUSALS if each.reason == reason), "")


def run(main: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine as the command; what goes wrong is explained."""
    with explained():
        return asyncio.run(main)


def print_json(data: Any) -> None:
    """Print data for programs; a protobuf message with its field names as in the contract."""
    if isinstance(data, Message):
        data = MessageToDict(data, preserving_proto_field_name=True)
    typer.echo(json.dumps(data, ensure_ascii=False, indent=2, default=str))


def utc(stamp: Timestamp | datetime) -> str:
    """A time to the minute, in UTC.

    Never as a day: days are those of the programme's zone, which a command does not know, and an
    end is the first instant of the next one.
    """
    moment = stamp.ToDatetime(UTC) if isinstance(stamp, Timestamp) else stamp.astimezone(UTC)
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def money(minor_units: int, currency_code: str) -> str:
    """An amount in major units: "1,250.00 EUR"; empty without a currency, as of an activity."""
    from rules.money import MINOR_DIGITS

    if not currency_code:
        return ""
    digits = MINOR_DIGITS[currency_code]
    return f"{Decimal(minor_units).scaleb(-digits):,.{digits}f} {currency_code}"


def table(title: str, *columns: str, numbers: int = 0) -> Table:
    """An empty table whose last `numbers` columns hold numbers."""
    made = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        header_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    for index, name in enumerate(columns):
        made.add_column(name, justify="right" if index >= len(columns) - numbers else "left")
    return made


def print_table(made: Table, *, none: str) -> None:
    """Print a table; without rows the sentence that says so, and what to do next, in its place."""
    if made.row_count:
        out.print(made)
    else:
        out.print(none, markup=False)


def progress() -> Progress:
    """A progress bar on stderr, gone when it is done."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    )
