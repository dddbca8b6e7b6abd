"""`loyalty token create`, `list` and `revoke`, straight in the database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import asyncpg
import typer

from server import auth
from server.cli import console
from server.cli.options import AsJson, example

app = typer.Typer(help="Make, list and revoke the tokens of clients.", no_args_is_help=True)

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="Of the client. It scopes the client's request ids, so it is for ever.",
        show_default=False,
    ),
]


@asynccontextmanager
async def _database() -> AsyncIterator[asyncpg.Connection]:
    # Imported when it is wanted: it takes longer to load than help takes to print.
    from server.cli.storage import connection

    async with connection() as opened:
        yield opened


@app.command(epilog=example("loyalty token create till-7 --unit market --verb earn --verb burn"))
def create(
    name: Name,
    unit: Annotated[
        list[str], typer.Option(help='Business unit it may act for; "*" for all. Repeatable.')
    ],
    verb: Annotated[
        list[str],
        typer.Option(help=f"One of {', '.join(verb.value for verb in auth.Verb)}. Repeatable."),
    ],
    json: AsJson = False,
) -> None:
    """Make a token and print it: it cannot be shown again."""

    async def make() -> str:
        async with _database() as connection:
            return await auth.create_token(connection, name=name, business_units=unit, verbs=verb)

    try:
        auth.check_token(name, unit, verb)
    except ValueError as error:
        advice = "`loyalty token create --help` has an example"
        console.fail(str(error), advice=advice, code=console.USAGE)
    try:
        token = console.run(make())
    except auth.NameTaken as error:
        console.fail(
            str(error), advice="Choose another name; `loyalty token list` shows those there are"
        )
    if json:
        console.print_json({"name": name, "token": token})
    else:
        typer.echo(token)


@app.command("list", epilog=example("loyalty token list --json"))
def list_command(json: AsJson = False) -> None:
    """List all tokens there ever were, without the tokens themselves."""

    async def read() -> list[auth.TokenRecord]:
        async with _database() as connection:
            return await auth.list_tokens(connection)

    records = console.run(read())
    if json:
        console.print_json(
            [
                {
                    "name": record.name,
                    "business_units": record.business_units,
                    "verbs": record.verbs,
                    "create_time": record.created_at.isoformat(),
                    "revoke_time": record.revoked_at and record.revoked_at.isoformat(),
                }
                for record in records
            ]
        )
        return
    rows = console.table("Tokens", "name", "units", "verbs", "made", "revoked")
    for record in records:
        rows.add_row(
            record.name,
            " ".join(record.business_units),
            " ".join(record.verbs),
            console.utc(record.created_at),
            console.utc(record.revoked_at) if record.revoked_at else "",
        )
    console.print_table(
        rows, none="no tokens yet; `loyalty token create --help` shows how to make one"
    )


@app.command(epilog=example("loyalty token revoke till-7"))
def revoke(name: Name) -> None:
    """Revoke a client's token. Running servers forget it within ten seconds."""

    async def end() -> bool:
        async with _database() as connection:
            return await auth.revoke_token(connection, name=name)

    if not console.run(end()):
        console.fail(
            f"there is no live token named {name!r}", advice="`loyalty token list` shows them"
        )
    console.out.print(f"revoked {name}")
