"""What was really paid for the lines of a ticket, in minor units: its totals decide."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from adapters.frame.money import decimal, exponent, minor_units, scaled
from adapters.frame.netting import NetLine, Returned, spread, take_back, unique_ids
from adapters.poslog.lines import NOT_GOODS
from adapters.poslog.shapes import Return, Settings, Sold, Ticket

LINES_MAX: Final = 500
"""A document has no more lines."""


def net_lines(
    ticket: Ticket, returns: Sequence[Return], currency: str, settings: Settings
) -> list[NetLine]:
    """Return the lines that are left. Raises Unreadable, Parked."""
    ids = unique_ids([line.number for line in ticket.lines])
    lines = [
        NetLine(
            line_id,
            line.codes,
            _money(line.amount, currency),
            0,
            Decimal(line.quantity),
            line.sku,
        )
        for line, line_id in zip(ticket.lines, ids, strict=True)
    ]
    for taken in ticket.taken:
        _take(lines, taken, currency)
    _discount(lines, ticket, currency, settings)
    for returned in returns:
        take_back(lines, [_back(lines, line, currency) for line in returned.lines])
    return _merged(lines)


def _take(lines: Sequence[NetLine], taken: Sold, currency: str) -> None:
    """Take a correction off lines of the same article, and what is beyond them off all."""
    amount = _money(taken.amount, currency)
    own = [line for line in lines if line.sku == taken.sku]
    left = amount - min(amount, sum(line.amount for line in own))
    spread(own, amount)
    spread(lines, left)


def _discount(lines: Sequence[NetLine], ticket: Ticket, currency: str, settings: Settings) -> None:
    """Bring the lines down to what the totals say was paid for goods, without tax."""
    pairs = [
        (line, sold)
        for line, sold in zip(lines, ticket.lines, strict=True)
        if line.codes[0] not in NOT_GOODS.values()
    ]
    goods = [line for line, _ in pairs]
    beside = sum(line.amount for line in lines) - sum(line.amount for line in goods)
    target = max(_target(lines, ticket, currency, settings) - beside, 0)
    offs = [_rounded(sold.off, currency) for _, sold in pairs]
    if sum(offs) <= sum(line.amount for line in goods) - target:
        for line, off in zip(goods, offs, strict=True):
            line.amount -= min(off, line.amount)
    taxes = [_rounded(sold.tax, currency) for _, sold in pairs]
    if sum(taxes) == sum(line.amount for line in goods) - target:
        # The amounts contain their tax, each its own.
        for line, tax in zip(goods, taxes, strict=True):
            line.amount -= min(tax, line.amount)
    spread(goods, max(sum(line.amount for line in goods) - target, 0))


def _target(lines: Sequence[NetLine], ticket: Ticket, currency: str, settings: Settings) -> int:
    """What the lines of this ticket cost together, without tax."""
    if ticket.grand is None:
        offs = sum(_rounded(line.off, currency) for line in ticket.lines)
        whole = sum(line.amount for line in lines)
        return whole - offs - _money(ticket.discounts, currency)
    tax = _rounded(ticket.tax, currency) if settings.grand == "with_tax" else 0
    # What came back from other tickets lowered the total of this one.
    linked = sum(_money(line.amount, currency) for line in ticket.linked)
    grand = _money(ticket.grand, currency)
    whole = sum(line.amount for line in lines)
    if ticket.linked and whole - linked == grand:
        linked -= sum(_rounded(line.tax, currency) for line in ticket.linked)
    return grand - tax + linked


def _back(lines: Sequence[NetLine], said: Sold, currency: str) -> Returned:
    """What came back of a line: the one that is named, or one of the article that has most left."""
    named = [line for line in lines if line.line_id == said.number]
    alike = [line for line in lines if said.sku and line.sku == said.sku]
    found = named or sorted(alike, key=lambda line: -line.amount) or list(lines)
    amount = _money(said.amount, currency)
    return Returned(found[0], min(amount, found[0].amount), 0, Decimal(said.quantity))


def _merged(lines: list[NetLine]) -> list[NetLine]:
    """Put lines of one sort together where there are more than a document holds."""
    if len(lines) <= LINES_MAX:
        return lines
    sorts: dict[tuple[str, ...], NetLine] = {}
    for line in lines:
        # Without the article: its department is what is left to tell them apart.
        codes = tuple(code for code in line.codes if not code.startswith("item/"))
        one = sorts.get(codes)
        if one is None:
            sorts[codes] = NetLine(line.line_id, codes, line.amount, line.tax, line.quantity)
        else:
            one.amount += line.amount
            one.tax += line.tax
            one.quantity += line.quantity
    return list(sorts.values())


def _money(told: str, currency: str) -> int:
    return minor_units(told, currency, "an amount")


def _rounded(told: str, currency: str) -> int:
    """Tax and discounts, which some tills write more finely than the currency is."""
    whole = scaled(decimal(told, "an amount"), exponent(currency))
    return int(whole.to_integral_value(ROUND_HALF_UP))
