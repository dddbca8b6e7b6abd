"""`loyalty serve`, `migrate`, `config`, `demo` and `bench`.

What a command needs is imported when it runs, so that the others start without waiting for it.
"""

import importlib.util
import subprocess
import sys
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Final

import typer

from server.cli import console
from server.cli.options import AsJson

if TYPE_CHECKING:
    from server.config import Settings

HOUSEHOLDS: Final = 200
"""Households that take part in a demo of the usual size."""


def _settings() -> "Settings":
    from server.config import load

    with console.explained():
        return load()


def serve(
    listen: Annotated[
        str | None,
        typer.Option(help="host:port for gRPC; port 0 takes a free one.", metavar="ADDRESS"),
    ] = None,
) -> None:
    """Run the server until SIGTERM; then it finishes what it has accepted."""
    from server import main
    from server.config import load

    with console.explained():
        main.run(load(**({"listen": listen} if listen else {})))


def migrate() -> None:
    """Bring the database to this release's schema. Safe while the service runs, and twice."""
    from server import database
    from server.cli.storage import database_url

    settings = _settings()

    async def upgrade() -> tuple[str | None, str | None]:
        async with database_url() as url:
            before = await database.current_revision(url)
            await database.migrate(url, lanes=settings.lanes)
            return before, await database.current_revision(url)

    before, after = console.run(upgrade())
    if before == after:
        console.out.print(f"nothing to do: the schema is at {after}")
    else:
        console.out.print(f"migrated from {before or 'nothing'} to {after}")


def config(json: AsJson = False) -> None:
    """Check the settings and print them, secrets hidden."""
    summary = _settings().summary()
    if json:
        console.print_json(dict(summary))
        return
    rows = console.table("Settings", "setting", "value")
    for name, value in summary.items():
        rows.add_row(name, str(value))
    console.out.print(rows)


def demo(
    full: Annotated[
        bool,
        typer.Option("--full", help="All households and all traffic, not only a part."),
    ] = False,
    households: Annotated[
        int | None,
        typer.Option(min=10, max=2_469, help="How many households take part; 200 if not said."),
    ] = None,
    share: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=100,
            help="Percent of what restaurants, hotels and web shop sell that takes part;"
            " if not said, as fits the households: 25 for 200 of them, all from 800 on.",
        ),
    ] = None,
    seeded: Annotated[
        bool,
        typer.Option("--seeded", help="Made-up hotel and web shop even where real files are."),
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the database of the demo for looking into it.")
    ] = False,
) -> None:
    """Send a year of real transactions through a fresh ledger, then prove the result."""
    from server.demo.child import ChildFailed
    from server.demo.run import DemoFailed, run_demo
    from server.demo.sources import SourceError
    from server.demo.year import Scale

    chosen = None if full else households or HOUSEHOLDS
    scale = Scale(chosen, not seeded, None if share is None else Fraction(share, 100), keep)
    try:
        with console.explained():
            run_demo(_settings().data_dir / "demo", scale, console.out)
    except (SourceError, ChildFailed) as error:
        console.fail(str(error), code=console.UNAVAILABLE)
    except DemoFailed as error:
        console.fail(str(error))


def bench(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ARGUMENTS]", help="Passed on; `loyalty bench -- --help`."),
    ] = None,
) -> None:
    """Measure the ledger on this machine against pgbench; figures go to build/bench.json."""
    if importlib.util.find_spec("bench") is None:
        console.fail(
            "the benchmark is not part of this installation",
            advice="Run `make bench` in a clone of the repository",
        )
    # A process of its own: it starts and measures processes, and must not find our state in itself.
    raise typer.Exit(subprocess.call([sys.executable, "-m", "bench", *(arguments or [])]))
