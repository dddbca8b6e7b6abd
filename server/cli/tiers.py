"""`loyalty tier`: where a member stands on the ladder, what is missing, and how it came about."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Final

import typer

from loyalty.v1 import account_service_pb2 as account_pb
from loyalty.v1.events_pb2 import TierBasis
from server.cli import console
from server.cli.asking import Lang
from server.cli.calling import call_once
from server.cli.options import DEFAULT_SERVER, AsJson, Authority, Ref, Server, Token, member_ref
from server.cli.policy_files import Language
from server.cli.tier_words import WORDS, Words

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
    print_tier(answer, lang)


def print_tier(answer: account_pb.GetTierResponse, lang: Language = Language.EN) -> None:
    """Show where a member stands on the ladder, and how they came there."""
    words = WORDS[lang]
    who = f"{words.member} [bold]{answer.member_id}[/]"
    if not answer.tier:
        console.out.print(f"{who}   {words.no_tiers}")
        return
    until = words.until.format(console.utc(answer.valid_until_time))
    ends = until if answer.HasField("valid_until_time") else ""
    right = TierBasis.Name(answer.basis).removeprefix("TIER_BASIS_").lower()
    why = f"   ({words.rights[right]})" if right in words.rights else ""
    console.out.print(f"{who}   {words.tier} [bold]{answer.tier}[/]{ends}{why}")
    if answer.next_tier:
        _print_needs(words.reach.format(tier=answer.next_tier), answer.reach, words)
    if answer.HasField("valid_until_time"):
        _print_keep(answer, words)
    if answer.HasField("projected_time"):
        at = console.utc(answer.projected_time)
        console.out.print(words.projected.format(at=at, tier=f"[bold]{answer.projected_tier}[/]"))
    if answer.changes:
        _print_changes(answer.changes, words)


def _print_keep(answer: account_pb.GetTierResponse, words: Words) -> None:
    beyond = {"tier": answer.tier, "until": console.utc(answer.valid_until_time)}
    if not answer.keep:
        console.out.print(words.lost.format(**beyond))
        return
    met = any(all(not need.missing for need in needs.needs) for needs in answer.keep)
    title = words.kept if met else words.keep
    _print_needs(title.format(**beyond), answer.keep, words)


def _print_needs(title: str, any_of: Iterable[account_pb.TierNeeds], words: Words) -> None:
    rows = console.table(title, *words.needs, numbers=3)
    for number, needs in enumerate(any_of):
        for place, need in enumerate(needs.needs):
            window = (need.window_start_time, need.window_end_time)
            for_life = not need.HasField("window_end_time")
            what = words.metrics.get(need.metric, need.metric)
            rows.add_row(
                words.both if place else words.either if number else "",
                f"{what} {need.subject}".strip(),
                ", ".join(need.business_units) or words.anywhere,
                *(words.for_life if for_life else map(console.utc, window)),
                *(_amount(need, amount) for amount in (need.have, need.want, need.missing)),
            )
    console.out.print(rows)


def _amount(need: account_pb.TierNeed, amount: int) -> str:
    return console.money(amount, need.subject) if need.metric == "spend" else f"{amount:,}"


def _print_changes(changes: Sequence[account_pb.TierChange], words: Words) -> None:
    rows = console.table(words.history, *words.changes)
    for change in changes:
        recorded = change.entry_id if change.HasField("recorded_time") else words.due
        rows.add_row(console.utc(change.effective_time), change.line, recorded)
    console.out.print(rows)
