"""The web shop: a British online retailer's invoices where the file is there, else seeded orders.

The file states returns as invoices of their own. Here a return is what it means: a new version of
the order it takes back from, with what is left. Where no earlier purchase of that product by that
customer is left to take from, the refund is counted apart, since no document can state a negative
net. A discount lowers the goods of its own invoice.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq

from ledger.core.instant import Instant, from_datetime
from server.demo.owners import CUSTOMER_PERCENT, Members
from server.demo.sources import (
    DAY,
    WHOLE,
    YEAR_BEGINS_AT,
    Control,
    Kind,
    Line,
    Source,
    SourceDocument,
    in_part,
    seeded,
    shared_file,
    total,
)

PUBLISHED: Final = Decimal("9747747.934")
"""Sum of quantity times unit price over the whole file; four of its prices have three decimals."""

FILE: Final = "online_retail/online_retail.whitehorse.parquet"
SHIFT: Final = timedelta(weeks=313)
ZONE: Final = ZoneInfo("Europe/London")
SEEDED_CUSTOMERS: Final = 2_000
SEEDED_ORDERS: Final = 8_000

_CENT: Final = Decimal("0.01")
_SPECIAL: Final = {
    "POST": "shipping",
    "DOT": "shipping",
    "C2": "shipping",
    "BANK CHARGES": "general/fee",
    "AMAZONFEE": "general/fee",
    "B": "general/fee",
    "D": "goods/discount",
    "M": "general/other",
    "m": "general/other",
    "S": "general/other",
    "CRUK": "general/other",
}
_LINKS: Final = (
    f"made up: {CUSTOMER_PERCENT} % of the members are paired one to one with customers by hash"
)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of an invoice; `exact` in pounds as the file means it, `net` in whole pence."""

    invoice: str
    stock_code: str
    quantity: int
    exact: Decimal
    net: int
    sold_at: Instant
    customer: str | None


@dataclass(slots=True)
class Order:
    """An order while its returns come in: net by category, and how often it was stated."""

    document_id: str
    customer: str | None
    version: int = 1
    net: dict[str, int] = field(default_factory=dict)

    def add(self, category: str, net: int) -> None:
        """Add to what is left of a category."""
        self.net[category] = self.net.get(category, 0) + net

    def settle_negative(self) -> int:
        """Let discounts and the like lower the largest category; the rest is dropped, returned."""
        negative = sum(net for net in self.net.values() if net < 0)
        self.net = {category: net for category, net in self.net.items() if net >= 0}
        largest = max(self.net, key=lambda category: self.net[category], default=None)
        if largest is None or not negative:
            return negative
        taken = max(negative, -self.net[largest])
        self.net[largest] += taken
        return negative - taken


@dataclass(slots=True)
class Purchase:
    """A line that a return may take from."""

    order: Order
    quantity: int


def read(members: Members, *, real: bool, share: Fraction = WHOLE) -> Source:
    """Read a share of the customers' invoices; which member each is, says the demo's own rule."""
    path = shared_file(FILE) if real else None
    return _seeded(members, share) if path is None else _real(path, members, share)


def _real(path: Path, members: Members, share: Fraction) -> Source:
    every = list(_rows(path))
    # By customer, so that what a customer brings back was bought in the same part.
    rows = [row for row in every if in_part(share, "web", row.customer or row.invoice)]
    owners = members.of_customers({row.customer for row in rows if row.customer is not None})
    amount, exact = _exact(every), _exact(rows)
    rounded = sum((Decimal(row.net).scaleb(-2) for row in rows), Decimal(0))
    # By number and not by neighbourhood: the file interrupts one invoice with another.
    invoices: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        invoices[row.invoice].append(row)
    turned = Invoices(owners)
    documents = [document for lines in invoices.values() for document in turned.stated(lines)]
    below_zero = Decimal(turned.below_zero).scaleb(-2)
    return Source(
        business_unit="web",
        origin="real: Online Retail 2010-12 to 2011-12, moved by 313 weeks",
        links=_LINKS,
        control=Control(
            PUBLISHED,
            len({row.invoice for row in every}),
            amount,
            left_out=amount - exact,
            below_zero=below_zero,
            rounding=rounded - exact,
        ),
        documents=documents,
    )


def _exact(rows: Iterable[Row]) -> Decimal:
    return sum((row.exact for row in rows), Decimal(0))


def category_of(stock_code: str) -> str:
    """Category of a stock code: shipping, fees, gift cards and the like, else homeware."""
    if stock_code.startswith("gift_"):
        return "gift_card"
    return _SPECIAL.get(stock_code, "goods/homeware")


