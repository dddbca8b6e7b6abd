"""Sums over a history that are kept small: what a chunk adds is grouped, then added.

Texts are kept as categories, four bytes each, since a million members are named many times.
"""

from collections.abc import Sequence

import polars as pl


def as_categories(frame: pl.DataFrame) -> pl.DataFrame:
    """Keep each text of a column once."""
    return frame.with_columns(pl.col(pl.String).cast(pl.Categorical))


class Sums:
    """Whole numbers added up by some columns."""

    def __init__(self, by: Sequence[str], amounts: Sequence[str]) -> None:
        """Group by the columns `by`, and add the columns `amounts` up."""
        self._by = list(by)
        self._names = list(amounts)
        self._amounts = [pl.col(name).sum() for name in amounts]
        self._parts: list[pl.DataFrame] = []
        self._rows = 0

    def add(self, frame: pl.DataFrame) -> None:
        """Add more; what piles up is grouped again before it is twice as long as what is kept."""
        part = self._grouped(as_categories(frame.select(self._by + self._names)))
        self._parts.append(part)
        self._rows += part.height
        if self._rows > 2 * self._parts[0].height + 100_000:
            self._parts = [self._grouped(pl.concat(self._parts))]
            self._rows = self._parts[0].height

    def total(self) -> pl.DataFrame | None:
        """Give the sums, sorted by what they are grouped by; None when nothing was added."""
        if not self._parts:
            return None
        total = self._grouped(pl.concat(self._parts))
        return total.with_columns(pl.col(pl.Categorical).cast(pl.String)).sort(self._by)

    def _grouped(self, frame: pl.DataFrame) -> pl.DataFrame:
        return frame.group_by(self._by).agg(self._amounts)
