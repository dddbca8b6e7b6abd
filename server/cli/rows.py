"""The rows of a transaction file, CSV or Parquet, read exactly into documents.

Columns (others are refused, so that a misspelt one is not lost):
  business_unit, source, document_id, occurred_time, category, currency   required
  net_amount         decimal text in major units ("12.50"), or
  net_minor_units    an integer; one of the two is required
  member             scheme:value, "card:8800"; empty for a sale without a member
  version            1 or more; 1 when missing
  line_id, quantity, kind (sale, order, stay, folio), status (pending, final, cancelled),
  channel, store, business_date   as in the contract
Rows with the same business_unit, source, document_id and version are the lines of one document.
"""

import re
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from ledger.core.instant import Instant
from rules.money import MINOR_DIGITS
from server.cli.refused import FileRefused, RowRefused
from server.cli.tables import (
    WHOLE,
    identity_of,
    instant_of,
    require_columns,
    require_no_more,
    table_rows,
    text_of,
)

REQUIRED: Final = (
    "business_unit",
    "source",
    "document_id",
    "occurred_time",
    "category",
    "currency",
)
AMOUNTS: Final = ("net_amount", "net_minor_units")
OPTIONAL: Final = (
    "member",
    "version",
    "line_id",
    "quantity",
    "kind",
    "status",
    "channel",
    "store",
    "business_date",
)
KINDS: Final = ("sale", "order", "stay", "folio")
STATUSES: Final = ("final", "pending", "cancelled")

_DECIMAL: Final = re.compile(r"-?\d{1,15}(?:\.\d{1,9})?")
_FLOAT_SLACK: Final = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read what a file leaves open.

    `zone` is that of times without one, `float_digits` how many decimals floats mean; None
    refuses such times and floats.
    """

    zone: ZoneInfo | None = None
    float_digits: int | None = None


@dataclass(frozen=True, slots=True)
class ReadLine:
    """A line; `net` in minor units, `rounded` what rounding to them added, in major units."""

    line_id: str
    category: str
    quantity: str
    net: int
    rounded: Decimal


@dataclass(slots=True)
class ReadDocument:
    """A document of the file. `problem` is set when one of its rows is wrong."""

    business_unit: str
    source: str
    document_id: str
    version: int
    currency_code: str = ""
    occurred_at: Instant = 0
    member: tuple[str, str] | None = None
    kind: str = KINDS[0]
    status: str = STATUSES[0]
    channel: str = ""
    store: str = ""
    business_date: str = ""
    lines: list[ReadLine] = field(default_factory=list)
    first_row: int = 0
    problem: str = ""

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What makes rows lines of one document."""
        return self.business_unit, self.source, self.document_id, self.version


def read(path: Path, reading: Reading) -> list[ReadDocument]:
    """Read all documents in order of their first row.

    Raises:
        FileRefused: no such file, not CSV or Parquet, or not these columns.
    """
    documents: dict[tuple[str, str, str, str], ReadDocument] = {}
    for number, row in enumerate(table_rows(path, _check_columns), 1):
        cells = {name: text_of(value) for name, value in row.items()}
        key = (
            cells["business_unit"],
            cells["source"],
            cells["document_id"],
            cells.get("version") or "1",
        )
        document = documents.get(key)
        new = document is None
        if document is None:
            version = int(key[3]) if WHOLE.fullmatch(key[3]) else 0
            document = ReadDocument(*key[:3], version, first_row=number)
            documents[key] = document
        try:
            _take(document, cells, row, reading, new=new)
        except RowRefused as refused:
            document.problem = document.problem or f"row {number}: {refused}"
    return list(documents.values())


def _check_columns(names: list[str]) -> None:
    require_columns(names, REQUIRED, (*REQUIRED, *AMOUNTS, *OPTIONAL))
    if sum(name in names for name in AMOUNTS) != 1:
        raise FileRefused("expected exactly one of the columns net_amount and net_minor_units")


def _take(
    document: ReadDocument,
    cells: dict[str, str],
    row: dict[str, object],
    reading: Reading,
    *,
    new: bool,
) -> None:
    """Add a row to its document; what is said once per document must be the same in all rows."""
    require_no_more(row)
    head = _head(cells, row["occurred_time"], reading)
    if new:
        for name, value in head.items():
            setattr(document, name, value)
    else:
        for name, value in head.items():
            if getattr(document, name) != value:
                raise RowRefused(name, value, f"{getattr(document, name)!r} as in its first row")
    document.lines.append(_line(cells, row, reading, number=len(document.lines) + 1))


def _head(cells: dict[str, str], occurred: object, reading: Reading) -> dict[str, object]:
    for name in ("business_unit", "source", "document_id"):
        if not cells[name]:
            raise RowRefused(name, "", "1 to 64 printable characters")
    version = cells.get("version") or "1"
    if not WHOLE.fullmatch(version) or int(version) < 1:
        raise RowRefused("version", version, "a whole number from 1")
    currency = cells["currency"]
    if currency not in MINOR_DIGITS:
        raise RowRefused("currency", currency, 'an ISO 4217 code such as "EUR"')
    return {
        "version": int(version),
        "currency_code": currency,
        "occurred_at": instant_of("occurred_time", occurred, reading.zone),
        "member": identity_of("member", cells.get("member", "")),
        "kind": _one_of("kind", cells, KINDS),
        "status": _one_of("status", cells, STATUSES),
        "channel": cells.get("channel", ""),
        "store": cells.get("store", ""),
        "business_date": cells.get("business_date", ""),
    }


def _one_of(name: str, cells: dict[str, str], known: tuple[str, ...]) -> str:
    value = cells.get(name) or known[0]
    if value not in known:
        raise RowRefused(name, value, f"one of {', '.join(known)}")
    return value


def _line(
    cells: dict[str, str], row: dict[str, object], reading: Reading, *, number: int
) -> ReadLine:
    if not cells["category"]:
        raise RowRefused("category", "", "a category of the policy")
    net, rounded = _net(cells, row, reading)
    return ReadLine(
        line_id=cells.get("line_id") or str(number),
        category=cells["category"],
        quantity=cells.get("quantity", ""),
        net=net,
        rounded=rounded,
    )


def _net(cells: dict[str, str], row: dict[str, object], reading: Reading) -> tuple[int, Decimal]:
    if "net_minor_units" in cells:
        whole = cells["net_minor_units"]
        if not WHOLE.fullmatch(whole):
            raise RowRefused("net_minor_units", whole, "an integer of minor units")
        return int(whole), Decimal(0)
    exact = _exact(row["net_amount"], reading.float_digits)
    digits = MINOR_DIGITS[cells["currency"]]
    rounded = exact.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_EVEN)
    return int(rounded.scaleb(digits)), rounded - exact


def _exact(value: object, float_digits: int | None) -> Decimal:
    if isinstance(value, float):
        if float_digits is None:
            raise RowRefused(
                "net_amount",
                value,
                "decimal text; floats need --float-digits to say what they mean",
            )
        # The shortest text that stands for the float is taken at its word, to so many decimals.
        stated = Decimal(repr(value))
        if not stated.is_finite():
            raise RowRefused("net_amount", value, "an amount")
        meant = stated.quantize(Decimal(1).scaleb(-float_digits), rounding=ROUND_HALF_EVEN)
        if abs(stated - meant) > _FLOAT_SLACK:
            raise RowRefused("net_amount", value, f"a float that means {float_digits} decimals")
        return meant
    text = text_of(value)
    if not _DECIMAL.fullmatch(text):
        raise RowRefused("net_amount", text, 'a decimal such as "1250.00", no separators')
    return Decimal(text)
