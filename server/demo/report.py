"""The demo's tables: plain figures, and next to each sum what it has to be equal to."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from rich.console import Console
from rich.table import Table

from projections.settlement import SettlementMatrix
from projections.unit_totals import UnitTotals
from server.demo.proof import Recorded
from server.demo.sources import Source
from server.demo.wire import CURRENCY

TOP: Final = 10


def _table(title: str, *columns: str) -> Table:
    """An empty table whose first column holds names and whose others hold numbers."""
    made = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for index, name in enumerate(columns):
        made.add_column(name, justify="right" if index else "left")
    return made


def _money(amount: Decimal) -> str:
    cents = amount.quantize(Decimal("0.01"))
    return f"{cents:,}" if cents == amount else f"{amount:,}"


def print_sources(out: Console, sources: Sequence[Source]) -> None:
    """Where the traffic comes from, and who is said to be a member."""
    for source in sources:
        out.print(f"  [bold]{source.business_unit:<7}[/] {source.origin}")
        out.print(f"          members: {source.links}")


def control_table(
    sources: Sequence[Source], taken_back: dict[str, Decimal], recorded: dict[str, Recorded]
) -> tuple[Table, bool]:
    """The way from each file's total to that of the log's documents, and whether it ends there."""
    table = _table(
        "Control totals, to the cent",
        "unit",
        "published",
        "in the file",
        "left out",
        "rounding",
        "brought back",
        "due",
        "in the ledger",
        "difference",
    )
    ties = True
    for source in sources:
        control, unit = source.control, source.business_unit
        back = taken_back.get(unit, Decimal(0))
        due = control.expected - back
        found = recorded.get(unit, Recorded()).net
        published = control.published
        ties = ties and found == due and published in (None, control.amount)
        table.add_row(
            unit,
            "made up" if published is None else _money(published),
            _money(control.amount),
            _money(-control.left_out),
            _money(control.rounding),
            _money(-back),
            _money(due),
            _money(found),
            _money(found - due),
        )
    return table, ties


def units_table(totals: Sequence[UnitTotals], recorded: dict[str, Recorded]) -> Table:
    """Documents and points of each unit, and of the group."""
    table = _table(
        f"Units ({CURRENCY}s; issued and expired by issuer, burned by where)",
        "unit",
        "documents",
        "of members",
        "of guests",
        "versions",
        "issued",
        "burned",
        "expired",
        "taken back",
        "repaid",
        "outstanding",
    )
    sums = [0] * 10
    for unit in totals:
        found = recorded.get(unit.business_unit, Recorded())
        points = next((points for points in unit.points if points.currency == CURRENCY), None)
        moved = (
            [0] * 6
            if points is None
            else [
                points.issued,
                points.burned,
                points.expired,
                points.clawed_back,
                points.repaid,
                points.outstanding,
            ]
        )
        row = [unit.documents, found.of_members, found.of_guests, unit.postings, *moved]
        sums = [total + number for total, number in zip(sums, row, strict=True)]
        table.add_row(unit.business_unit, *(f"{number:,}" for number in row))
    table.add_section()
    table.add_row("group", *(f"{number:,}" for number in sums))
    return table


def unaccounted(totals: Sequence[UnitTotals]) -> int:
    """Points issued by the group that none of its figures explains: has to be 0."""
    all_points = [
        points for unit in totals for points in unit.points if points.currency == CURRENCY
    ]
    return sum(
        points.issued
        - points.burned
        - points.expired
        - points.clawed_back
        - points.repaid
        - points.outstanding
        for points in all_points
    )


def settlement_table(matrix: SettlementMatrix) -> Table:
    """Who issued what was burned where: the largest flows between two units."""
    table = _table(
        "Settlement: who issued what was burned elsewhere", "issuer", "burned at", CURRENCY
    )
    flows = [
        flow
        for flow in matrix.flows
        if flow.currency == CURRENCY and flow.issuer != flow.business_unit
    ]
    for flow in sorted(flows, key=lambda flow: -flow.points)[:TOP]:
        table.add_row(flow.issuer, flow.business_unit, f"{flow.points:,}")
    net = matrix.net(CURRENCY)
    table.add_section()
    for unit, points in net.items():
        table.add_row(unit, "receives" if points >= 0 else "pays", f"{abs(points):,}")
    table.add_row("group", "sum", f"{sum(net.values()):,}")
    return table


def tiers_line(counts: dict[str, int]) -> str:
    """How many members each tier has."""
    return ", ".join(f"{tier or 'none yet'} {count:,}" for tier, count in sorted(counts.items()))
