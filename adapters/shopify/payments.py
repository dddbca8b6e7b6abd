"""How an order was paid, and what of it with points."""

from adapters.frame.adapter import read_as
from adapters.frame.mapping import MappingFile
from adapters.frame.money import amount_of
from adapters.frame.netting import pay_with_points
from adapters.frame.words import Content, Parts
from adapters.shopify.shapes import Order, Transactions
from loyalty.v1.types_pb2 import Document, Payment


def points_among_others(order: Order, mapping: MappingFile) -> bool:
    """Whether points paid a share that the order itself does not tell."""
    points = {row.code for row in mapping.payments if row.points}
    names = set(order.payment_gateway_names)
    return len(names) > 1 and bool(names & points)


def pay(document: Document, order: Order, parts: Parts, mapping: MappingFile) -> None:
    """Tell how it was paid, where the mapping has means of payment at all."""
    if not mapping.payments:
        return
    points = 0
    for gateway, amount in _paid(order, parts.contents.get("transactions")):
        row = mapping.payment(gateway)
        document.payments.append(Payment(kind=row.kind, minor_units=amount))
        points += amount if row.points else 0
    pay_with_points(document.lines, points)


def _paid(order: Order, fetched: Content | None) -> list[tuple[str, int]]:
    if fetched is None:
        if len(order.payment_gateway_names) != 1:
            return []
        total = amount_of(order.total_price, order.currency, "total_price")
        return [(order.payment_gateway_names[0], total)]
    return [
        (each.gateway, amount_of(each.amount, order.currency, "amount"))
        for each in read_as(Transactions, fetched).transactions
        if each.kind in ("sale", "capture") and each.status == "success"
    ]
