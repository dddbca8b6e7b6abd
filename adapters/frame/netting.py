"""What is left of an order's lines after refunds, in minor units: the sums are exact, none is below
nothing, and what is spread is spread in proportion.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from adapters.frame.mapping import MappingFile
from adapters.frame.money import capped_shares, shares
from adapters.frame.words import short
from loyalty.v1.types_pb2 import LINE_PART_KIND_TAX, DocumentLine, LinePart


@dataclass(slots=True)
class NetLine:
    """What is left of a line."""

    line_id: str
    codes: tuple[str, ...]
    """By what it may be mapped to a category, from the closest to the widest."""
    amount: int
    """Without tax."""
    tax: int
    quantity: Decimal
    sku: str = ""
    brand: str = ""

    @property
    def gross(self) -> int:
        """With tax."""
        return self.amount + self.tax

    def take_back(self, amount: int, tax: int) -> None:
        """Refund of it, never beyond what is left: more was never earned on."""
        self.amount -= min(amount, self.amount)
        self.tax -= min(tax, self.tax)


@dataclass(frozen=True, slots=True)
class Returned:
    """What a refund says of a line."""

    line: NetLine
    amount: int
    tax: int
    quantity: Decimal


def take_back(
    lines: Sequence[NetLine], returned: Sequence[Returned], paid: int | None = None
) -> None:
    """Take a refund off the lines.

    Args:
        lines: all of the order.
        returned: what the refund says of some.
        paid: what was paid back for it, tax included; None: nothing is said about it. Less than
            the lines is a cap, shared by them; what is beyond them is a refund of an amount, spread
            over all that is left.
    """
    weights = [each.amount + each.tax for each in returned]
    left = sum(weights) if paid is None else paid
    for each, given in zip(returned, capped_shares(left, weights), strict=True):
        amount, tax = shares(given, [each.amount, each.tax])
        each.line.take_back(amount, tax)
        each.line.quantity = max(each.line.quantity - each.quantity, Decimal(0))
    spread(lines, max(left - sum(weights), 0))


def spread(lines: Sequence[NetLine], amount: int) -> None:
    """Take an amount, tax included, off all lines in proportion to what is left of them."""
    grosses = [line.gross for line in lines]
    for line, part in zip(lines, capped_shares(amount, grosses), strict=True):
        line.take_back(*shares(part, [line.amount, line.tax]))


def unique_ids(ids: Sequence[str]) -> list[str]:
    """Return ids of lines of which no two are equal: lines that look alike are all real."""
    seen: dict[str, int] = {}
    made: list[str] = []
    for each in ids:
        seen[each] = seen.get(each, 0) + 1
        made.append(each if seen[each] == 1 else f"{each[:56]}/{seen[each]}")
    return made


def stated(lines: Sequence[NetLine], mapping: MappingFile, *, gross: bool) -> list[DocumentLine]:
    """Return the lines in the words of the contract; those of which nothing is left are gone.

    Args:
        lines: what is left.
        mapping: gives the categories.
        gross: amounts with tax, which is then told as a part of them.

    Raises:
        Parked: a line has no category.
    """
    return [
        _line(line, mapping.category(*line.codes), gross=gross)
        for line in lines
        if line.amount or line.quantity
    ]


def _line(line: NetLine, category: str, *, gross: bool) -> DocumentLine:
    made = DocumentLine(
        line_id=line.line_id,
        category=category,
        quantity=format(line.quantity, "f"),
        net_minor_units=line.gross if gross else line.amount,
        brand=short(line.brand),
        sku=short(line.sku),
    )
    if gross and line.tax:
        made.parts.append(LinePart(kind=LINE_PART_KIND_TAX, minor_units=line.tax))
    return made


def pay_with_points(lines: Sequence[DocumentLine], points: int) -> None:
    """Tell of lines what was paid with points, `points` minor units in all, in proportion."""
    amounts = [line.net_minor_units for line in lines]
    for line, part in zip(lines, capped_shares(points, amounts), strict=True):
        line.paid_with_points_minor_units = part
