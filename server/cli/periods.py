"""`loyalty period` and `loyalty settlement`: months are closed, and what units owe each other."""

import csv
import hashlib
import sys
from enum import StrEnum
from typing import Annotated

import typer

from loyalty.v1 import audit_service_pb2 as pb
from server.cli import console
from server.cli.calling import call_once
from server.cli.options import DEFAULT_SERVER, AsJson, Authority, Server, Token, example
from server.cli.policy_steps import ValidateOnly

app = typer.Typer(help="Close accounting periods, and list them.", no_args_is_help=True)


class Format(StrEnum):
    """How a settlement is printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


@app.command(epilog=example("loyalty period close 2025-01 --operator anna"))
def close(
    period: Annotated[str, typer.Argument(metavar="YYYY-MM", help="The month.")],
    operator: Annotated[str, typer.Option(metavar="ID", help="Who closes it: a staff id.")] = "",
    validate_only: ValidateOnly = False,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Close a month that is over, for good: nothing recorded later changes its settlement."""
    request = pb.ClosePeriodRequest(
        request_id=hashlib.sha256(f"close {period} {operator}".encode()).hexdigest(),
        validate_only=validate_only,
        period=period,
        operator=operator,
    )
    answer = call_once((server, token, ca), request)
    if json:
        console.print_json(answer)
        return
    when = "could be closed" if validate_only else "was closed"
    before = " before" if answer.replayed else ""
    by = f" by {answer.period.closed_by}"
    console.out.print(f"{answer.period.period} {when}{before}{by}", markup=False)


@app.command("list", epilog=example("loyalty period list"))
def list_periods(
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """List the periods: closed ones, oldest first, and then those that are open."""
    answer = call_once((server, token, ca), pb.ListPeriodsRequest())
    if json:
        console.print_json(answer)
        return
    table = console.table("", "period", "from", "until", "state", "by")
    for each in answer.periods:
        times = (console.utc(at) for at in (each.start_time, each.end_time))
        table.add_row(each.period, *times, "closed" if each.closed else "open", each.closed_by)
    console.print_table(table, none="no periods yet; the first document or points begin one")


def settlement(
    period: Annotated[
        str,
        typer.Option(metavar="YYYY-MM", help="The month; the first that is open by default."),
    ] = "",
    form: Annotated[Format, typer.Option("--format", help="How to print it.")] = Format.TABLE,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
) -> None:
    """Show what business units owe each other for a month, in points and money."""
    answer = call_once((server, token, ca), pb.GetSettlementRequest(period=period))
    if form is Format.JSON:
        console.print_json(answer)
    elif form is Format.CSV:
        _write_csv(answer)
    else:
        print_settlement(answer)


_COLUMNS = (
    "period",
    "about_period",
    "currency",
    "issuer",
    "business_unit",
    "burned",
    "reclaimed",
    "converted",
    "money",
    "paid_minor_units",
    "remainder_minor_units",
)


def _write_csv(answer: pb.GetSettlementResponse) -> None:
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow(_COLUMNS)
    for flow in answer.flows:
        paid = flow.HasField("paid")
        rows.writerow(
            (
                answer.period.period,
                flow.about_period,
                flow.currency,
                flow.issuer,
                flow.business_unit,
                flow.burned,
                flow.reclaimed,
                flow.converted,
                flow.paid.currency_code,
                flow.paid.minor_units if paid else "",
                flow.remainder,
            )
        )


def print_settlement(answer: pb.GetSettlementResponse) -> None:
    """Show the flows between units, and what each of them receives in the end."""
    state = "closed" if answer.period.closed else "open: it may still change"
    console.out.print(f"[bold]{answer.period.period}[/]   {state}")
    table = console.table("", "issuer", "taken by", "about period", "points", "pays", numbers=2)
    for flow in answer.flows:
        points = flow.burned + flow.reclaimed + flow.converted
        pays = ""
        if flow.HasField("paid"):
            pays = console.money(flow.paid.minor_units, flow.paid.currency_code)
        shown = f"{points:,} {flow.currency}"
        table.add_row(flow.issuer, flow.business_unit, flow.about_period, shown, pays)
    console.print_table(table, none="no points went from one unit to another")
    if answer.parties:
        console.out.print("What each receives, less what it pays:")
    for party in answer.parties:
        points_of = [f"{each.amount:,} {each.currency}" for each in party.points]
        amounts = [_money(each) for each in party.amounts]
        console.out.print(f"{party.account}   {', '.join(points_of + amounts)}", markup=False)


def _money(amount: pb.SettlementAmount) -> str:
    """In major units; a part of a minor unit, which no money can say, as the fraction it is."""
    if "/" in amount.minor_units:
        return f"{amount.minor_units} minor units of {amount.currency_code}"
    return console.money(int(amount.minor_units), amount.currency_code)
