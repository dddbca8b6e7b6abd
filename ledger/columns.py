"""Rows as the columns that a statement over `unnest` takes."""

from collections.abc import Sequence
from typing import Any


def columns(
    rows: Sequence[tuple[Any, ...]], width: int, counting: Sequence[int] = ()
) -> list[Sequence[Any]]:
    """Rows turned into columns, `width` empty ones without a row; those `counting` as literals."""
    turned: list[Sequence[Any]] = [*zip(*rows, strict=True)] if rows else [()] * width
    for column in counting:
        turned[column] = numbers(turned[column])
    return turned


def numbers(column: Sequence[int | None]) -> str:
    """An array literal: asyncpg asks of each element of a list several times what it may be."""
    return f"{{{str(list(column))[1:-1]}}}".replace("None", "NULL")
