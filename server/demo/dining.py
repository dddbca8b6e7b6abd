"""The restaurant: Pizza Place's orders of 2015, moved by 104 weeks into 2017."""

import csv
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Final
from zoneinfo import ZoneInfo

from ledger.core.instant import Instant, from_datetime
from server.demo.owners import ORDER_PERCENT, Members
from server.demo.sources import Control, Kind, Line, Source, SourceDocument, package_file

PUBLISHED: Final = Decimal("817860.05")
"""Sum of price over the whole file; its currency is not stated and taken as US dollars."""

SHIFT: Final = timedelta(weeks=104)
ZONE: Final = ZoneInfo("America/New_York")


def read(members: Members) -> Source:
    """Read all orders; who ordered is not in the file and comes from the demo's own rule.

    Raises:
        SourceError: the package that ships the file is missing.
    """
    path = package_file("great_tables", "data/05-pizzaplace.csv")
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    documents = [
        _document(order, list(lines), members) for order, lines in groupby(rows, itemgetter("id"))
    ]
    amount = sum((Decimal(row["price"]) for row in rows), Decimal(0))
    return Source(
        business_unit="dining",
        origin="real: Pizza Place 2015 (package great_tables), moved by 104 weeks",
        links=f"made up: {ORDER_PERCENT} % of the orders are given to members by hash",
        control=Control(PUBLISHED, len(documents), amount),
        documents=documents,
    )


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
