"""What is left of an order after its refunds, line by line, in minor units.

Signs differ by field: a refund's `amount` is above zero, its lines and the sums in an order below.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from adapters.frame import moments
from adapters.frame.money import decimal, minor_units
from adapters.frame.netting import NetLine, Returned, spread, take_back, unique_ids
from adapters.frame.words import Unreadable
from adapters.woocommerce.shapes import Line, Order, Refund

REFUNDED_LINE: Final = "_refunded_item_id"
"""Key of the meta datum that tells which line of the order a line of a refund is about."""


def net_lines(order: Order, refunds: Sequence[Refund]) -> tuple[list[NetLine], list[NetLine]]:
    """Lines of goods and fees, and those of shipping, after all refunds. Raises Unreadable."""
    fees = [fee for fee in order.fee_lines if decimal(fee.total, "fee") >= 0]
    goods = [
        *_lines(order.line_items, order.currency, ()),
        *_lines(fees, order.currency, ("fee",)),
    ]
    shipping = _lines(order.shipping_lines, order.currency, ("shipping",))
    for fee in order.fee_lines:
        if fee not in fees:
            # A fee below nothing is a discount of the whole order.
            spread(goods, -_total(fee, order.currency))
    known = {refund.id: refund for refund in refunds}
    for told in order.refunds:
        amount = abs(minor_units(told.total, order.currency, "refunds"))
        _take_back(goods, shipping, known.pop(told.id, None), amount, order.currency)
    for refund in known.values():
        # What the order does not name was deleted, unless it is newer than what we know of it.
        if gmt(refund.date_created_gmt) > gmt(order.date_modified_gmt):
            amount = abs(minor_units(refund.amount, order.currency, "amount"))
            _take_back(goods, shipping, refund, amount, order.currency)
    return goods, shipping


def gmt(text: str) -> int:
    """Read a time whose field says that it is GMT, though its text does not. Raises Unreadable."""
    return moments.instant(text, "a time in GMT", zone="UTC")


def _lines(lines: Sequence[Line], currency: str, codes: tuple[str, ...]) -> list[NetLine]:
    made = []
    for line, line_id in zip(lines, unique_ids([line.id for line in lines]), strict=True):
        amount = minor_units(line.total, currency, "total")
        tax = minor_units(line.total_tax, currency, "total_tax")
        quantity = decimal(line.quantity, "quantity")
        if amount < 0 or tax < 0 or quantity < 0:
            raise Unreadable(f"line {line.id} is below nothing")
        named = (f"{codes[0]}/{line.name}", *codes) if codes == ("fee",) else codes
        made.append(NetLine(line_id, named or _codes(line), amount, tax, quantity, line.sku))
    return made


def _codes(line: Line) -> tuple[str, ...]:
    """By what a line of goods may be mapped, from the closest to the widest."""
    product, variation = f"product/{line.product_id}", f"variation/{line.variation_id}"
    return (variation, product, f"sku/{line.sku}", "line")


def _total(line: Line, currency: str) -> int:
    amount = minor_units(line.total, currency, "total")
    return amount + minor_units(line.total_tax, currency, "total_tax")


def _take_back(
    goods: Sequence[NetLine],
    shipping: Sequence[NetLine],
    refund: Refund | None,
    amount: int,
    currency: str,
) -> None:
    """Take a refund off: by its lines where they are known, else off the goods in proportion."""
    lines = {line.line_id: line for line in (*goods, *shipping)}
    returned = []
    for said, alike in _said(refund, goods, shipping) if refund is not None else ():
        # Without a number it can only be about one that is alone of its sort.
        line = lines.get(_refunded_line(said)) or (alike[0] if len(alike) == 1 else None)
        if line is not None:
            returned.append(_returned(line, said, currency))
    left = sum(line.gross for line in lines.values())
    take_back(goods, returned, amount)
    taken = left - sum(line.gross for line in lines.values())
    spread(shipping, amount - taken)


def _said(
    refund: Refund, goods: Sequence[NetLine], shipping: Sequence[NetLine]
) -> Iterator[tuple[Line, Sequence[NetLine]]]:
    """Lines of a refund, each with the order's lines of its product, or of its sort."""
    for said in refund.line_items:
        yield said, [line for line in goods if line.codes[:2] == _codes(said)[:2]]
    for said in refund.shipping_lines:
        yield said, shipping
    fees = [line for line in goods if line.codes[-1] == "fee"]
    for said in refund.fee_lines:
        yield said, fees


def _returned(line: NetLine, said: Line, currency: str) -> Returned:
    return Returned(
        line,
        abs(minor_units(said.total, currency, "total")),
        abs(minor_units(said.total_tax, currency, "total_tax")),
        abs(decimal(said.quantity, "quantity")),
    )


def _refunded_line(said: Line) -> str:
    return next((str(meta.value) for meta in said.meta_data if meta.key == REFUNDED_LINE), "")
