"""Ask a condition of a Polars frame, row by row of the answer."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from rules.expr import Node
from rules.expr.sets import as_polars
from rules.expr.types import Type
from tests.rules.expr.naive import ERROR
from tests.rules.expr.samples import ENVIRONMENT

_COLUMN = {
    Type.INT: pl.Int64(),
    Type.BOOL: pl.Boolean(),
    Type.STRING: pl.String(),
    Type.STRINGS: pl.List(pl.String()),
}
SCHEMA = {
    f"{root}.{field}": _COLUMN[kind]
    for root, fields in ENVIRONMENT.roots.items()
    for field, kind in fields.items()
}


def asked_of_set(node: Node, rows: Sequence[dict[str, Any]]) -> list[bool | str]:
    """Return the answer for each row; a fault is null there and ERROR here."""
    columns = {name: [row.get(name) for row in rows] for name in SCHEMA}
    frame = pl.DataFrame(columns, schema=SCHEMA).with_columns(
        as_polars(node, ENVIRONMENT).alias("answer")
    )
    return [ERROR if value is None else value for value in frame["answer"]]
