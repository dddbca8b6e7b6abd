"""What is left of an order after its discounts and refunds, line by line, in minor units."""

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.frame.money import capped_shares, minor_units, shares
from adapters.frame.words import Parked, Unreadable
from adapters.shopify.shapes import Line, Order, Refund, RefundLine, Shipping


@dataclass(slots=True)
class Net:
    """What is left of a line, in minor units."""

    line: Line
    line_id: str
    amount: int
    """Without tax."""
    tax: int
    quantity: int

    @property
    def gross(self) -> int:
        return self.amount + self.tax

    def take_back(self, net: int, tax: int) -> None:
        """Refund of it, never beyond what is left: more was never earned on."""
        self.amount -= min(net, self.amount)
        self.tax -= min(tax, self.tax)


@dataclass(frozen=True, slots=True)
class Returned:
    """What a refund says of a line, in minor units."""

    net: Net
    amount: int
    tax: int
    quantity: int


def net_lines(order: Order, refunds: Sequence[Refund]) -> tuple[list[Net], int, int]:
    """Lines, shipping and tip after all refunds."""
    currency = order.currency
    lines = _lines(order)
    shipping = sum(_shipping(each, currency) for each in order.shipping_lines)
    tip = minor_units(order.total_tip_received, currency, "total_tip_received")
    if any(net.line.tip_payment_gateway for net in lines):
        tip = 0  # It is a line already.
    for refund in sorted(refunds, key=lambda each: (each.created_at, each.id)):
        shipping -= min(shipping, _take_back(lines, refund, order))
    return lines, shipping, tip


def _lines(order: Order) -> list[Net]:
    """Lines after discounts, which add up to no more than the order's own subtotal."""
    currency = order.currency
    lines: list[Net] = []
    seen: dict[str, int] = {}
    for line in order.line_items:
        seen[line.id] = seen.get(line.id, 0) + 1
        price = minor_units(line.price, currency, "price") * line.quantity
        amount = price - _discount(line, currency)
        tax = sum(minor_units(each.price, currency, "tax_lines") for each in line.tax_lines)
        if amount < 0 or tax < 0 or (order.taxes_included and tax > amount):
            raise Unreadable(f"line {line.id} has a discount or a tax beyond its price")
        line_id = line.id if seen[line.id] == 1 else f"{line.id[:58]}/{seen[line.id]}"
        lines.append(Net(line, line_id, amount, tax, line.quantity))
    _fit_subtotal(lines, minor_units(order.subtotal_price, currency, "subtotal_price"))
    if order.taxes_included:
        for net in lines:
            net.tax = min(net.tax, net.amount)
            net.amount -= net.tax
    return lines


def _fit_subtotal(lines: Sequence[Net], subtotal: int) -> None:
    """Spread what a discount of the whole order took off, where lines do not say it."""
    goods = [net for net in lines if not net.line.tip_payment_gateway]
    total = sum(net.amount for net in goods)
    if 0 <= subtotal < total:
        for net, amount in zip(goods, shares(subtotal, [n.amount for n in goods]), strict=True):
            net.amount = amount


def _discount(line: Line, currency: str) -> int:
    if line.discount_allocations is None:
        return minor_units(line.total_discount, currency, "total_discount")
    amounts = [minor_units(each.amount, currency, "discount") for each in line.discount_allocations]
    return sum(amounts)


def _shipping(shipping: Shipping, currency: str) -> int:
    taken_off = sum(
        minor_units(each.amount, currency, "discount") for each in shipping.discount_allocations
    )
    return max(minor_units(shipping.price, currency, "shipping_lines") - taken_off, 0)


def _take_back(lines: Sequence[Net], refund: Refund, order: Order) -> int:
    """Take a refund off the lines; return what of it was shipping.

    Lines say what came back, transactions what was paid for it: the lower counts. Money beyond the
    lines is a refund of an amount, spread over all that is left.
    """
    currency = order.currency
    shipping = sum(
        abs(minor_units(each.amount, currency, "order_adjustments"))
        + abs(minor_units(each.tax_amount, currency, "order_adjustments"))
        for each in refund.order_adjustments
        if each.kind == "shipping_refund"
    )
    returned = [_returned(lines, each, order) for each in refund.refund_line_items]
    weights = [each.amount + each.tax for each in returned]
    paid = _paid_back(refund, currency)
    left = sum(weights) if paid is None else max(paid - shipping, 0)
    for each, given in zip(returned, capped_shares(left, weights), strict=True):
        amount, tax = shares(given, [each.amount, each.tax])
        each.net.take_back(amount, tax)
        each.net.quantity = max(each.net.quantity - each.quantity, 0)
    _spread(lines, max(left - sum(weights), 0))
    return shipping


def _returned(lines: Sequence[Net], said: RefundLine, order: Order) -> Returned:
    """What of which line came back. Raises Parked: the order that we know has no such line."""
    net = next((each for each in lines if each.line.id == said.line_item_id), None)
    if net is None:
        raise Parked("line_missing", f"a refund names line {said.line_item_id}")
    tax = minor_units(said.total_tax, order.currency, "total_tax")
    if said.subtotal is None:
        # Older versions of the API name no amount.
        amount = minor_units(net.line.price, order.currency, "price") * said.quantity
        return Returned(net, amount, tax, said.quantity)
    amount = minor_units(said.subtotal, order.currency, "subtotal")
    if order.taxes_included:
        amount -= min(tax, amount)
    return Returned(net, amount, tax, said.quantity)


def _paid_back(refund: Refund, currency: str) -> int | None:
    """What was paid back in the order's currency; None: nothing is said about it."""
    if not refund.transactions or any(
        each.currency not in ("", currency) for each in refund.transactions
    ):
        return None
    return sum(
        minor_units(each.amount, currency, "transactions")
        for each in refund.transactions
        if each.kind in ("", "refund") and each.status not in ("failure", "error")
    )


def _spread(lines: Sequence[Net], amount: int) -> None:
    for net, part in zip(lines, capped_shares(amount, [n.gross for n in lines]), strict=True):
        net.take_back(*shares(part, [net.amount, net.tax]))
