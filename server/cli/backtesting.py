"""`loyalty policy backtest`: a draft policy over recorded history, straight from the database.

What it needs is imported when it runs, so that the other commands start without waiting for it.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from loyalty.v1 import programme_service_pb2 as pb
from loyalty.v1.types_pb2 import Points
from server.cli import console, policy_steps
from server.cli.calling import call_once, id_from
from server.cli.options import DEFAULT_SERVER, AsJson, Authority, Server, Token, example

if TYPE_CHECKING:
    import polars as pl

    from ledger.backtest.history import History
    from ledger.backtest.report import Report
    from rules import Policy

_SHOWN: Final = ("rules", "units", "funders", "caps", "moves", "winners", "losers", "histogram")
_ROWS: Final = 40
"""Of a longer table the files have the rest."""
_MICROSECOND: Final = 1_000_000


def backtest(  # noqa: PLR0913 - every option is an argument
    file: policy_steps.PolicyFile,
    from_: Annotated[
        str, typer.Option("--from", metavar="TIME", help="Only what occurred from here on.")
    ] = "",
    to: Annotated[
        str, typer.Option("--to", metavar="TIME", help="Only what occurred before.")
    ] = "",
    history: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A saved history, instead of the database."),
    ] = None,
    save_history: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keep the history that was read, as Parquet."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Every table as CSV and Parquet.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The report as one HTML page.")
    ] = None,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    operator: policy_steps.Operator = "",
    json: AsJson = False,
) -> None:
    """Say what a draft would have given for recorded history, against what was granted.

    With a token it is recorded with the draft, if that was drafted on the server.
    """
    draft = _compiled(file)
    bounds = _instant(from_, "--from"), _instant(to, "--to")
    with _history(history, save_history) as opened:
        report = _run(draft, opened, bounds)
    if out is not None:
        report.write(out)
    if html is not None:
        from ledger.backtest.page import page_of

        html.write_text(page_of(report), encoding="utf-8")
    if json:
        tables = {name: table.to_dicts() for name, table in report.tables.items()}
        console.print_json({**report.facts, "notes": report.notes, **tables})
    else:
        _show(report)
    if token:
        _record(report, server=server, token=token, ca=ca, operator=operator)


def _compiled(file: Path) -> "Policy":
    from rules import PolicyRefused, compile_policy, load

    try:
        return compile_policy(load(policy_steps.read(file)))
    except PolicyRefused as refused:
        first = refused.findings[0]
        console.fail(f"{file}: {first}", advice=f"`loyalty policy check {file}` says it all")


def _instant(text: str, option: str) -> int | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        console.fail(
            f"{option} {text!r}: expected a day such as 2026-05-01, or a time with its offset",
            code=console.USAGE,
        )
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * _MICROSECOND + since.microseconds


@contextmanager
def _history(file: Path | None, kept: Path | None) -> Iterator["History"]:
    """Open a saved history, or read the database into one."""
    from ledger.backtest.history import History, NoHistory

    if file is not None:
        try:
            yield History(file)
        except NoHistory as error:
            console.fail(str(error), code=console.USAGE)
        return
    with tempfile.TemporaryDirectory(prefix="loyalty-backtest-") as folder:
        written = kept or Path(folder) / "history.parquet"
        console.run(_exported(written))
        yield History(written)


async def _exported(file: Path) -> None:
    from ledger.backtest.export import export
    from ledger.log import Log
    from server import database
    from server.cli.storage import database_url

    async with database_url() as url:
        pool = await database.pool(url, max_size=2)
        try:
            lanes = await pool.fetchval("SELECT count(*) FROM lane")
            total = await pool.fetchval("SELECT sum(next_pos)::bigint FROM lane")
            with console.progress() as progress:
                task = progress.add_task("read history", total=total)
                await export(
                    pool,
                    Log(pool, lanes),
                    file,
                    advanced=lambda count: progress.advance(task, count),
                )
        finally:
            await pool.close()


def _run(draft: "Policy", history: "History", bounds: tuple[int | None, int | None]) -> "Report":
    from ledger.backtest.running import backtest as run

    with console.progress() as progress:
        task = progress.add_task("evaluate", total=history.rows)
        return run(
            draft,
            history,
            from_at=bounds[0],
            to_at=bounds[1],
            advanced=lambda rows: progress.advance(task, rows),
        )


def _show(report: "Report") -> None:
    facts = report.facts
    console.out.print(
        f"{facts['policy']}: {facts['documents']:,} documents of {facts['members']:,} members"
    )
    for note in report.notes:
        console.out.print(note, markup=False)
    for name in _SHOWN:
        table = report.tables[name]
        if name == "histogram":
            table = table.filter(table["members"] > 0)
        if table.height:
            console.out.print(_rich(name, table))
    console.out.print(f"report {report.digest}")


def _rich(name: str, table: "pl.DataFrame") -> object:
    from rich.markup import escape

    texts = [column for column, kind in table.schema.items() if not kind.is_integer()]
    numbers = [column for column in table.columns if column not in texts]
    heads = [column.replace("_", " ") for column in (*texts, *numbers)]
    shown = console.table(name, *heads, numbers=len(numbers))
    for row in table.select(*texts, *numbers).head(_ROWS).iter_rows():
        shown.add_row(
            *(f"{value:,}" if isinstance(value, int) else escape(str(value)) for value in row)
        )
    return shown


def _record(report: "Report", *, server: str, token: str, ca: Path | None, operator: str) -> None:
    """Record the run with the draft, if the server knows it as one."""
    digest = str(report.facts["digest"])
    drafted = (pb.POLICY_STATE_DRAFTED, pb.POLICY_STATE_SIMULATED, pb.POLICY_STATE_APPROVED)
    known = {each.digest: each for each in policy_steps.every_policy(server, token, ca)}
    if digest not in known:
        console.err.print("not recorded: the server has no such draft; `loyalty policy draft`")
        return
    if known[digest].state not in drafted:
        state = policy_steps.state_of(known[digest])
        console.err.print(f"not recorded: it is {state}, and runs are kept with drafts alone")
        return
    request = pb.RecordSimulationRequest(
        request_id=id_from("loyalty policy simulate", digest, report.digest, operator),
        digest=digest,
        report_digest=report.digest,
        difference=[
            Points(currency=currency, amount=amount)
            for currency, amount in report.differences().items()
        ],
        documents=int(report.facts["documents"]),
        operator=operator,
    )
    call_once((server, token, ca), request)
    console.err.print(f"recorded with draft {digest}")


def add_to(app: typer.Typer) -> None:
    """Give the command its name and example."""
    text = "loyalty policy backtest draft.yaml --from 2026-01-01 --html report.html"
    app.command(epilog=example(text))(backtest)
