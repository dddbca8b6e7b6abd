"""`loyalty account` and `loyalty entries`: what a member has, and how it came about."""

from collections.abc import Sequence
from typing import Annotated, Final

import typer
from google.protobuf.timestamp_pb2 import Timestamp

from loyalty.v1 import account_service_pb2 as account_pb
from server.cli import console
from server.cli.calling import call_once
from server.cli.movements import PARTS
from server.cli.options import DEFAULT_SERVER, AsJson, Authority, Ref, Server, Token, member_ref

PAGE: Final = 50


def account(
    ref: Ref,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Show what a member has: balances, tier, open lots, holds, debts and benefits."""
    request = account_pb.GetAccountRequest(member=member_ref(ref), view=account_pb.VIEW_FULL)
    answer = call_once((server, token, ca), request)
    if json:
        console.print_json(answer.account)
        return
    _print_merged(ref, answer.merged_into)
    print_account(answer.account)


def _print_merged(ref: str, into: str) -> None:
    if into:
        console.out.print(f"{ref} is merged into {into}: this is that account", markup=False)


def print_account(answer: account_pb.Account) -> None:
    """Show an account as tables and lines."""
    until = console.utc(answer.tier_valid_until_time)
    ends = f" until {until}" if answer.HasField("tier_valid_until_time") else ""
    tier = f"{answer.tier}{ends}" if answer.tier else "none"
    console.out.print(f"member [bold]{answer.member_id}[/]   tier [bold]{tier}[/]")
    balances = console.table(
        "Balances",
        "currency",
        "available",
        "pending",
        "held",
        "in transit",
        "owed",
        "expiring next",
        numbers=6,
    )
    for balance in answer.balances:
        at = console.utc(balance.next_expire_time)
        expiring = f"{balance.next_expire_points:,} at {at}" if balance.next_expire_points else ""
        amounts = (
            balance.available,
            balance.pending,
            balance.held,
            balance.in_transit,
            balance.arrears,
        )
        balances.add_row(balance.currency, *(f"{amount:,}" for amount in amounts), expiring)
    console.print_table(balances, none="no points yet; documents and activities earn them")
    if answer.lots:
        _print_lots(answer.lots)
    for hold in answer.holds:
        until = f" until {console.utc(hold.expire_time)}" if hold.HasField("expire_time") else ""
        lapses = ", to expire in their time" if hold.points_expire else ""
        held = f"{hold.points:,} {hold.currency} by {hold.business_unit}"
        named = f"recall {hold.hold_id}" if hold.recalled else f"hold {hold.hold_id}"
        console.out.print(f"held   {held}, {named}{until}{lapses}", markup=False)
    for debt in answer.debts:
        console.out.print(f"owed   {debt.points:,} {debt.currency} to {debt.business_unit}")
    for given in answer.benefits:
        until = _end(given.expire_time)
        console.out.print(f"may use   {given.quantity:,} {given.benefit} until {until}")


def _print_lots(found: Sequence[account_pb.Lot]) -> None:
    # Who pays for a lot may decide when it is drawn; mostly it is the issuer.
    paid = any(lot.funder != lot.issuer for lot in found)
    lots = console.table(
        "Lots, in the order they are drawn",
        "issuer",
        *(["paid by"] if paid else []),
        "document",
        "earned",
        "expires",
        "currency",
        "available",
        "pending",
        "held",
        "in transit",
        numbers=4,
    )
    for lot in found:
        lots.add_row(
            lot.issuer,
            *([lot.funder] if paid else []),
            lot.document,
            console.utc(lot.earned_time),
            _end(lot.expire_time),
            lot.currency,
            *(f"{amount:,}" for amount in (lot.available, lot.pending, lot.held, lot.in_transit)),
        )
    console.out.print(lots)


def entries(
    ref: Ref,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    currency: Annotated[
        str, typer.Option(help="Only this point currency.", metavar="CURRENCY")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = PAGE,
    json: AsJson = False,
) -> None:
    """Show a member's statement, newest first."""
    request = account_pb.ListEntriesRequest(
        member=member_ref(ref), page_size=min(limit, 1_000), currency=currency
    )
    found: list[account_pb.Entry] = []
    while True:
        page = call_once((server, token, ca), request)
        found.extend(page.entries)
        if len(found) >= limit or not page.next_page_token:
            break
        request.page_token = page.next_page_token
    del found[limit:]
    if json:
        console.print_json(
            account_pb.ListEntriesResponse(entries=found, merged_into=page.merged_into)
        )
        return
    _print_merged(ref, page.merged_into)
    print_entries(found)


def print_entries(found: Sequence[account_pb.Entry]) -> None:
    """Show a statement: what came has a plus, what went a minus."""
    # Most statements have no more than points that came and went.
    others = [
        part
        for part, word in PARTS.items()
        if word and any(getattr(each.change, part) for each in found)
    ]
    columns = ("occurred", "unit", "what", "document", "currency")
    names = ("points", "after", *(PARTS[part] for part in others))
    rows = console.table("Statement", *columns, *names, numbers=len(names))
    for entry in found:
        rows.add_row(
            console.utc(entry.occurred_time),
            entry.business_unit,
            entry.movement.kind.replace("_", " "),
            entry.document,
            entry.movement.currency,
            _signed(entry.change.available),
            f"{entry.available_after:,}" if entry.HasField("available_after") else "",
            *(_signed(getattr(entry.change, part)) for part in others),
        )
    console.print_table(rows, none="no entries yet; documents and activities make them")


def _signed(points: int) -> str:
    """What came or went; nothing where nothing did."""
    return f"{points:+,}" if points else ""


def _end(stamp: Timestamp) -> str:
    """When something ends; an empty time, which the contract reads as never, is `never`."""
    return console.utc(stamp) if stamp.seconds else "never"
