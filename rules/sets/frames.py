"""Documents as the rows of a Polars frame, and back.

A frame has one row for a document, in the order in which the documents were recorded: that is the
order in which they take from caps and get their numbers. Money is minor units, a quantity is
millionths, instants are microseconds.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import polars as pl

from rules.facts import MILLIONTHS, DocumentFacts, LineFacts, millionths

PARTS = ("tax", "discount", "shipping", "service_charge")
LINE = pl.Struct(
    {
        "category": pl.String,
        "brand": pl.String,
        "sku": pl.String,
        "quantity": pl.Int64,
        "net": pl.Int64,
        "paid_with_points": pl.Int64,
        "tax": pl.Int64,
        "discount": pl.Int64,
        "shipping": pl.Int64,
        "service_charge": pl.Int64,
    }
)
_COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "member": pl.String,
    "household": pl.String,
    "unit": pl.String,
    "channel": pl.String,
    "store": pl.String,
    "kind": pl.String,
    "status": pl.String,
    "currency": pl.String,
    "occurred_at": pl.Int64,
    "activity": pl.String,
    "tier": pl.String,
    "predicates": pl.List(pl.String()),
    "nights": pl.Int64,
    "stays": pl.Int64,
    "payments": pl.List(pl.Struct({"kind": pl.String, "minor": pl.Int64})),
    "coupons": pl.List(pl.String),
    "rates": pl.List(pl.Struct({"code": pl.String, "rate": pl.String})),
    "lines": pl.List(LINE),
}
DOCUMENTS = pl.Schema(_COLUMNS)
"""What must be there; columns beside these are not looked at.

`tier` null means the ladder's lowest tier. `household` is empty for a member without one. Of the
`predicates` those count that the policy asks, as `rules.pin` writes them.
"""


def row_of(
    document: DocumentFacts,
    *,
    member: str,
    tier: str | None,
    predicates: tuple[str, ...] = (),
    household: str = "",
) -> dict[str, Any]:
    """Write a document as a row."""
    return {
        "member": member,
        "household": household,
        "unit": document.business_unit,
        "channel": document.channel,
        "store": document.store,
        "kind": document.kind,
        "status": document.status,
        "currency": document.currency_code,
        "occurred_at": document.occurred_at,
        "activity": document.activity,
        "tier": tier,
        "predicates": list(predicates),
        "nights": document.nights,
        "stays": document.stays,
        "payments": [{"kind": kind, "minor": minor} for kind, minor in document.payments],
        "coupons": list(document.coupons),
        "rates": [{"code": code, "rate": str(rate)} for code, rate in document.rates],
        "lines": [_line_row(line) for line in document.lines],
    }


def _line_row(line: LineFacts) -> dict[str, Any]:
    parts = dict.fromkeys(PARTS, 0)
    for kind, minor in line.parts:
        parts[kind] += minor
    return {
        "category": line.category,
        "brand": line.brand,
        "sku": line.sku,
        "quantity": millionths(line.quantity),
        "net": line.net_minor,
        "paid_with_points": line.paid_with_points_minor,
        **parts,
    }


def facts_of(row: Mapping[str, Any]) -> DocumentFacts:
    """Read a document from its row; its lines have no ids."""
    return DocumentFacts(
        row["unit"],
        row["channel"],
        row["store"],
        row["kind"],
        row["status"],
        row["currency"],
        row["occurred_at"],
        tuple(_line_of(line) for line in row["lines"]),
        row["nights"],
        row["stays"],
        row["activity"],
        tuple((payment["kind"], payment["minor"]) for payment in row["payments"]),
        tuple(row["coupons"]),
        tuple((rate["code"], Fraction(rate["rate"])) for rate in row["rates"]),
    )


def _line_of(row: Mapping[str, Any]) -> LineFacts:
    return LineFacts(
        "",
        row["category"],
        Fraction(row["quantity"], MILLIONTHS),
        row["net"],
        row["paid_with_points"],
        row["brand"],
        row["sku"],
        tuple((kind, row[kind]) for kind in PARTS if row[kind]),
    )
