"""`loyalty sweep`: lets the ledger record what time has decided, for accounts nobody asks about."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.core.instant import Instant, from_datetime
from server.cli import console
from server.cli.options import (
    DEFAULT_SERVER,
    AsJson,
    Authority,
    Server,
    Token,
    concurrent_channel_to,
    require_token,
)

if TYPE_CHECKING:
    from server.sweeping import Swept


def sweep(
    until: Annotated[
        str,
        typer.Option(
            metavar="TIME",
            help="Only what fell due by then, ISO 8601 with offset; otherwise by now.",
        ),
    ] = "",
    once: Annotated[
        bool, typer.Option("--once", help="End after one pass, instead of one a minute.")
    ] = False,
    rate: Annotated[
        int, typer.Option(min=0, metavar="N", help="At most N accounts a second; 0: no limit.")
    ] = 0,
    unit: Annotated[
        str, typer.Option(metavar="UNIT", help="Unit in whose name is asked, as in the token.")
    ] = "sweeper",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Record releases, expiries, time-outs and tier ends that are due. Safe to run twice."""
    from server.cli import passes
    from server.passes import PassStopped

    wanted = passes.Wanted(once, unit, require_token(token), until=_instant(until), rate=rate)
    refused = False

    def tell(swept: "Swept") -> None:
        nonlocal refused
        refused = bool(swept.refused)
        _print(swept, json=json)

    async def work() -> None:
        await passes.sweep(concurrent_channel_to(server, ca), wanted, tell)

    try:
        console.run(work())
    except PassStopped as error:
        console.fail(str(error), advice=console.RUN_AGAIN, code=console.UNAVAILABLE)
    except KeyboardInterrupt:
        raise typer.Exit(console.OK) from None
    if refused:
        raise typer.Exit(console.NO)


def _instant(until: str) -> Instant | None:
    if not until:
        return None
    try:
        return from_datetime(datetime.fromisoformat(until))
    except (ValueError, OverflowError):
        console.fail(
            f"--until {until!r}: expected a time with its offset, as 2025-03-01T00:00:00Z",
            code=console.USAGE,
        )


def _print(swept: "Swept", *, json: bool) -> None:
    moved: dict[str, dict[str, int]] = {}
    for (kind, currency), points in sorted(swept.moved.items()):
        moved.setdefault(kind, {})[currency] = points
    if json:
        console.print_json(
            {
                "accounts": swept.accounts,
                "replayed": swept.replayed,
                "refused": dict(swept.refused),
                "points": moved,
            }
        )
        return
    console.out.print(f"{swept.accounts:,} accounts, {swept.replayed:,} asked for before")
    for kind, by_currency in moved.items():
        for currency, points in by_currency.items():
            console.out.print(f"{kind.replace('_', ' ')}   {points:,} {currency}", markup=False)
    for reason, accounts in sorted(swept.refused.items()):
        console.err.print(f"[red]refused[/] {reason}   {accounts:,} accounts")
