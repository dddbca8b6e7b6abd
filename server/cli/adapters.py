"""`loyalty adapter …`: the adapters' process, and what operators ask and tell it.

What a command needs is imported when it runs, so that the others start without waiting for it.
"""

from pathlib import Path
from typing import Annotated

import typer

from server.cli import console, outbox
from server.cli.adapter_asking import ask, database_url, explained, print_rows, token
from server.cli.options import AsJson, example

app = typer.Typer(
    help="Receive what hotel systems, tills and web shops send, and tell them what changes.",
    no_args_is_help=True,
)
app.add_typer(outbox.app, name="outbox")

Only = Annotated[str, typer.Option("--connection", metavar="NAME", help="Of this connection only.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, newest first.")]
MappingOption = Annotated[
    Path, typer.Option("--mapping", metavar="FILE", help="Mapping file of the connection.")
]


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

    with explained():
        changes = {"listen": listen} if listen else {}
        settings = load(**changes, **({"dry_run": True} if dry_run else {}))
        logs.configure(settings.log_level)
        ledger_token = token(settings)

        async def work() -> None:
            async with database_url(settings) as url:
                await service.serve(settings, dsn=url, token=ledger_token)

        uvloop.run(work())


@app.command(epilog=example("LOYALTY_ADAPTERS_DATABASE_URL=postgresql://… loyalty adapter migrate"))
def migrate() -> None:
    """Bring the adapters' tables to this release's schema. Safe while they run, and twice."""
    import asyncio

    from adapters.frame import database
    from adapters.frame.settings import load

    async def upgrade() -> tuple[str | None, str | None]:
        async with database_url(load()) as url:
            return await database.migrate(url)

    with explained():
        before, after = asyncio.run(upgrade())
    if before == after:
        console.out.print(f"nothing to do: the adapters' schema is at {after}")
    else:
        console.out.print(f"migrated from {before or 'nothing'} to {after}")


@app.command(
    epilog=example(
        "loyalty adapter translate shopify docs/examples/shopify-order.json"
        " --mapping docs/examples/web-shop.yaml"
    )
)
def translate(
    system: Annotated[str, typer.Argument(metavar="SYSTEM", help="System of the payloads.")],
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="Payloads as they were sent.")
    ],
    mapping: MappingOption,
) -> None:
    """Print what payloads mean under a mapping, as JSON. Needs no database and no ledger."""
    from adapters.frame.translating import as_data, of_file, translated
    from server.cli import adapter_files

    with explained():
        connection = adapter_files.connection_for(system, files, mapping)
        try:
            deliveries = [of_file(file) for file in files]
        except OSError as error:
            console.fail(f"{error.filename}: {error.strerror}", code=console.USAGE)
        results = translated(deliveries, connection)
        data = {subject: as_data(result) for subject, result in results.items()}
    console.print_json(data)
    if any("dead" in each or "parked" in each for each in data.values()):
        raise typer.Exit(console.NO)


@app.command(
    "import",
    epilog=example(
        "LOYALTY_TOKEN=loy_… loyalty adapter import poslog day.xml --mapping tills.yaml"
    ),
)
def bring_in(
    system: Annotated[str, typer.Argument(metavar="SYSTEM", help="System that wrote the files.")],
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Files as it wrote them.")],
    mapping: MappingOption,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Let the ledger check everything and record nothing."),
    ] = False,
    json: AsJson = False,
) -> None:
    """Bring files in and post what they mean. Run again, it goes on; nothing counts twice."""
    from adapters.frame import importing
    from adapters.frame.settings import load
    from server.cli import adapter_files

    with explained():
        connection = adapter_files.connection_for(system, files, mapping)
        settings = load(**({"dry_run": True} if dry_run else {}))
        ledger_token = token(settings)

        async def work() -> importing.Imported:
            with adapter_files.shown_advance() as advanced:
                async with database_url(settings) as url:
                    return await importing.bring_in(
                        files, connection, settings, dsn=url, token=ledger_token, advanced=advanced
                    )

        done = console.run(work())
    adapter_files.tell(done, json=json)
    if not done.is_whole:
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
    """Check mapping files and subscriptions; every finding is told with its file and line."""
    from adapters.frame.connections import connection_of, missing_secrets, read_mapping
    from adapters.frame.mapping import Finding, MappingRefused
    from adapters.frame.outbox import subscription

    findings: list[Finding] = []
    good: list[dict[str, object]] = []
    for file in files:
        if file.name.endswith(subscription.FILES[1:]):
            problems, subscribed = subscription.checked(file, secrets)
            findings += problems
            good += [subscribed] if subscribed else []
            continue
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
            said = f"{each['file']}: {each.get('connection', '')}"
            if "subscription" in each:
                said = f"{each['file']}: subscription {each['subscription']} to {each['receiver']}"
            else:
                said += f" ({each['system']}) version {each['version']}"
                said += f", digest {str(each['digest'])[:12]}"
            console.out.print(said, markup=False)
        for finding in findings:
            console.err.print(str(finding), markup=False)
    if findings:
        raise typer.Exit(console.NO)


