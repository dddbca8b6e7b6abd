"""`loyalty opening`: the balances of an older programme, brought in and proven.

What a command needs is imported when it runs, so that the others start without waiting for it.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli import console
from server.cli.from_files import (
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
    example,
    require_token,
)
from server.cli.refused import FileRefused

if TYPE_CHECKING:
    from server.cli.opening_import import Rejects, Summary
    from server.cli.opening_proof import Proof
    from server.cli.opening_rows import SourceFile

app = typer.Typer(
    help="Bring in the balances of an older programme, and prove it.", no_args_is_help=True
)
File = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="CSV or Parquet with the columns member (scheme:value), business_unit and, if wanted,"
        " row, currency, points, funder, earned_time, expire_time, metric, amount, money, window,"
        " tier, tier_until_time, member_since_time. A member may have several rows.",
        show_default=False,
    ),
]
Source = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="Under which name the rows come in, for ever.  [default: the file's, without ending]",
    ),
]


@app.command("import", epilog=example("loyalty opening import guests.csv --enrol --dry-run"))
def import_file(  # noqa: PLR0913 - every option is an argument
    file: File,
    source: Source = "",
    enrol: Enrol = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="All checks of every row, nothing recorded.")
    ] = False,
    zone: Zone = "",
    rejects: RejectsFile = None,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Record the rows of a file, each once. Running it again goes on where it stopped.

    The name of the source is bound to this very file by its first row: one that was changed since
    is refused. Needs a token with the verbs `opening` and `read`.
    """
    from server.cli.opening_import import Rejects, SourceChanged

    known_token = require_token(token)
    stated = _source_file(file, source, zone)
    listed = Rejects(rejects_file(file, rejects))
    try:
        summary = console.run(
            _import(stated, server, ca, listed, token=known_token, enrol=enrol, dry_run=dry_run)
        )
    except SourceChanged as changed:
        console.fail(
            str(changed),
            advice="Use the file that was begun with; bring a corrected one in under another"
            " --source, with only the rows that are missing",
        )
    finally:
        listed.close()
    data = _as_data(summary, stated, listed)
    if json:
        console.print_json(data)
    else:
        _print(summary, stated, listed, dry_run=dry_run)
    if summary.rejects:
        raise typer.Exit(console.NO)


def _source_file(file: Path, source: str, zone: str) -> "SourceFile":
    from server.cli.opening_rows import source_file

    try:
        with console.err.status(f"reading {file.name}"):
            return source_file(file, source, zone_of(zone))
    except FileRefused as refused:
        console.fail(
            str(refused),
            advice="`loyalty opening import --help` lists the columns",
            code=console.USAGE,
        )


async def _import(
    file: "SourceFile",
    server: str,
    ca: Path | None,
    rejects: "Rejects",
    *,
    token: str,
    enrol: bool,
    dry_run: bool,
) -> "Summary":
    from server.cli.opening_import import OpeningImport

    async with concurrent_channel_to(server, ca) as channel:
        work = OpeningImport(channel, token=token, rejects=rejects)
        with console.progress() as progress, told_when_stopped():
            task = progress.add_task("rows", total=file.rows or None)
            return await work.run(
                file,
                enrol=enrol,
                dry_run=dry_run,
                advanced=lambda count: progress.advance(task, count),
            )


def _as_data(summary: "Summary", file: "SourceFile", rejects: "Rejects") -> dict[str, object]:
    return {
        "source": file.source,
        "digest": file.digest,
        "rows": summary.rows,
        "recorded": summary.tally.posted,
        "replayed": summary.tally.replayed,
        "refused": dict(sorted(summary.tally.refused.items())),
        "rejects_file": str(rejects.path) if summary.rejects else None,
    }


