"""`loyalty import`: transactions of a file into a running server.

What it needs is imported when it runs, so that other commands start without waiting for it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli import console
from server.cli.from_files import (
    SHOWN_REJECTS,
    Enrol,
    RejectsFile,
    Zone,
    add_refused,
    advise_enrolling,
    rejects_file,
    told_when_stopped,
    zone_of,
)
from server.cli.options import (
    DEFAULT_SERVER,
    AsJson,
    Authority,
    Server,
    Token,
    concurrent_channel_to,
    require_token,
)
from server.cli.refused import FileRefused

if TYPE_CHECKING:
    from server.cli.importing import Summary
    from server.cli.rows import ReadDocument, Reading


def import_file(  # noqa: PLR0913 - every option is an argument
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="CSV or Parquet with the columns business_unit, source, document_id,"
            " occurred_time, category, currency, net_amount (or net_minor_units) and, if wanted,"
            " member (scheme:value), version, line_id, quantity, kind, status, channel, store,"
            " business_date. Rows of one document and version are its lines.",
            show_default=False,
        ),
    ],
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    enrol: Enrol = False,
    zone: Zone = "",
    float_digits: Annotated[
        int | None,
        typer.Option(
            min=0, max=6, help="Decimals that a file's floats mean; without it they are refused."
        ),
    ] = None,
    rejects: RejectsFile = None,
    json: AsJson = False,
) -> None:
    """Post the transactions of a file. Running it again goes on where it stopped.

    What was recorded before is replayed and changes nothing.

    Amounts are read exactly, and rounded half to even per line; what that adds is reported.
    """
    from server.cli.importing import write_rejects
    from server.cli.rows import Reading

    known_token = require_token(token)
    documents = _documents(file, Reading(zone_of(zone), float_digits))
    summary = console.run(_run(documents, server, ca, token=known_token, enrol=enrol))
    listed = rejects_file(file, rejects)
    if summary.rejects:
        write_rejects(listed, summary.rejects)
    if json:
        console.print_json(_as_data(summary, listed))
    else:
        _print(summary, listed)
    if summary.rejects:
        raise typer.Exit(console.NO)


def _documents(file: Path, reading: "Reading") -> list["ReadDocument"]:
    from server.cli.rows import read

    try:
        with console.err.status(f"reading {file.name}"):
            return read(file, reading)
    except FileRefused as refused:
        console.fail(
            str(refused), advice="`loyalty import --help` lists the columns", code=console.USAGE
        )


async def _run(
    documents: Sequence["ReadDocument"], server: str, ca: Path | None, *, token: str, enrol: bool
) -> "Summary":
    from server.cli.importing import Import

    async with concurrent_channel_to(server, ca) as channel:
        work = Import(channel, token=token, enrol=enrol)
        with console.progress() as progress, told_when_stopped():
            task = progress.add_task("documents", total=len(documents))
            return await work.run(documents, advanced=lambda count: progress.advance(task, count))


def _as_data(summary: "Summary", listed: Path) -> dict[str, object]:
    return {
        "documents": summary.documents,
        "posted": summary.tally.posted,
        "replayed": summary.tally.replayed,
        "superseded": summary.tally.superseded,
        "enrolled": summary.enrolled,
        "refused": dict(sorted(summary.tally.refused.items())),
        "rounded": {code: str(added) for code, added in sorted(summary.rounded.items()) if added},
        "rejects_file": str(listed) if summary.rejects else None,
    }


def _print(summary: "Summary", listed: Path) -> None:
    rows = console.table("Import", "documents", "number", numbers=1)
    rows.add_row("in the file", f"{summary.documents:,}")
    rows.add_row("posted", f"{summary.tally.posted:,}")
    rows.add_row("replayed: recorded before", f"{summary.tally.replayed:,}")
    rows.add_row("superseded: a newer version stands", f"{summary.tally.superseded:,}")
    add_refused(rows, summary.tally.refused)
    rows.add_row("members enrolled", f"{summary.enrolled:,}")
    console.out.print(rows)
    for code, added in sorted(summary.rounded.items()):
        if added:
            console.out.print(f"rounding lines to minor units added {added.normalize():f} {code}")
    if not summary.rejects:
        return
    for reject in summary.rejects[:SHOWN_REJECTS]:
        # A message may hold brackets, which would be markup to rich.
        console.err.print(f"{reject.document.key[2]}: {reject.message}", markup=False)
    advise_enrolling(summary.tally.refused)
    console.advise(f"correct what {listed} lists and import it again")
