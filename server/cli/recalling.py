"""`loyalty recall`: bad points, wherever they are now, set aside, given back or taken."""

import re
from collections import defaultdict
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import grpc
import typer

from loyalty.v1 import audit_service_pb2 as audit_pb
from loyalty.v1 import ledger_service_pb2 as pb
from loyalty.v1.audit_service_pb2_grpc import AuditServiceStub
from loyalty.v1.ledger_service_pb2_grpc import LedgerServiceStub
from loyalty.v1.types_pb2 import (
    RECALL_ACTION_CLAW_BACK,
    RECALL_ACTION_QUARANTINE,
    RECALL_ACTION_RELEASE,
    RECALL_SPENT_ARREARS,
    RECALL_SPENT_UNSPECIFIED,
    RECALL_SPENT_WRITE_OFF,
    Origin,
)
from server.cli import console
from server.cli.options import (
    CALL_SECONDS,
    DEFAULT_SERVER,
    AsJson,
    Authority,
    Server,
    Token,
    concurrent_channel_to,
    require_token,
)
from server.cli.recall_passes import Recall, Recalled
from server.cli.sending import metadata, send

ROWS_MAX: Final = 50
_LOT: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.\S+")
_SUMS: Final = ("points", "left", "quarantined", "held", "in_transit", "spent", "clawed_back")

_TOLD: Final = ("account_id", "lot_id", "currency", *_SUMS, "passed_on", "converted")


class Kind(StrEnum):
    """What a word names."""

    LOT = "lot"
    CAMPAIGN = "campaign"
    DOCUMENT = "document"


class Do(StrEnum):
    """What is done with bad points."""

    QUARANTINE = "quarantine"
    RELEASE = "release"
    CLAW_BACK = "claw-back"


class Spent(StrEnum):
    """What happens to bad points that were spent."""

    NOTHING = "nothing"
    ARREARS = "arrears"
    WRITE_OFF = "write-off"


_ACTIONS: Final = {
    Do.QUARANTINE: RECALL_ACTION_QUARANTINE,
    Do.RELEASE: RECALL_ACTION_RELEASE,
    Do.CLAW_BACK: RECALL_ACTION_CLAW_BACK,
}
_SPENT: Final = {
    Spent.NOTHING: RECALL_SPENT_UNSPECIFIED,
    Spent.ARREARS: RECALL_SPENT_ARREARS,
    Spent.WRITE_OFF: RECALL_SPENT_WRITE_OFF,
}


