"""Lines and payments of an order in the words of the contract."""

from collections.abc import Sequence

from adapters.frame.adapter import read_as
from adapters.frame.mapping import MappingFile
from adapters.frame.money import capped_shares, minor_units
from adapters.frame.words import Content, Parts
from adapters.shopify.netting import Net
from adapters.shopify.shapes import Line, Order, Transactions
from loyalty.v1.types_pb2 import (
    LINE_PART_KIND_TAX,
    Document,
    DocumentLine,
    LinePart,
    Payment,
)


def stated(lines: Sequence[Net], mapping: MappingFile) -> list[DocumentLine]:
    gross = mapping.settings.amounts == "gross"
    return [
        _line(net, mapping.category(*_codes(net.line)), gross=gross)
        for net in lines
        if net.amount or net.quantity
    ]


def _line(net: Net, category: str, *, gross: bool) -> DocumentLine:
    line = DocumentLine(
        line_id=net.line_id,
        category=category,
        quantity=str(net.quantity),
        net_minor_units=net.gross if gross else net.amount,
        brand=_short(net.line.vendor),
        sku=_short(net.line.sku),
    )
    if gross and net.tax:
        line.parts.append(LinePart(kind=LINE_PART_KIND_TAX, minor_units=net.tax))
    return line


def _short(text: str) -> str:
    return "".join(filter(str.isprintable, text))[:64]


def _codes(line: Line) -> tuple[str, ...]:
    """By what a line may be mapped, from the closest to the widest."""
    if line.gift_card:
        return ("gift_card",)
    if line.tip_payment_gateway:
        return ("tip",)
    return (f"product/{line.product_id}", f"sku/{line.sku}", f"vendor/{line.vendor}", "line")


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
    amounts = [line.net_minor_units for line in document.lines]
    for line, part in zip(document.lines, capped_shares(points, amounts), strict=True):
        line.paid_with_points_minor_units = part


def _paid(order: Order, fetched: Content | None) -> list[tuple[str, int]]:
    if fetched is None:
        if len(order.payment_gateway_names) != 1:
            return []
        total = minor_units(order.total_price, order.currency, "total_price")
        return [(order.payment_gateway_names[0], total)]
    return [
        (each.gateway, minor_units(each.amount, order.currency, "amount"))
        for each in read_as(Transactions, fetched).transactions
        if each.kind in ("sale", "capture") and each.status == "success"
    ]
