"""`loyalty adapter …`: the adapters' process, and what operators ask and tell it.

What a command needs is imported when it runs, so that the others start without waiting for it.
"""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli import console
from server.cli.options import AsJson, example

if TYPE_CHECKING:
    from adapters.frame.settings import AdapterSettings

app = typer.Typer(
    help="Receive what hotel systems, tills and web shops send.", no_args_is_help=True
)

MappingOption = Annotated[
    Path, typer.Option("--mapping", metavar="FILE", help="Mapping file of the connection.")
]


@contextmanager
def _explained() -> Iterator[None]:
    """Turn what an operator can put right into an error with advice and an exit code."""
    from adapters.frame.database import InboxUnusable
    from adapters.frame.mapping import MappingRefused
    from adapters.frame.settings import AdapterSettingsError

    with console.explained():
        try:
            yield
        except MappingRefused as refused:
            console.fail(str(refused), advice="docs/adapters tells the rows", code=console.USAGE)
        except AdapterSettingsError as error:
            advice = "docs/operations.md lists every setting"
            console.fail(str(error), advice=advice, code=console.USAGE)
        except InboxUnusable as error:
            console.fail(error.problem, advice=error.advice, code=console.UNAVAILABLE)


@asynccontextmanager
async def _database_url(settings: "AdapterSettings") -> AsyncIterator[str]:
    """URL of the adapters' database: their own, or else the ledger's."""
    own = settings.dsn("")
    if own:
        yield own
        return
    from server.cli.storage import database_url

    async with database_url() as url:
        yield url


@app.command(epilog=example("LOYALTY_TOKEN=loy_… loyalty adapter serve --listen 0.0.0.0:7080"))
def serve(
    listen: Annotated[
        str | None,
        typer.Option(help="host:port for webhooks; port 0 takes a free one.", metavar="ADDRESS"),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Let the ledger check everything and record nothing."),
    ] = False,
) -> None:
    """Receive webhooks, keep them, and post what they mean, until SIGTERM."""
    import uvloop

    from adapters.frame import service
    from adapters.frame.settings import load
    from server import logs

    with _explained():
        changes = {"listen": listen} if listen else {}
        settings = load(**changes, **({"dry_run": True} if dry_run else {}))
        logs.configure(settings.log_level)
        token = settings.token(os.environ.get("LOYALTY_TOKEN", ""))
        if not token:
            console.fail(
                "no token for the ledger",
                advice="Set LOYALTY_TOKEN to one that `loyalty token create` printed",
                code=console.USAGE,
            )

        async def work() -> None:
            async with _database_url(settings) as url:
                await service.serve(settings, dsn=url, token=token)

        uvloop.run(work())


@app.command(epilog=example("LOYALTY_ADAPTERS_DATABASE_URL=postgresql://… loyalty adapter migrate"))
def migrate() -> None:
    """Bring the adapters' tables to this release's schema. Safe while they run, and twice."""
    import asyncio

    from adapters.frame import database
    from adapters.frame.settings import load

    async def upgrade() -> tuple[str | None, str | None]:
        async with _database_url(load()) as url:
            return await database.migrate(url)

    with _explained():
        before, after = asyncio.run(upgrade())
    if before == after:
        console.out.print(f"nothing to do: the adapters' schema is at {after}")
    else:
        console.out.print(f"migrated from {before or 'nothing'} to {after}")


@app.command(epilog=example("loyalty adapter translate shopify order.json --mapping web-shop.yaml"))
def translate(
    system: Annotated[str, typer.Argument(metavar="SYSTEM", help="System of the payloads.")],
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="Payloads as they were sent.")
    ],
    mapping: MappingOption,
) -> None:
    """Print what payloads mean under a mapping, as JSON. Needs no database and no ledger."""
    from adapters.frame.connections import connection_of, read_mapping
    from adapters.frame.translating import as_data, of_file, translated

    with _explained():
        connection = connection_of(read_mapping(mapping), None)
        if connection.mapping.system != system:
            console.fail(
                f"{mapping} is a mapping of {connection.mapping.system!r}, not of {system!r}",
                code=console.USAGE,
            )
        try:
            deliveries = [of_file(file) for file in files]
        except OSError as error:
            console.fail(f"{error.filename}: {error.strerror}", code=console.USAGE)
        results = translated(deliveries, connection)
        data = {subject: as_data(result) for subject, result in results.items()}
    console.print_json(data)
    if any("dead" in each or "parked" in each for each in data.values()):
        raise typer.Exit(console.NO)


@app.command(epilog=example("loyalty adapter check mappings/web-shop.yaml --secrets /run/secrets"))
def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Mapping files.")],
    secrets: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Also check that each connection has its secrets."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Check mapping files; every finding is told with its file and line."""
    from adapters.frame.connections import connection_of, missing_secrets, read_mapping
    from adapters.frame.mapping import Finding, MappingRefused

    findings: list[Finding] = []
    good: list[dict[str, object]] = []
    for file in files:
        try:
            mapping = read_mapping(file)
        except MappingRefused as refused:
            findings += refused.findings
            continue
        connection = connection_of(mapping, secrets)
        absent = missing_secrets(connection) if secrets is not None else []
        findings += [
            Finding(str(file), 0, "secrets", f"{secrets}/{mapping.connection}.{name} is missing")
            for name in absent
        ]
        good.append(
            {
                "file": str(file),
                "connection": mapping.connection,
                "system": mapping.system,
                "version": mapping.version,
                "digest": mapping.digest,
            }
        )
    if json:
        console.print_json({"mappings": good, "findings": [str(each) for each in findings]})
    else:
        for each in good:
            console.out.print(
                f"{each['file']}: {each['connection']} ({each['system']}) version"
                f" {each['version']}, digest {str(each['digest'])[:12]}",
                markup=False,
            )
        for finding in findings:
            console.err.print(str(finding), markup=False)
    if findings:
        raise typer.Exit(console.NO)
