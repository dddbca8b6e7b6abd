"""Rows as the columns that a statement over `unnest` takes.

Numbers and texts go as array literals: of each element of a list asyncpg asks several times what it
may be, which costs far more than writing it down.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple


def places(row: type[NamedTuple], names: str) -> tuple[int, ...]:
    """Where the fields with these names stand in a row."""
    return tuple(row._fields.index(name) for name in names.split())


def columns(
    rows: Sequence[tuple[Any, ...]],
    width: int,
    counting: Sequence[int] = (),
    naming: Sequence[int] = (),
) -> list[Sequence[Any]]:
    """Rows turned into columns, `width` empty ones without a row.

    Those `counting` are literals of numbers, and those `naming` of texts.
    """
    turned: list[Sequence[Any]] = [*zip(*rows, strict=True)] if rows else [()] * width
    for column in counting:
        turned[column] = numbers(turned[column])
    for column in naming:
        turned[column] = texts(turned[column])
    return turned


def numbers(column: Sequence[int | None]) -> str:
    """An array literal of numbers."""
    return f"{{{str(list(column))[1:-1]}}}".replace("None", "NULL")


def texts(column: Sequence[str | None]) -> str:
    """An array literal of texts."""
    quoted = ["NULL" if text is None else f'"{text}"' for text in column]
    literal = ",".join(quoted)
    if "\\" in literal or literal.count('"') != 2 * (len(quoted) - quoted.count("NULL")):
        # Hardly ever: the ids of some tills have quotes or backslashes in them.
        quoted = ["NULL" if text is None else f'"{_escaped(text)}"' for text in column]
        literal = ",".join(quoted)
    return f"{{{literal}}}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