def recall(  # noqa: PLR0913 - one argument an option
    what: Annotated[
        str,
        typer.Argument(
            metavar="LOT|CAMPAIGN|DOCUMENT",
            help="Where the bad points began: a lot's id, a campaign, or UNIT/SOURCE/ID.",
        ),
    ],
    unit: Annotated[str, typer.Option(metavar="UNIT", help="Business unit that recalls.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show where the points are now.")
    ] = False,
    do: Annotated[
        Do, typer.Option("--do", help="Set them aside, give back what was, or take them for good.")
    ] = Do.QUARANTINE,
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="Why. Kept for ever: nothing about a person.")
    ] = "",
    recall_id: Annotated[
        str,
        typer.Option(
            "--id", metavar="ID", help="Of this recall; without it LOT|CAMPAIGN|DOCUMENT itself."
        ),
    ] = "",
    kind: Annotated[
        Kind | None,
        typer.Option("--as", help="What the word names, where its form does not tell."),
    ] = None,
    spent: Annotated[
        Spent, typer.Option(help="With claw-back: what happens to points that were spent.")
    ] = Spent.NOTHING,
    write_off_to: Annotated[
        str, typer.Option(metavar="UNIT", help="Who bears what is written off; else the issuer.")
    ] = "",
    operator: Annotated[
        str,
        typer.Option(envvar="LOYALTY_OPERATOR", metavar="NAME", help="Staff id of who decides."),
    ] = "",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Recall exactly the points of a lot, campaign or document, in whatever account they are.

    Run it again after an interruption, or when holds and transfers are done: it goes on.
    """
    if not (dry_run or reason):
        console.fail("--reason is missing: say why the points are recalled", code=console.USAGE)
    asked = pb.RecallPointsRequest(
        origin=Origin(business_unit=unit, operator=operator, channel="cli"),
        recall_id=recall_id or what[:64],
        action=_ACTIONS[do],
        spent=_SPENT[spent],
        write_off_to=write_off_to,
        reason=reason,
    )
    origin = _origin(what, kind)
    call = require_token(token)
    lots, recalled = console.run(_recall(server, call, ca, asked, origin, dry_run=dry_run))
    if json:
        console.print_json(_data(lots, recalled))
    else:
        _print_lots(lots, origin)
        if recalled is not None:
            _print_recalled(recalled)
    if recalled is not None and recalled.refused:
        raise typer.Exit(console.NO)


async def _recall(
    server: str,
    token: str,
    ca: Path | None,
    asked: pb.RecallPointsRequest,
    origin: audit_pb.TraceLotsRequest,
    *,
    dry_run: bool,
) -> tuple[list[audit_pb.TracedLot], Recalled | None]:
    """Where the points are, after what was done about them; nothing is in a dry run."""
    with console.explained():
        async with concurrent_channel_to(server, ca) as channel:
            work = Recall(*_calls(channel, token), asked)
            recalled = None
            if not dry_run:
                with console.progress() as progress:
                    task = progress.add_task("recall", total=None)

                    def show(done: int, total: int) -> None:
                        progress.update(task, completed=done, total=total)

                    recalled = await work.run(origin, show)
            return await work.traced(origin), recalled


def _calls(channel: grpc.aio.Channel, token: str) -> tuple[Any, Any]:
    ledger: Any = LedgerServiceStub(channel)
    audit: Any = AuditServiceStub(channel)

    async def post(items: Sequence[pb.BatchItem]) -> list[pb.BatchResult]:
        return await send(ledger, items, token=token)

    async def trace(request: audit_pb.TraceLotsRequest) -> audit_pb.TraceLotsResponse:
        answer: audit_pb.TraceLotsResponse = await audit.TraceLots(
            request, metadata=metadata(token), timeout=CALL_SECONDS
        )
        return answer

    return post, trace


def _origin(what: str, kind: Kind | None) -> audit_pb.TraceLotsRequest:
    if kind is None:
        kind = Kind.CAMPAIGN
        if _LOT.fullmatch(what):
            kind = Kind.LOT
        elif "/" in what:
            kind = Kind.DOCUMENT
    match kind:
        case Kind.LOT:
            return audit_pb.TraceLotsRequest(lot_id=what)
        case Kind.DOCUMENT:
            return audit_pb.TraceLotsRequest(document=what)
        case _:
            return audit_pb.TraceLotsRequest(campaign=what)


def _totals(lots: Sequence[audit_pb.TracedLot]) -> dict[tuple[str, str], list[int]]:
    """Sums by account and currency. What came by conversion is not recalled, so not summed."""
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * len(_SUMS))
    for lot in lots:
        if not lot.converted:
            row = sums[lot.account_id, lot.currency]
            for index, name in enumerate(_SUMS):
                row[index] += getattr(lot, name)
            # What was passed on is a lot of its own, in the account that has it.
            row[0] -= lot.passed_on
    return sums


def _print_lots(lots: Sequence[audit_pb.TracedLot], origin: audit_pb.TraceLotsRequest) -> None:
    if not lots:
        named = origin.WhichOneof("of") or "campaign"
        kind, word = named.removesuffix("_id"), getattr(origin, named)
        console.out.print(f"no points came of {kind} {word!r}", markup=False)
        console.advise("Check how it is written; --as says what it names")
        return
    sums = _totals(lots)
    titles = ("bad points", "still there", "quarantined", "held", "in transit", "spent", "taken")
    rows = console.table("Where the points are", "member", "currency", *titles, numbers=len(titles))
    for (account, currency), row in list(sums.items())[:ROWS_MAX]:
        rows.add_row(account, currency, *(f"{each:,}" for each in row))
    if len(sums) > ROWS_MAX:
        rows.add_row(f"and {len(sums) - ROWS_MAX:,} more")
    for currency in sorted({currency for _, currency in sums}):
        of_all = [row for (_, of), row in sums.items() if of == currency]
        total = map(sum, zip(*of_all, strict=True))
        rows.add_row(f"all {len(of_all):,}", currency, *(f"{each:,}" for each in total))
    console.out.print(rows)
    for line in conversions(lots):
        console.out.print(line, markup=False)


def conversions(lots: Sequence[audit_pb.TracedLot]) -> list[str]:
    """What bad points were converted into, told once for each account that has it now."""
    return [
        f"converted into {lot.points - lot.passed_on:,} {lot.currency}, lot {lot.lot_id}"
        f" of {lot.account_id}: left alone, {lot.left:,} still there"
        for lot in lots
        if lot.converted and lot.points > lot.passed_on
    ]


def _print_recalled(recalled: Recalled) -> None:
    console.out.print(f"accounts changed: {recalled.accounts:,}")
    for (kind, currency), points in sorted(recalled.points.items()):
        console.out.print(f"{kind.replace('_', ' ')}   {points:,} {currency}", markup=False)
    for reason, acts in sorted(recalled.refused.items()):
        console.err.print(f"[red]refused[/] {reason}   accounts: {acts:,}")


def _data(lots: Sequence[audit_pb.TracedLot], recalled: Recalled | None) -> dict[str, Any]:
    data: dict[str, Any] = {
        "lots": [
            {
                name: getattr(lot, name)
                for name in ("account_id", "lot_id", "currency", *_SUMS, "passed_on")
            }
            | {"converted": lot.converted}
            for lot in lots
        ]
    }
    if recalled is not None:
        data["accounts"] = recalled.accounts
        data["moved"] = [
            {"kind": kind, "currency": currency, "points": points}
            for (kind, currency), points in sorted(recalled.points.items())
        ]
        data["refused"] = dict(recalled.refused)
    return data
