"""Sums over a history that are kept small: what a chunk adds is grouped, then added."""

from collections.abc import Sequence

import polars as pl


class Sums:
    """Whole numbers added up by some columns."""

    def __init__(self, by: Sequence[str], amounts: Sequence[str]) -> None:
        """Group by the columns `by`, and add the columns `amounts` up."""
        self._by = list(by)
        self._amounts = [pl.col(name).sum() for name in amounts]
        self._parts: list[pl.DataFrame] = []
        self._rows = 0

    def add(self, frame: pl.DataFrame) -> None:
        """Add more; what piles up is grouped again before it is twice as long as what is kept."""
        part = self._grouped(frame)
        self._parts.append(part)
        self._rows += part.height
        if self._rows > 2 * self._parts[0].height + 100_000:
            self._parts = [self._grouped(pl.concat(self._parts))]
            self._rows = self._parts[0].height

    def total(self) -> pl.DataFrame | None:
        """Give the sums, sorted by what they are grouped by; None when nothing was added."""
        if not self._parts:
            return None
        return self._grouped(pl.concat(self._parts)).sort(self._by)

    def _grouped(self, frame: pl.DataFrame) -> pl.DataFrame:
        return frame.group_by(self._by).agg(self._amounts)
