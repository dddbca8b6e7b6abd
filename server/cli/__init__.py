"""The command line: `loyalty`. Each command's module is one file here; this one lists them."""

from typing import Annotated

import typer

from server import logs
from server.cli import (
    accounts,
    activities,
    adapters,
    adjusting,
    asking,
    consents,
    documents,
    enrolling,
    erasing,
    gateway,
    history,
    identities,
    imports,
    members,
    membership,
    merging,
    openings,
    periods,
    policies,
    pools,
    recalling,
    referrals,
    service,
    sweeping,
    tiers,
    tokens,
    transfers,
)
from server.cli.options import OfPoints, example

app = typer.Typer(
    name="loyalty",
    help="One append-only points ledger for the units of a group.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
)


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(version("loyalty-ledger"))
        raise typer.Exit


@app.callback(
    epilog=example("loyalty migrate && loyalty serve") + ", and `loyalty COMMAND --help`."
    " Exit codes: 0 yes, 1 no (diverges, refused), 2 wrong call or setting, 3 unreachable."
)
def loyalty(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and exit.", is_eager=True, callback=_print_version
        ),
    ] = False,
) -> None:
    """One append-only points ledger for the units of a group."""
    del version  # told by its callback already
    # Only what is wrong, and on stderr: stdout is for data. The service sets its own level.
    logs.configure("warning")


app.command(epilog=example("loyalty serve --listen 0.0.0.0:7070"))(service.serve)
app.command(epilog=example("loyalty gateway --server 127.0.0.1:7070 --listen 127.0.0.1:8080"))(
    gateway.gateway
)
app.command(epilog=example("DATABASE_URL=postgresql://… loyalty migrate"))(service.migrate)
app.command(epilog=example("loyalty demo --households 200 --keep"))(service.demo)
app.command("import", epilog=example("loyalty import sales.csv --enrol"))(imports.import_file)
app.command(epilog=example("loyalty account card:8800"))(accounts.account)
app.command(epilog=example("loyalty entries card:8800 --limit 20 --json"))(accounts.entries)
app.command(epilog=example("loyalty tier card:8800"))(tiers.tier)
app.command(epilog=example("loyalty quote basket.yaml --unit market --member card:8800"))(
    asking.quote
)
app.command(epilog=example("loyalty explain market/till/T-1 --lang zh"))(asking.explain)
app.command(epilog=example("loyalty activity card:8800 review R-77 --unit web"))(
    activities.activity
)
app.command(
    cls=OfPoints,
    epilog=example(
        "loyalty adjust card:8800 500 --currency point --reason goodwill --unit market"
        " --operator anna"
    ),
)(adjusting.adjust)
app.command(
    cls=OfPoints,
    epilog=example("loyalty transfer card:8800 card:8801 120 --currency point --unit market"),
)(transfers.transfer)
app.command(cls=OfPoints, epilog=example("loyalty convert card:8800 to_miles 1000 --unit market"))(
    transfers.convert
)
app.command(
    epilog=example("loyalty recall double-june --dry-run --unit market") + ", then the same with"
    ' --operator anna --reason "paid twice", and later --do release or --do claw-back.'
)(recalling.recall)
app.command(epilog=example("loyalty referral card:8801 card:8800 --unit hotel"))(referrals.referral)
app.command(epilog=example("loyalty replay --json"))(history.replay)
app.command(epilog=example("loyalty verify"))(history.verify)
app.command(epilog=example("loyalty rebuild balances"))(history.rebuild)
app.command(epilog=example("loyalty sweep --once --rate 200"))(sweeping.sweep)
app.command(epilog=example("LOYALTY_CONFIG=loyalty.toml loyalty config"))(service.config)
app.command(epilog=example("loyalty bench"))(service.bench)
members.app.command(epilog=example("loyalty member enrol phone:+442079460958 --unit hotel"))(
    enrolling.enrol
)
members.app.command(
    epilog=example(
        "loyalty member consent card:8800 marketing --channel email --grant --wording 2026-01"
        " --source web-form/17 --unit hotel"
    )
)(consents.consent)
members.app.command(
    epilog=example("loyalty member suspend card:8800 --unit hotel --reason stolen")
)(membership.suspend)
members.app.command(
    epilog=example("loyalty member close card:8800 --unit hotel --reason asked --forfeit")
)(membership.close)
members.app.command(epilog=example("loyalty member reopen card:8800 --unit hotel --reason found"))(
    membership.reopen
)
members.app.command(
    epilog=example("loyalty member merge card:8800 card:8811 --unit hotel --reason one-person")
)(merging.merge)
members.app.command(
    epilog=example("loyalty member unmerge card:8800 --unit hotel --reason two-persons")
)(merging.unmerge)
app.add_typer(adjusting.app, name="adjustment")
app.add_typer(transfers.app, name="transfers")
app.add_typer(pools.app, name="pool")
members.app.command(epilog=example("loyalty member unlink card:8800 card:8800 --unit hotel"))(
    identities.unlink
)
members.app.command(
    epilog=example(
        "loyalty member move-identity card:8811 phone:+442079460958 --unit hotel --reason hers"
    )
)(identities.move_identity)
app.add_typer(adjusting.lots, name="lot")
app.add_typer(documents.app, name="document")
members.app.command(
    epilog=example(
        "loyalty member erase card:8800 --unit hotel --balance forfeited --requested-by member"
        " --reference case-17"
    )
)(erasing.erase)
members.app.command(epilog=example("loyalty member certificate 0198a1c2-…"))(erasing.certificate)
app.add_typer(periods.app, name="period")
app.command(epilog=example("loyalty settlement --period 2025-01 --format csv"))(periods.settlement)
app.add_typer(policies.app, name="policy")
app.add_typer(members.app, name="member")
app.add_typer(openings.app, name="opening")
app.add_typer(tokens.app, name="token")
app.add_typer(adapters.app, name="adapter")
