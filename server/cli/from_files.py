"""What the commands that bring in a file have alike: options, and what they say at the end."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.table import Table

from server.cli import console

Enrol = Annotated[bool, typer.Option("--enrol", help="Enrol members nobody knows.")]
Zone = Annotated[str, typer.Option(help="IANA zone of times that name none.", metavar="ZONE")]
RejectsFile = Annotated[
    Path | None,
    typer.Option("--rejects", help="Where to list what was refused.  [default: FILE.rejects.csv]"),
]

SHOWN_REJECTS: Final = 5
"""What was refused that is told on the screen; the file lists all."""


def zone_of(name: str) -> ZoneInfo | None:
    """The zone that --zone names; None for none."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        console.fail(f"--zone {name}: expected an IANA zone such as Europe/Lisbon", code=2)


def rejects_file(file: Path, stated: Path | None) -> Path:
    """Where what was refused of a file is listed."""
    return stated or file.with_name(f"{file.name}.rejects.csv")


@contextmanager
def told_when_stopped() -> Iterator[None]:
    """Say, when somebody stops it, that nothing is lost."""
    try:
        yield
    except asyncio.CancelledError:
        console.err.print("stopped; run the same command again to go on")
        raise


def add_refused(rows: Table, refused: Mapping[str, int]) -> None:
    """Add how often what was refused, by reason."""
    for reason, count in sorted(refused.items()):
        rows.add_row(f"refused: {reason}", f"{count:,}")


def advise_enrolling(refused: Mapping[str, int]) -> None:
    """Say how members come in whom nobody knows, if that is why something was refused."""
    if "UNKNOWN_MEMBER" in refused:
        console.advise("with --enrol, members nobody knows are enrolled")
