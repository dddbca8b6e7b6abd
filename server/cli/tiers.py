"""`loyalty tier`: where a member stands on the ladder, what is missing, and how it came about."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Final

import typer

from loyalty.v1 import account_service_pb2 as account_pb
from loyalty.v1.events_pb2 import TIER_BASIS_EARNED, TierBasis
from server.cli import console
from server.cli.asking import Lang
from server.cli.calling import call_once
from server.cli.options import DEFAULT_SERVER, AsJson, Authority, Ref, Server, Token, member_ref
from server.cli.policy_files import Language

CHANGES: Final = 20


def tier(
    ref: Ref,
    limit: Annotated[
        int, typer.Option(min=0, max=1_000, help="How many changes of the tier, newest first.")
    ] = CHANGES,
    lang: Lang = Language.EN,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Show a member's tier, what is missing for the next one, what follows, and its history."""
    request = account_pb.GetTierRequest(member=member_ref(ref), changes=limit, language=lang.value)
    answer = call_once((server, token, ca), request)
    if json:
        console.print_json(answer)
        return
    print_tier(answer)


def print_tier(answer: account_pb.GetTierResponse) -> None:
    """Show where a member stands on the ladder."""
    if not answer.tier:
        console.out.print(f"member [bold]{answer.member_id}[/]   the programme has no tiers")
        return
    until = f" until {console.utc(answer.valid_until_time)}"
    ends = until if answer.HasField("valid_until_time") else ""
    right = TierBasis.Name(answer.basis).removeprefix("TIER_BASIS_").lower()
    why = "" if answer.basis == TIER_BASIS_EARNED else f"   ({right})"
    console.out.print(
        f"member [bold]{answer.member_id}[/]   tier [bold]{answer.tier}[/]{ends}{why}"
    )
    if answer.next_tier:
        _print_needs(f"To reach {answer.next_tier}", answer.reach)
    if answer.HasField("valid_until_time"):
        _print_keep(answer)
    if answer.HasField("projected_time"):
        at = console.utc(answer.projected_time)
        console.out.print(f"as things stand, from {at}: [bold]{answer.projected_tier}[/]")
    if answer.changes:
        _print_changes(answer.changes)


def _print_keep(answer: account_pb.GetTierResponse) -> None:
    until = console.utc(answer.valid_until_time)
    if not answer.keep:
        console.out.print(f"nothing that is counted keeps {answer.tier} beyond {until}")
        return
    met = any(all(not need.missing for need in needs.needs) for needs in answer.keep)
    title = f"Enough to keep {answer.tier} beyond" if met else f"To keep {answer.tier} beyond"
    _print_needs(f"{title} {until}", answer.keep)


def _print_needs(title: str, any_of: Iterable[account_pb.TierNeeds]) -> None:
    columns = ("", "what", "where", "from", "until", "have", "want", "missing")
    rows = console.table(title, *columns, numbers=3)
    for number, needs in enumerate(any_of):
        for place, need in enumerate(needs.needs):
            window = (need.window_start_time, need.window_end_time)
            for_life = not need.HasField("window_end_time")
            rows.add_row(
                "and" if place else "or" if number else "",
                " ".join((need.metric.replace("_", " "), need.subject)).strip(),
                ", ".join(need.business_units) or "anywhere",
                *(("the beginning", "for ever") if for_life else map(console.utc, window)),
                *(_amount(need, amount) for amount in (need.have, need.want, need.missing)),
            )
    console.out.print(rows)


def _amount(need: account_pb.TierNeed, amount: int) -> str:
    return console.money(amount, need.subject) if need.metric == "spend" else f"{amount:,}"


def _print_changes(changes: Sequence[account_pb.TierChange]) -> None:
    rows = console.table("How it came about, newest first", "from", "what", "entry")
    for change in changes:
        recorded = change.entry_id if change.HasField("recorded_time") else "due, not recorded yet"
        rows.add_row(console.utc(change.effective_time), change.line, recorded)
    console.out.print(rows)
