"""The restaurant: Pizza Place's orders of 2015, moved by 104 weeks into 2017."""

import csv
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from operator import itemgetter
from typing import Final
from zoneinfo import ZoneInfo

from ledger.core.instant import Instant, from_datetime
from server.demo.owners import ORDER_PERCENT, Members
from server.demo.sources import (
    WHOLE,
    Control,
    Kind,
    Line,
    Source,
    SourceDocument,
    in_part,
    package_file,
)

PUBLISHED: Final = Decimal("817860.05")
"""Sum of price over the whole file; its currency is not stated and taken as US dollars."""

SHIFT: Final = timedelta(weeks=104)
ZONE: Final = ZoneInfo("America/New_York")


def read(members: Members, *, share: Fraction = WHOLE) -> Source:
    """Read a share of the orders; who ordered is not in the file: the demo's own rule says so.

    Raises:
        SourceError: the package that ships the file is missing.
    """
    path = package_file("great_tables", "data/05-pizzaplace.csv")
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    orders = [(order, list(lines)) for order, lines in groupby(rows, itemgetter("id"))]
    taken = [(order, lines) for order, lines in orders if in_part(share, "dining", order)]
    amount = _price(orders)
    return Source(
        business_unit="dining",
        origin="real: Pizza Place 2015 (package great_tables), moved by 104 weeks",
        links=f"made up: {ORDER_PERCENT} % of the orders are given to members by hash",
        control=Control(PUBLISHED, len(orders), amount, left_out=amount - _price(taken)),
        documents=[_document(order, lines, members) for order, lines in taken],
    )


def _price(orders: Iterable[tuple[str, list[dict[str, str]]]]) -> Decimal:
    return sum((Decimal(row["price"]) for _, rows in orders for row in rows), Decimal(0))


def _document(order: str, rows: list[dict[str, str]], members: Members) -> SourceDocument:
    return SourceDocument(
        business_unit="dining",
        document_id=order,
        kind=Kind.SALE,
        currency_code="USD",
        occurred_at=_occurred_at(rows[0]),
        owner=members.of_visit("dining", order, percent=ORDER_PERCENT),
        lines=tuple(
            Line(str(number), f"food/pizza-{row['type']}", _cents(row["price"]))
            for number, row in enumerate(rows, 1)
        ),
        channel="pos",
    )


def _cents(price: str) -> int:
    cents = Decimal(price).scaleb(2)
    assert cents == int(cents), price
    return int(cents)


def _occurred_at(row: dict[str, str]) -> Instant:
    local = datetime.fromisoformat(f"{row['date']}T{row['time']}") + SHIFT
    return from_datetime(local.replace(tzinfo=ZONE))
