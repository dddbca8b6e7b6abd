"""What the commands of adapters have in common: their database, the token, errors with advice."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

from server.cli import console

if TYPE_CHECKING:
    import asyncpg

    from adapters.frame.settings import AdapterSettings


@contextmanager
def explained() -> Iterator[None]:
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
            console.fail(str(error), advice=console.SETTINGS, code=console.USAGE)
        except InboxUnusable as error:
            console.fail(error.problem, advice=error.advice, code=console.UNAVAILABLE)


@asynccontextmanager
async def database_url(settings: "AdapterSettings") -> AsyncIterator[str]:
    """URL of the adapters' database: their own, or else the ledger's."""
    own = settings.dsn("")
    if own:
        yield own
        return
    from server.cli import storage

    async with storage.database_url() as url:
        yield url


def token(settings: "AdapterSettings") -> str:
    """The ledger's token; ends the command when there is none."""
    found = settings.token(os.environ.get("LOYALTY_TOKEN", ""))
    if not found:
        console.fail(
            "no token for the ledger",
            advice=console.GET_TOKEN,
            code=console.USAGE,
        )
    return found


def ask(question: Callable[["asyncpg.Pool"], Awaitable[Any]]) -> Any:
    """Ask the adapters' database."""
    import asyncio

    from adapters.frame import database
    from adapters.frame.settings import load

    async def answer() -> Any:
        async with database_url(load()) as url:
            pool = await database.pool(url, max_size=1)
            try:
                return await question(pool)
            finally:
                await pool.close()

    with explained():
        return asyncio.run(answer())


def print_rows(
    rows: list[dict[str, Any]], title: str, columns: Sequence[str], *, none: str, json: bool
) -> None:
    """Print rows as a table or as JSON; without any `none`, a sentence."""
    from adapters.frame.operating import shown

    if json:
        console.print_json(rows)
        return
    made = console.table(title, *(name.replace("_", " ") for name in columns))
    for row in rows:
        made.add_row(*(shown(row[name]).replace("[", r"\[") for name in columns))
    console.print_table(made, none=none)
