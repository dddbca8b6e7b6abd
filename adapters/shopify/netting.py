"""What is left of an order after its discounts and refunds, line by line, in minor units."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from adapters.frame.money import amount_of, minor_units, shares
from adapters.frame.netting import NetLine, Returned, take_back, unique_ids
from adapters.frame.words import Parked, Unreadable
from adapters.shopify.shapes import Line, Order, Refund, RefundLine, Shipping

TIP: Final = ("tip",)
SHIPPING: Final = "shipping_refund"
"""Kind of an adjustment that pays shipping back; later versions of the API have lines for it."""


def net_lines(order: Order, refunds: Sequence[Refund]) -> tuple[list[NetLine], int, int]:
    """Lines, shipping and tip after all refunds."""
    currency = order.currency
    lines = _lines(order)
    shipping = sum(_shipping(each, currency) for each in order.shipping_lines)
    tip = amount_of(order.total_tip_received, currency, "total_tip_received")
    if any(line.tip_payment_gateway for line in order.line_items):
        tip = 0  # It is a line already.
    for refund in sorted(refunds, key=lambda each: (each.created_at, each.id)):
        returned = [_returned(lines, each, order) for each in refund.refund_line_items]
        given_back = _shipping_given_back(refund, currency)
        paid = _paid_back(refund, currency)
        if paid is None:
            # Paid back in the customer's currency: lines and adjustments are in the shop's.
            left = sum(each.amount + each.tax for each in returned) + _beyond(refund, currency)
        else:
            left = max(paid - given_back - _passed_on(refund, currency), 0)
        take_back(lines, returned, left)
        shipping -= min(shipping, given_back)
    return lines, shipping, tip


def _lines(order: Order) -> list[NetLine]:
    """Lines after discounts, which add up to no more than the order's own subtotal."""
    ids = unique_ids([line.id for line in order.line_items])
    lines = [
        _line(line, line_id, order) for line, line_id in zip(order.line_items, ids, strict=True)
    ]
    subtotal = amount_of(order.subtotal_price, order.currency, "subtotal_price")
    _fit_subtotal([line for line in lines if line.codes != TIP], subtotal)
    if order.taxes_included:
        for net in lines:
            net.tax = min(net.tax, net.amount)
            net.amount -= net.tax
    return lines


def _line(line: Line, line_id: str, order: Order) -> NetLine:
    """A line after its own discounts, its amount as the shop states it: with tax or without."""
    currency = order.currency
    amount = minor_units(line.price, currency, "price") * line.quantity
    amount -= _discount(line, currency)
    tax = sum(minor_units(each.price, currency, "tax_lines") for each in line.tax_lines)
    if amount < 0 or tax < 0 or (order.taxes_included and tax > amount):
        raise Unreadable(f"line {line.id} has a discount or a tax beyond its price")
    quantity = Decimal(line.quantity)
    return NetLine(line_id, _codes(line), amount, tax, quantity, line.sku, line.vendor)


def _codes(line: Line) -> tuple[str, ...]:
    """By what a line may be mapped, from the closest to the widest."""
    if line.gift_card:
        return ("gift_card",)
    if line.tip_payment_gateway:
        return TIP
    return (f"product/{line.product_id}", f"sku/{line.sku}", f"vendor/{line.vendor}", "line")


def _fit_subtotal(goods: Sequence[NetLine], subtotal: int) -> None:
    """Spread what a discount of the whole order took off, where lines do not say it."""
    amounts = [line.amount for line in goods]
    if subtotal < sum(amounts):
        for line, amount in zip(goods, shares(subtotal, amounts), strict=True):
            line.amount = amount


def _discount(line: Line, currency: str) -> int:
    if line.discount_allocations is None:
        return minor_units(line.total_discount, currency, "total_discount")
    amounts = [amount_of(each.amount, currency, "discount") for each in line.discount_allocations]
    return sum(amounts)


def _shipping(shipping: Shipping, currency: str) -> int:
    taken_off = sum(
        amount_of(each.amount, currency, "discount") for each in shipping.discount_allocations
    )
    return max(amount_of(shipping.price, currency, "shipping_lines") - taken_off, 0)


def _shipping_given_back(refund: Refund, currency: str) -> int:
    """What of a refund is shipping, tax included: in lines of its own, or as older ones say it."""
    if refund.refund_shipping_lines:
        amounts = [
            amount.shop_money.amount
            for each in refund.refund_shipping_lines
            for amount in (each.subtotal_amount_set, each.tax_amount_set)
        ]
    else:
        amounts = _adjustments(refund, shipping=True)
    return sum(abs(minor_units(amount, currency, "refunded shipping")) for amount in amounts)


def _adjustments(refund: Refund, *, shipping: bool) -> list[str]:
    """Amounts and taxes of adjustments that pay shipping back, or of all others."""
    return [
        amount
        for each in refund.order_adjustments
        if (each.kind == SHIPPING) is shipping
        for amount in (each.amount, each.tax_amount)
    ]


def _passed_on(refund: Refund, currency: str) -> int:
    """What of a refund are duties and fees, which no line contains."""
    told = (refund.total_duties_set, refund.total_additional_fees_set)
    return sum(minor_units(each.shop_money.amount, currency, "duties") for each in told)


def _beyond(refund: Refund, currency: str) -> int:
    """What was paid back beyond the lines. Less than them, it is not paid out yet."""
    amounts = _adjustments(refund, shipping=False)
    return max(-sum(minor_units(each, currency, "order_adjustments") for each in amounts), 0)


def _returned(lines: Sequence[NetLine], said: RefundLine, order: Order) -> Returned:
    """What of which line came back. Raises Parked: the order that we know has no such line."""
    of = next((each for each in order.line_items if each.id == said.line_item_id), None)
    net = next((each for each in lines if each.line_id == said.line_item_id), None)
    if of is None or net is None:
        raise Parked("line_missing", f"a refund names line {said.line_item_id}")
    tax = amount_of(said.total_tax, order.currency, "total_tax")
    quantity = Decimal(said.quantity)
    if said.subtotal is None:
        # Older versions of the API name no amount.
        amount = minor_units(of.price, order.currency, "price") * said.quantity
        return Returned(net, amount, tax, quantity)
    amount = amount_of(said.subtotal, order.currency, "subtotal")
    if order.taxes_included:
        amount -= min(tax, amount)
    return Returned(net, amount, tax, quantity)


def _paid_back(refund: Refund, currency: str) -> int | None:
    """What was paid back in the order's currency; None: nothing is said about it."""
    given = [each for each in refund.transactions if each.kind in ("", "refund")]
    if not given or any(each.currency not in ("", currency) for each in given):
        return None
    return sum(
        minor_units(each.amount, currency, "transactions")
        for each in given
        if each.status not in ("failure", "error")
    )
