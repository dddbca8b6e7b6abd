"""`loyalty replay`, `verify` and `rebuild`: the log itself, straight from the database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import asyncpg
import typer

from loyalty.v1.audit_service_pb2 import VerifyHistoryResponse
from projections.rebuild import (
    AlreadyRebuilding,
    DigestsDiffer,
    Progress,
    RebuildStopped,
    Rebuilt,
    UnknownProjection,
)
from projections.rebuild import rebuild as rebuild_projection
from server import database
from server.cli import console
from server.cli.options import AsJson
from server.cli.replaying import LaneRoot, Replayed, Unfoldable, events_in
from server.cli.replaying import replay as replay_log
from server.cli.storage import database_url
from server.cli.verifying import verify_history
from server.config import load
from server.identity_key import identity_key


@asynccontextmanager
async def _connection() -> AsyncIterator[asyncpg.Connection]:
    async with database_url() as url:
        connection = await database.connect(url)
        try:
            await database.require_migrated(connection)
            yield connection
        finally:
            await connection.close()


def replay(json: AsJson = False) -> None:
    """Fold every account again from its first event, and print the digests. Exit 1 if it cannot.

    The balances digest equals that of the projection `balances` at the same positions.
    """

    async def work() -> Replayed:
        async with _connection() as connection:
            total = await events_in(connection)
            with console.progress() as progress:
                task = progress.add_task("replay", total=total)
                return await replay_log(
                    connection, advanced=lambda count: progress.advance(task, count)
                )

    try:
        result = console.run(work())
    except Unfoldable as error:
        console.fail(str(error), advice="`loyalty verify` looks closer at it")
    if json:
        console.print_json(
            {
                "events": result.events,
                "events_per_second": result.events_per_second,
                "accounts": result.accounts,
                "balances_digest": result.balances_digest,
                "root_digest": result.root_digest,
                "lane_roots": [lane._asdict() for lane in result.lane_roots],
            }
        )
        return
    console.out.print(
        f"replayed {result.events:,} events of {result.accounts:,} accounts in"
        f" {result.seconds:.1f} s: {result.events_per_second:,} events/s"
    )
    console.out.print(f"balances digest {result.balances_digest}")
    _print_roots(result.lane_roots)


def _print_roots(roots: list[LaneRoot]) -> None:
    rows = console.table("Roots over the leaf hashes", "lane", "events", "root")
    for lane in roots:
        rows.add_row(str(lane.lane), f"{lane.size:,}", lane.root)
    console.out.print(rows)


def verify(
    skip_awards: Annotated[
        bool, typer.Option("--skip-awards", help="Do not evaluate every award again.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Check the whole history: positions, hashes, columns, folds, awards. Exit 1 if it diverges."""
    result = console.run(_verified(skip_awards=skip_awards))
    if json:
        console.print_json(result)
    else:
        _print_verified(result)
    if result.divergences:
        raise typer.Exit(console.NO)


async def _verified(*, skip_awards: bool) -> VerifyHistoryResponse:
    key = identity_key(load())
    async with database_url() as url:
        with console.progress() as progress:
            task = progress.add_task("verify", total=None)

            def show(done: VerifyHistoryResponse) -> None:
                progress.update(task, completed=done.events_checked, total=done.events_total)

            return await verify_history(url, key=key, skip_awards=skip_awards, progressed=show)


def _print_verified(result: VerifyHistoryResponse) -> None:
    console.out.print(
        f"checked {result.events_checked:,} events and evaluated {result.awards_checked:,} awards"
        " again"
    )
    console.out.print(f"state digest {result.state_digest}")
    _print_roots([LaneRoot(root.lane, root.size, root.root.hex()) for root in result.lane_roots])
    if not result.divergences:
        console.out.print("[green]everything matches[/]")
        return
    first = result.divergences[0]
    console.err.print(
        f"[red]first divergence[/] lane {first.lane}, position {first.pos}: {first.reason}"
    )
    console.err.print(first.detail, markup=False)
    console.err.print(f"{len(result.divergences)} in all; --json lists them")


def rebuild(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="Projection: balances, tiers, unit_totals or settlement.",
            show_default=False,
        ),
    ],
    accept_difference: Annotated[
        bool,
        typer.Option("--accept-difference", help="Switch although the live rows were wrong."),
    ] = False,
    json: AsJson = False,
) -> None:
    """Build a projection anew from the first event beside the live one, compare, and switch."""
    try:
        result = console.run(_rebuilt(name, accept_difference=accept_difference))
    except UnknownProjection as error:
        console.fail(str(error), code=console.USAGE)
    except AlreadyRebuilding:
        console.fail(f"{name} is being rebuilt by another process", advice="Wait until it is done")
    except DigestsDiffer as error:
        console.fail(str(error), advice="--accept-difference switches to what the events say")
    except RebuildStopped as error:
        console.fail(str(error), advice="Run the release that wrote this event")
    if json:
        console.print_json(result._asdict())
        return
    console.out.print(f"{name} version {result.version} is live, from {result.events:,} events")
    console.out.print(f"digest   {result.digest}")
    console.out.print(f"replaced {result.replaced_digest or 'a build by another definition'}")


async def _rebuilt(name: str, *, accept_difference: bool) -> Rebuilt:
    async with database_url() as url:
        pool = await database.pool(url, max_size=2)
        try:
            with console.progress() as progress:
                task = progress.add_task(f"rebuild {name}", total=None)

                def show(done: Progress) -> None:
                    progress.update(task, completed=done.events, total=done.total)

                return await rebuild_projection(
                    pool, name, progress=show, accept_difference=accept_difference
                )
        finally:
            await pool.close()