def _rows(path: Path) -> Iterator[Row]:
    names = ["InvoiceNo", "StockCode", "Quantity", "UnitPrice", "InvoiceDate", "CustomerID"]
    table = pq.read_table(path, columns=names)
    columns = [table[name].to_pylist() for name in names]
    for invoice, stock_code, quantity, price, sold, customer in zip(*columns, strict=True):
        # The shortest text of the float is the price that was meant.
        exact = Decimal(repr(price)) * quantity
        yield Row(
            invoice=invoice,
            stock_code=stock_code,
            quantity=quantity,
            exact=exact,
            net=int(exact.quantize(_CENT, rounding=ROUND_HALF_EVEN).scaleb(2)),
            sold_at=_sold_at(sold),
            customer=None if customer is None or customer != customer else str(int(customer)),
        )


@cache
def _sold_at(sold: datetime) -> Instant:
    return from_datetime((sold + SHIFT).replace(tzinfo=ZONE))


class Invoices:
    """Invoices in the order of the file, turned into net states; `below_zero` in pence."""

    def __init__(self, owners: dict[str, int]) -> None:
        """Know which member a customer is."""
        self.below_zero = 0
        self._owners = owners
        self._purchases: dict[tuple[str, str], list[Purchase]] = defaultdict(list)

    def stated(self, rows: Sequence[Row]) -> Iterator[SourceDocument]:
        """What one more invoice says: an order, and new versions of those it takes back from."""
        head = rows[0]
        own = Order(head.invoice, head.customer)
        reduced: dict[str, Order] = {}
        for row in rows:
            category = category_of(row.stock_code)
            source = self._returned_from(row, category)
            if source is None:
                own.add(category, row.net)
            else:
                source.add(category, row.net)
                reduced[source.document_id] = source
        self.below_zero += own.settle_negative()
        for row in rows:
            if row.customer is not None and row.quantity > 0:
                bought = self._purchases[row.customer, row.stock_code]
                bought.append(Purchase(own, row.quantity))
        if own.net:
            yield _document(own, head.sold_at, self._owners)
        for order in reduced.values():
            order.version += 1
            yield _document(order, head.sold_at, self._owners)

    def _returned_from(self, row: Row, category: str) -> Order | None:
        """The latest purchase that has what this row gives back, less that; None if none has."""
        if row.customer is None or row.quantity >= 0:
            return None
        for purchase in reversed(self._purchases[row.customer, row.stock_code]):
            left = purchase.order.net.get(category, 0)
            if purchase.quantity >= -row.quantity and left + row.net >= 0:
                purchase.quantity += row.quantity
                return purchase.order
        return None


def _document(order: Order, at: Instant, owners: dict[str, int]) -> SourceDocument:
    return SourceDocument(
        business_unit="web",
        document_id=order.document_id,
        kind=Kind.ORDER,
        currency_code="GBP",
        occurred_at=at,
        owner=None if order.customer is None else owners.get(order.customer),
        lines=tuple(Line(category, category, net) for category, net in sorted(order.net.items())),
        version=order.version,
        channel="web",
    )


def _seeded(members: Members, share: Fraction) -> Source:
    names = [f"S{number}" for number in range(SEEDED_CUSTOMERS)]
    customers = {name for name in names if in_part(share, "web", name)}
    owners = members.of_customers(customers)
    orders = [_invented(number) for number in range(SEEDED_ORDERS)]
    every = [_document(order, at, owners) for order, at in orders]
    documents = [
        document
        for document, (order, _) in zip(every, orders, strict=True)
        if order.customer in customers
    ]
    amount = total(every)
    return Source(
        business_unit="web",
        origin="seeded: orders made up by hash",
        links=_LINKS,
        control=Control(None, len(every), amount, left_out=amount - total(documents)),
        documents=documents,
    )


def _invented(number: int) -> tuple[Order, Instant]:
    chance = seeded("web", "order", number)
    order = Order(f"S{number:06d}", f"S{chance % SEEDED_CUSTOMERS}")
    order.add("goods/homeware", 500 + chance // SEEDED_CUSTOMERS % 20_000)
    if chance // 40_000_000 % 3 == 0:
        order.add("shipping", 395)
    minute_of_day = 8 * 60 + chance // 1_000_000_000 % (12 * 60)
    at = YEAR_BEGINS_AT + chance // 7 % 340 * DAY + minute_of_day * 60_000_000
    return order, at
