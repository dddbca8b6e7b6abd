"""`loyalty tier`: where a member stands on the ladder, and what is missing for the next tier."""

from collections.abc import Iterable

from loyalty.v1 import account_service_pb2 as account_pb
from loyalty.v1.events_pb2 import TIER_BASIS_EARNED, TierBasis
from server.cli import console
from server.cli.calling import call_once
from server.cli.options import DEFAULT_SERVER, AsJson, Authority, Ref, Server, Token, member_ref


def tier(
    ref: Ref,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Show a member's tier, what is missing for the next one, and what follows this one."""
    request = account_pb.GetTierRequest(member=member_ref(ref))
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
    if answer.keep:
        _print_needs(f"To keep {answer.tier}", answer.keep)
    if answer.HasField("projected_time"):
        at = console.utc(answer.projected_time)
        console.out.print(f"as things stand, from {at}: [bold]{answer.projected_tier}[/]")


def _print_needs(title: str, any_of: Iterable[account_pb.TierNeeds]) -> None:
    rows = console.table(title, "", "what", "where", "until", "have", "want", "missing", numbers=3)
    for number, needs in enumerate(any_of):
        for place, need in enumerate(needs.needs):
            ends = need.window_end_time
            rows.add_row(
                "and" if place else "or" if number else "",
                " ".join((need.metric.replace("_", " "), need.subject)).strip(),
                ", ".join(need.business_units) or "anywhere",
                console.utc(ends) if need.HasField("window_end_time") else "for ever",
                *(f"{amount:,}" for amount in (need.have, need.want, need.missing)),
            )
    console.out.print(rows)