@app.command(epilog=example("loyalty adapter inbox --connection web-shop --state dead"))
def inbox(
    delivery: Annotated[
        int, typer.Argument(metavar="[ID]", help="Show this one whole, with its items and body.")
    ] = 0,
    connection: Only = "",
    state: Annotated[
        str, typer.Option(metavar="STATE", help="Only those that are new, taken or dead.")
    ] = "",
    limit: Limit = 50,
    json: AsJson = False,
) -> None:
    """List what came in, or show one delivery whole. Bodies hold personal data."""
    from adapters.frame import operating

    if state and state not in operating.STATES:
        console.fail(f"--state {state!r}: expected new, taken or dead", code=console.USAGE)
    if delivery:
        _show_delivery(delivery, json=json)
        return
    rows = ask(lambda pool: operating.inbox(pool, connection=connection, state=state, limit=limit))
    columns = ("delivery_id", "received_at", "connection", "event_id", "state", "reason", "items")
    none = "nothing came in to show; `loyalty adapter check` says whether a connection is right"
    print_rows(rows, "Inbox", columns, none=none, json=json)


def _show_delivery(delivery: int, *, json: bool) -> None:
    from adapters.frame import operating

    found = ask(lambda pool: operating.delivery(pool, delivery))
    if found is None:
        console.fail(
            f"there is no delivery {delivery}", advice="`loyalty adapter inbox` lists them"
        )
    body = found.pop("body")
    text = "(forgotten)" if body is None else bytes(body).decode("utf-8", "backslashreplace")
    if json:
        console.print_json({**found, "body": text})
        return
    items = found.pop("items")
    for name, value in found.items():
        console.out.print(f"{name}: {operating.shown(value)}", markup=False)
    for item in items:
        names = ("number", "verdict", "subject", "part", "reason", "state", "because", "document")
        said = filter(None, (operating.shown(item[name]) for name in names))
        console.out.print("item: " + " ".join(said), markup=False)
    typer.echo(text)


@app.command(epilog=example("loyalty adapter dead --state parked --reason unmapped_category"))
def dead(
    connection: Only = "",
    state: Annotated[str, typer.Option(metavar="STATE", help="Only what is dead, or parked.")] = "",
    reason: Annotated[str, typer.Option(metavar="REASON", help="Only for this reason.")] = "",
    limit: Limit = 100,
    json: AsJson = False,
) -> None:
    """List what is stuck: dead letters, and what waits for a mapping, a sale or a policy."""
    from adapters.frame import operating

    if state and state not in operating.STUCK:
        console.fail(f"--state {state!r}: expected dead or parked", code=console.USAGE)
    states = (state,) if state else operating.STUCK
    rows = ask(
        lambda pool: operating.stuck(
            pool, connection=connection, states=states, reason=reason, limit=limit
        )
    )
    columns = ("what", "connection", "name", "state", "reason", "detail", "since")
    none = "nothing is stuck; `loyalty adapter inbox` lists what came in"
    print_rows(rows, "Stuck", columns, none=none, json=json)
    if rows:
        raise typer.Exit(console.NO)


@app.command(
    epilog=example(
        "loyalty adapter retry --reason unmapped_category --operator ann --why 'row added'"
    )
)
def retry(
    operator: Annotated[
        str, typer.Option(envvar="LOYALTY_OPERATOR", metavar="NAME", help="Who says so.")
    ],
    why: Annotated[str, typer.Option(metavar="TEXT", help="Why; it is kept.")],
    connection: Only = "",
    subject: Annotated[
        str, typer.Option(metavar="NAME", help="Only this subject, as `dead` names it.")
    ] = "",
    delivery: Annotated[int, typer.Option(metavar="ID", help="Only this delivery.")] = 0,
    reason: Annotated[
        str, typer.Option(metavar="REASON", help="Only what is stuck for this reason.")
    ] = "",
    everything: Annotated[
        bool, typer.Option("--all", help="All that is stuck, if nothing narrows it.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Let what is dead or parked be tried again. It counts once, however often it is tried."""
    from adapters.frame import operating

    wanted = operating.Wanted(connection, subject, delivery, reason)
    if wanted == operating.Wanted() and not everything:
        console.fail("nothing is named", advice=console.NAME_SOMETHING, code=console.USAGE)
    done = ask(lambda pool: operating.retry(pool, wanted, operator=operator, why=why))
    if json:
        console.print_json(dict(done))
    else:
        console.out.print(f"{done['subjects']} subjects and {done['deliveries']} deliveries again")