def _print(summary: "Summary", file: "SourceFile", rejects: "Rejects", *, dry_run: bool) -> None:
    rows = console.table(f"Source {file.source}", "rows", "number", numbers=1)
    rows.add_row("in the file", f"{summary.rows:,}")
    rows.add_row("would be recorded" if dry_run else "recorded", f"{summary.tally.posted:,}")
    rows.add_row("replayed: recorded before", f"{summary.tally.replayed:,}")
    add_refused(rows, summary.tally.refused)
    console.out.print(rows)
    console.out.print(f"digest {file.digest}")
    if not summary.rejects:
        return
    for told in rejects.first:
        # A message may hold brackets, which would be markup to rich.
        console.err.print(told, markup=False)
    advise_enrolling(summary.tally.refused)
    console.advise(f"{rejects.path} lists what was refused, and why")


@app.command(epilog=example("loyalty opening prove guests.csv"))
def prove(
    file: File,
    source: Source = "",
    zone: Zone = "",
    out: Annotated[
        Path | None,
        typer.Option(help="Where to say it of each row.  [default: FILE.proof.csv]"),
    ] = None,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Say of each row of a file whether it is exactly there, and compare the totals. Exit 1 if not.

    Needs a token with the verb `read`.
    """
    known_token = require_token(token)
    stated = _source_file(file, source, zone)
    listed = out or file.with_name(f"{file.name}.proof.csv")
    proof = console.run(_prove(stated, listed, server, ca, token=known_token))
    if json:
        console.print_json(_proof_data(proof, stated, listed))
    else:
        _print_proof(proof, stated, listed)
    if not proof.holds(stated):
        raise typer.Exit(console.NO)


async def _prove(
    file: "SourceFile", listed: Path, server: str, ca: Path | None, *, token: str
) -> "Proof":
    from server.cli.opening_proof import prove as compare

    async with concurrent_channel_to(server, ca) as channel:
        with console.progress() as progress:
            task = progress.add_task("rows", total=file.rows or None)
            return await compare(
                channel,
                file,
                listed,
                token=token,
                advanced=lambda count: progress.advance(task, count),
            )


def _proof_data(proof: "Proof", file: "SourceFile", listed: Path) -> dict[str, object]:
    return {
        "source": file.source,
        "holds": proof.holds(file),
        "digest_of_file": file.digest,
        "digest_in_ledger": proof.digest,
        "rows": proof.rows,
        "rows_in_ledger": proof.recorded_rows,
        "verdicts": dict(sorted(proof.verdicts.items())),
        "points": [
            {
                "currency": currency,
                "issuer": issuer,
                "in_file": proof.in_file[currency, issuer],
                "in_ledger": proof.in_ledger[currency, issuer],
            }
            for currency, issuer in sorted({*proof.in_file, *proof.in_ledger})
        ],
        "proof_file": str(listed),
    }


def _print_proof(proof: "Proof", file: "SourceFile", listed: Path) -> None:
    rows = console.table(f"Source {file.source}", "rows", "number", numbers=1)
    rows.add_row("in the file", f"{proof.rows:,}")
    rows.add_row("in the ledger", f"{proof.recorded_rows:,}")
    for verdict, count in sorted(proof.verdicts.items()):
        rows.add_row(verdict, f"{count:,}")
    console.out.print(rows)
    sums = console.table("Points", "currency", "issuer", "in file", "in ledger", "gap", numbers=3)
    for key in sorted({*proof.in_file, *proof.in_ledger}):
        had, has = proof.in_file[key], proof.in_ledger[key]
        sums.add_row(*key, f"{had:,}", f"{has:,}", f"{has - had:,}")
    console.out.print(sums)
    console.out.print(f"digest of the file    {file.digest}")
    console.out.print(f"digest in the ledger  {proof.digest or 'none: nothing of it is there'}")
    holds = proof.holds(file)
    console.out.print(
        "the ledger has exactly this file"
        if holds
        else "[bold red]the ledger does not have exactly this file[/]"
    )
    console.out.print(f"{listed} says it of each row", markup=False)
