"""What of an order a payment paid for, after its refunds, in minor units."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from adapters.frame.money import shares
from adapters.frame.netting import NetLine, Returned, spread, take_back, unique_ids
from adapters.frame.words import Parked, Unreadable
from adapters.square.shapes import Line, Order, Payment, Refund, Return, ReturnLine


def net_lines(
    payment: Payment,
    order: Order | None,
    refunds: Sequence[Refund],
    returned: Mapping[str, Sequence[Return]],
) -> list[NetLine]:
    """Return the lines that are left.

    Args:
        payment: it pays for all of the order, or for a share.
        order: None: the amount is all that is known.
        refunds: completed ones.
        returned: what came back, by id of the refund's order.
    """
    _expect_one_currency(payment, order, refunds)
    paid = payment.amount_money.amount
    if paid < 0:
        raise Unreadable(f"amount_money is {paid}, expected 0 or more")
    lines = [_by_amount(paid)] if order is None else _share(_lines(order), order, paid)
    for refund in refunds:
        told = returned.get(refund.order_id, ())
        back = [
            _returned(lines, each, order)
            for returns in told
            for each in returns.return_line_items
            if each.source_line_item_uid
        ]
        beside = sum(_beside(returns) for returns in told)
        amount = max(refund.amount_money.amount - beside, 0)
        if back:
            take_back(lines, back, amount)
        else:
            spread(lines, amount)
    return lines


def _expect_one_currency(payment: Payment, order: Order | None, refunds: Sequence[Refund]) -> None:
    lines = () if order is None else order.line_items
    amounts = [payment.amount_money, *(line.total_money for line in lines)]
    amounts += [refund.amount_money for refund in refunds]
    found = sorted({amount.currency for amount in amounts if amount.currency})
    if len(found) > 1:
        raise Unreadable(f"one payment in {' and '.join(found)}, expected one currency")


def _by_amount(paid: int) -> NetLine:
    return NetLine("1", ("payment",), paid, 0, Decimal(1))


def _lines(order: Order) -> list[NetLine]:
    ids = unique_ids([line.uid for line in order.line_items])
    return [_line(line, line_id) for line, line_id in zip(order.line_items, ids, strict=True)]


def _line(line: Line, line_id: str) -> NetLine:
    """A line after its discounts; a service charge that was put on it is nothing to earn on."""
    tax = line.total_tax_money.amount
    charge = line.total_service_charge_money.amount
    amount = line.total_money.amount - tax - charge
    quantity = Decimal(line.quantity)
    if min(amount, tax, charge) < 0 or quantity < 0:
        raise Unreadable(f"line {line.uid} is below nothing")
    sku = line.catalog_object_id
    return NetLine(line_id, _codes(line), amount, tax, quantity, sku)


def _codes(line: Line) -> tuple[str, ...]:
    """By what a line may be mapped, from the closest to the widest."""
    if line.item_type == "GIFT_CARD":
        return ("gift_card",)
    if line.catalog_object_id:
        return (f"item/{line.catalog_object_id}", "line")
    return ("custom", "line")


def _share(lines: list[NetLine], order: Order, paid: int) -> list[NetLine]:
    """The part of an order that one of several payments paid for."""
    tip = order.total_tip_money.amount
    if tip < 0:
        raise Unreadable(f"total_tip_money is {tip}, expected 0 or more")
    whole = order.total_money.amount - tip
    if whole <= 0 or paid >= whole:
        return lines
    goods = sum(line.gross for line in lines)
    part = goods * paid // whole
    for line, left in zip(lines, shares(part, [line.gross for line in lines]), strict=True):
        line.amount, line.tax = shares(left, [line.amount, line.tax])
    return lines


def _beside(returns: Return) -> int:
    """Tips and service charges that came back: a refund's amount contains them, no line does."""
    told = (returns.return_amounts.tip_money, returns.return_amounts.service_charge_money)
    return sum(max(each.amount, 0) for each in told)


def _returned(lines: Sequence[NetLine], said: ReturnLine, order: Order | None) -> Returned:
    net = next((line for line in lines if line.line_id == said.source_line_item_uid), None)
    if net is None:
        where = order.id if order is not None else "none"
        raise Parked(
            "line_missing", f"a refund names line {said.source_line_item_uid} of order {where}"
        )
    tax = max(said.total_tax_money.amount, 0)
    charge = max(said.total_service_charge_money.amount, 0)
    amount = max(said.total_money.amount - tax - charge, 0)
    return Returned(net, amount, tax, Decimal(said.quantity))
