"""`loyalty replay`, `verify` and `rebuild`: the log itself, straight from the database.

What a command needs is imported when it runs, so that the others start without waiting for it.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Final

import typer

from server.cli import console
from server.cli.options import AsJson

if TYPE_CHECKING:
    from ledger.replay import LaneRoot
    from loyalty.v1.audit_service_pb2 import VerifyHistoryResponse


PROJECTIONS: Final = (
    "balances",
    "tiers",
    "unit_totals",
    "settlement",
    "due",
    "transfers",
    "adjustments",
    "unclaimed",
    "dated_draws",
    "lots",
)
"""Their names: to import what they are takes longer than help takes to print."""


def replay(json: AsJson = False) -> None:
    """Fold every account again from its first event, and print the digests. Exit 1 if it cannot.

    The balances digest equals that of the projection `balances` at the same positions.
    """
    from ledger.replay import Unfoldable
    from server.cli.auditing import replayed

    try:
        result = console.run(replayed())
    except Unfoldable as error:
        console.fail(str(error), advice="`loyalty verify` looks closer at it")
    if json:
        console.print_json(
            {
                "events": result.events,
                "events_per_second": result.events_per_second,
                "accounts": result.accounts,
                "balances_digest": result.balances_digest,
                "state_digest": result.state_digest,
                "root_digest": result.root_digest,
                "lane_roots": [
                    {"lane": lane.lane, "size": lane.size, "root": lane.root.hex()}
                    for lane in result.lane_roots
                ],
            }
        )
        return
    console.out.print(
        f"replayed {result.events:,} events of {result.accounts:,} accounts in"
        f" {result.seconds:.1f} s: {result.events_per_second:,} events/s"
    )
    console.out.print(f"balances digest {result.balances_digest}")
    console.out.print(f"state digest    {result.state_digest}")
    _print_roots(result.lane_roots)


def _print_roots(roots: Iterable["LaneRoot"]) -> None:
    rows = console.table("Roots over the leaf hashes", "lane", "events", "root")
    for lane in (each for each in roots if each.size):
        rows.add_row(str(lane.lane), f"{lane.size:,}", lane.root.hex())
    console.out.print(rows)


def verify(
    skip_awards: Annotated[
        bool, typer.Option("--skip-awards", help="Do not evaluate every award again.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Check the whole history: positions, hashes, columns, folds, awards. Exit 1 if it diverges."""
    from server.cli.auditing import verified

    result = console.run(verified(skip_awards=skip_awards))
    if json:
        console.print_json(result)
    else:
        _print_verified(result)
    if result.divergences:
        raise typer.Exit(console.NO)


def _print_verified(result: "VerifyHistoryResponse") -> None:
    from ledger.replay import LaneRoot

    console.out.print(
        f"checked {result.events_checked:,} events and evaluated {result.awards_checked:,} awards"
        " again"
    )
    console.out.print(f"state digest {result.state_digest}")
    _print_roots(LaneRoot(root.lane, root.size, root.root) for root in result.lane_roots)
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
            help=f"Projection: {', '.join(PROJECTIONS)}.",
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
    from projections import rebuild as rebuilding
    from server.cli.auditing import rebuilt

    try:
        result = console.run(rebuilt(name, accept_difference=accept_difference))
    except rebuilding.UnknownProjection as error:
        console.fail(str(error), code=console.USAGE)
    except rebuilding.AlreadyRebuilding:
        console.fail(f"{name} is being rebuilt by another process", advice="Wait until it is done")
    except rebuilding.DigestsDiffer as error:
        console.fail(str(error), advice="--accept-difference switches to what the events say")
    except rebuilding.RebuildStopped as error:
        console.fail(str(error), advice="Run the release that wrote this event")
    if json:
        console.print_json(result._asdict())
        return
    console.out.print(f"{name} version {result.version} is live, from {result.events:,} events")
    console.out.print(f"digest   {result.digest}")
    console.out.print(f"replaced {result.replaced_digest or 'a build by another definition'}")
