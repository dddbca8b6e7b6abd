"""`loyalty adapter outbox …`: what goes out to subscribers, and what operators tell of it."""

from pathlib import Path
from typing import Annotated

import typer

from server.cli import console
from server.cli.adapter_asking import ask, explained, print_rows, token
from server.cli.options import AsJson, example

app = typer.Typer(
    help="What subscribers are told of points and tiers: webhooks, profiles.", no_args_is_help=True
)

Only = Annotated[str, typer.Option("--subscription", metavar="NAME", help="Of this one only.")]
OfMember = Annotated[str, typer.Option("--member-id", metavar="ID", help="Of this member only.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, newest first.")]
_COLUMNS = (
    "created_at",
    "subscription",
    "member_id",
    "kind",
    "version",
    "state",
    "attempts",
    "problem",
    "send_at",
)


@app.command("list", epilog=example("loyalty adapter outbox list --subscription shop"))
def list_messages(
    subscription: Only = "",
    member_id: OfMember = "",
    state: Annotated[
        str, typer.Option(metavar="STATE", help="Only those that are waiting, sent or dead.")
    ] = "",
    limit: Limit = 50,
    json: AsJson = False,
) -> None:
    """List messages with what became of them; as JSON with their bodies."""
    from adapters.frame.outbox import operating

    if state and state not in operating.STATES:
        console.fail(f"--state {state!r}: expected waiting, sent or dead", code=console.USAGE)
    rows = ask(
        lambda pool: operating.messages(
            pool, subscription=subscription, state=state, member_id=member_id, limit=limit
        )
    )
    none = "no messages to show; subscribers are told once points or tiers change"
    print_rows(rows, "Outbox", _COLUMNS, none=none, json=json)


@app.command(epilog=example("loyalty adapter outbox dead --subscription shop"))
def dead(
    subscription: Only = "",
    member_id: OfMember = "",
    limit: Limit = 100,
    json: AsJson = False,
) -> None:
    """List messages that were given up; the exit code is 1 while there are any."""
    from adapters.frame.outbox import operating

    rows = ask(
        lambda pool: operating.messages(
            pool, subscription=subscription, state="dead", member_id=member_id, limit=limit
        )
    )
    none = "no message was given up; `loyalty adapter outbox list` shows all of them"
    print_rows(rows, "Dead", _COLUMNS, none=none, json=json)
    if rows:
        raise typer.Exit(console.NO)


@app.command(
    epilog=example(
        "loyalty adapter outbox retry --subscription shop --operator ann --why 'shop is back'"
    )
)
def retry(
    operator: Annotated[
        str, typer.Option(envvar="LOYALTY_OPERATOR", metavar="NAME", help="Who says so.")
    ],
    why: Annotated[str, typer.Option(metavar="TEXT", help="Why; it is kept.")],
    subscription: Only = "",
    member_id: OfMember = "",
    kind: Annotated[
        str, typer.Option(metavar="KIND", help='Only this kind: "balance.changed".')
    ] = "",
    everything: Annotated[
        bool,
        typer.Option("--everything", help="Tell a subscription all states anew, sent ones too."),
    ] = False,
    every: Annotated[
        bool, typer.Option("--all", help="All that is dead or waits, if nothing narrows it.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Let what is dead or waits be told now: of what is dead, how things are by now."""
    from adapters.frame.outbox import operating

    wanted = operating.Wanted(subscription, member_id, kind, everything)
    if everything and (kind or not subscription):
        console.fail("--everything needs --subscription, and no --kind", code=console.USAGE)
    if wanted == operating.Wanted() and not every:
        console.fail("nothing is named", advice=console.NAME_SOMETHING, code=console.USAGE)
    done = ask(lambda pool: operating.retry(pool, wanted, operator=operator, why=why))
    if json:
        console.print_json(dict(done))
    else:
        console.out.print(f"{done['members']} members again, {done['dead']} dead messages anew")


@app.command(
    epilog=example(
        "LOYALTY_TOKEN=loy_… loyalty adapter outbox draft shop.outbox.yaml --member card:8800"
    )
)
def draft(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File of the subscription.")],
    member: Annotated[
        str, typer.Option(metavar="SCHEME:VALUE", help='By an identity, or "id:" and the id.')
    ],
    secrets: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Folder of secrets, to sign as it would.")
    ] = None,
    customer: Annotated[
        str, typer.Option(metavar="NUMBER", help="Customer number that the message names.")
    ] = "",
) -> None:
    """Print what a subscription would be told of a member now. Nothing is sent and nothing kept."""
    from adapters.frame.connections import secrets_of
    from adapters.frame.outbox import operating
    from adapters.frame.outbox.subscription import Subscription, read
    from adapters.frame.posting import Ledger, channel_to
    from adapters.frame.settings import load
    from adapters.frame.words import Parked, RetryLater, Unreadable
    from loyalty.v1.types_pb2 import Identity, MemberRef

    scheme, separator, value = member.partition(":")
    if not (scheme and separator and value):
        console.fail(f"--member {member!r}: expected scheme:value", code=console.USAGE)
    named = (
        MemberRef(member_id=value)
        if scheme == "id"
        else MemberRef(identity=Identity(scheme=scheme, value=value))
    )
    with explained():
        settings = load()
        told = read(file)
        subscribed = Subscription(told, secrets_of(told.subscription, secrets))
        if secrets is not None and (problems := subscribed.problems()):
            console.fail("\n".join(problems), code=console.USAGE)
        if told.connection and not customer:
            console.fail("this subscription names customers: say --customer", code=console.USAGE)
        ledger_token = settings.outbox_token(token(settings))

        async def work() -> list[dict[str, object]]:
            channel = channel_to(settings.ledger, settings.authority())
            try:
                ledger = Ledger(channel, ledger_token)
                return await operating.draft(ledger, subscribed, named, customer)
            finally:
                await channel.close()

        try:
            made = console.run(work())
        except (Parked, RetryLater, Unreadable) as error:
            console.fail(str(error), code=console.UNAVAILABLE)
    console.print_json(made)
