"""The demo's tables: plain figures, and next to each sum what it has to be equal to."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final

from rich.console import Console
from rich.table import Table

from projections.settlement import SettlementMatrix
from projections.unit_totals import UnitPoints, UnitTotals
from server.cli.console import table
from server.demo import habits
from server.demo.proof import Recorded
from server.demo.rewarding import CampaignResult, PurseResult
from server.demo.sources import WHOLE, Source
from server.demo.wire import CURRENCY

TOP: Final = 10


def _money(amount: Decimal) -> str:
    cents = amount.quantize(Decimal("0.01"))
    return f"{cents:,}" if cents == amount else f"{amount:,}"


def _percent(share: Fraction) -> str:
    return f"{Decimal(share.numerator * 100) / share.denominator:.4g}"


def print_sources(out: Console, sources: Sequence[Source], part: Fraction) -> None:
    """Where the traffic comes from, who is said to be a member, and what of it is made up.

    `part` is the share of what is not the supermarket's that takes part.
    """
    for source in sources:
        out.print(f"  [bold]{source.business_unit:<7}[/] {source.origin}")
        out.print(f"          members: {source.links}")
    if part != WHOLE:
        out.print(
            f"  [bold]part[/]    {_percent(part)} % of dining's orders, hotel's bookings and web's"
            " customers, by hash"
        )
    out.print(f"  [bold]habits[/]  {habits.ORIGIN}")


def control_table(
    sources: Sequence[Source], taken_back: dict[str, Decimal], recorded: dict[str, Recorded]
) -> tuple[Table, bool]:
    """The way from each file's total to that of the log's documents, and whether it ends there."""
    units = [source.business_unit for source in sources]
    rows = table("Control totals in each unit's money", "", *units, numbers=len(units))
    controls = [source.control for source in sources]
    returned = [taken_back.get(unit, Decimal(0)) for unit in units]
    due = [control.expected - back for control, back in zip(controls, returned, strict=True)]
    found = [recorded.get(unit, Recorded()).net for unit in units]
    differences = [there - wanted for there, wanted in zip(found, due, strict=True)]

    def add(name: str, amounts: Iterable[Decimal]) -> None:
        rows.add_row(name, *map(_money, amounts))

    published = (control.published for control in controls)
    rows.add_row("published", *("-" if sum is None else _money(sum) for sum in published))
    add("read from the file", (control.amount for control in controls))
    add("outside the chosen part", (-control.left_out for control in controls))
    add("negative, nothing to lower", (-control.below_zero for control in controls))
    add("rounding of lines to cents", (control.rounding for control in controls))
    add("returned by the demo's rule", (-back for back in returned))
    add("due in the ledger", due)
    add("found in the ledger's events", found)
    rows.add_section()
    add("difference", differences)
    as_published = all(control.published in (None, control.amount) for control in controls)
    return rows, as_published and not any(differences)


def units_table(totals: Sequence[UnitTotals], recorded: dict[str, Recorded]) -> Table:
    """Documents, activities among them, and points of each unit and of the group."""
    names = (*(unit.business_unit for unit in totals), "group")
    rows = table("Units", "", *names, numbers=len(names))

    def add(name: str, numbers: Iterable[int]) -> None:
        each = list(numbers)
        rows.add_row(name, *(f"{number:,}" for number in (*each, sum(each))))

    found = [recorded.get(unit.business_unit, Recorded()) for unit in totals]
    add("documents", (unit.documents for unit in totals))
    add("  purchases of members", (unit.of_members for unit in found))
    add("  purchases of guests", (unit.of_guests for unit in found))
    add("  activities", (unit.activities for unit in found))
    add("versions of them", (unit.postings for unit in totals))
    points = [_points(unit) for unit in totals]
    rows.add_section()
    add("points issued", (unit.issued for unit in points))
    add("points burned there", (unit.burned for unit in points))
    add("points expired", (unit.expired for unit in points))
    add("points taken back", (unit.clawed_back for unit in points))
    add("debts repaid in points", (unit.repaid for unit in points))
    add("points converted there", (unit.converted for unit in points))
    add("points outstanding", (unit.outstanding for unit in points))
    return rows


def _points(unit: UnitTotals) -> UnitPoints:
    nothing = UnitPoints(unit.business_unit, CURRENCY, *[0] * 7)
    return next((points for points in unit.points if points.currency == CURRENCY), nothing)


def unaccounted(totals: Sequence[UnitTotals]) -> int:
    """Points issued by the group that none of its figures explains: has to be 0."""
    return sum(
        points.issued
        - points.burned
        - points.expired
        - points.clawed_back
        - points.repaid
        - points.converted
        - points.outstanding
        for points in map(_points, totals)
    )


def settlement_table(matrix: SettlementMatrix) -> Table:
    """Who issued what was burned where: the largest flows between two units."""
    rows = table(
        "Settlement: the largest flows between units", "issued by", "burned at", "points", numbers=1
    )
    flows = [
        flow
        for flow in matrix.flows
        if flow.currency == CURRENCY and flow.issuer != flow.business_unit
    ]
    for flow in sorted(flows, key=lambda flow: -flow.points)[:TOP]:
        rows.add_row(flow.issuer, flow.business_unit, f"{flow.points:,}")
    net = matrix.net(CURRENCY)
    rows.add_section()
    for unit, points in net.items():
        rows.add_row(unit, "receives" if points >= 0 else "pays", f"{abs(points):,}")
    rows.add_row("group", "sum", f"{sum(net.values()):,}")
    return rows


def campaigns_table(campaigns: Mapping[str, CampaignResult]) -> Table:
    """What each campaign gave, to how many, and how many it left out on purpose."""
    columns = ("points", "documents", "members", "held out")
    rows = table("Campaigns", "", *columns, numbers=len(columns))
    for name, found in campaigns.items():
        numbers = (found.points, found.documents, len(found.members), len(found.held_out))
        rows.add_row(name, *(f"{number:,}" for number in numbers))
    return rows


def purses_table(purses: Mapping[str, PurseResult]) -> Table:
    """What each cap and budget let through, and what it kept back."""
    columns = ("points given", "grants cut", "by points", "nothing left")
    rows = table("Caps and budgets", "", *columns, numbers=len(columns))
    for name, found in purses.items():
        numbers = (found.taken, found.cut, found.points_cut, found.empty)
        rows.add_row(name, *(f"{number:,}" for number in numbers))
    return rows


def counts_line(counts: Mapping[str, int]) -> str:
    """How many there are of each."""
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items())) or "none"


def tiers_line(counts: dict[str, int]) -> str:
    """How many members each tier has."""
    return ", ".join(f"{tier or 'none yet'} {count:,}" for tier, count in sorted(counts.items()))
