"""Exact arithmetic over many documents at once: int64 arrays, never floats."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Rounding = Callable[[Ints, int], Ints]

EXACT_MAX = 2**60
"""Sums stay below this, so that twice a numerator and its denominator fit an int64."""
_TABLE_MAX = 1 << 20


def ints(values: npt.ArrayLike) -> Ints:
    """Make an array of 64-bit whole numbers."""
    return np.asarray(values, dtype=np.int64)


def flags_of(values: npt.ArrayLike) -> Flags:
    """Make an array of flags."""
    return np.asarray(values, dtype=np.bool_)


def none(length: int) -> Flags:
    """Give flags of which none is set."""
    return np.zeros(length, dtype=np.bool_)


def classes(codes: Ints) -> tuple[Ints, Ints]:
    """Give where each distinct code first stands, and for each element the number of its class."""
    if not len(codes):
        return ints([]), ints([])
    low, high = int(codes.min()), int(codes.max())
    if high - low >= max(_TABLE_MAX, 4 * len(codes)):
        _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
        return ints(first), ints(inverse)
    shifted = codes - low
    first_of = np.full(high - low + 1, -1, dtype=np.int64)
    # Written backwards, the first occurrence is what stays.
    first_of[shifted[::-1]] = np.arange(len(codes) - 1, -1, -1)
    present = np.flatnonzero(first_of >= 0)
    number_of = np.zeros(high - low + 1, dtype=np.int64)
    number_of[present] = np.arange(len(present))
    return first_of[present], number_of[shifted]


def distinct(values: Ints) -> Ints:
    """Give the distinct values, sorted."""
    ordered = np.sort(values)
    return ordered[np.concatenate(([True], ordered[1:] != ordered[:-1]))] if len(values) else values


def combined(columns: Sequence[Ints], length: int) -> Ints:
    """Number the combinations of several columns of small codes."""
    codes = np.zeros(length, dtype=np.int64)
    span = 1
    for column in columns:
        width = int(column.max(initial=0)) + 1
        if span * width >= 2**62:
            first, codes = classes(codes)
            span = len(first)
        codes = codes * width + column
        span *= width
    return codes


def signatures(columns: Sequence[Flags], length: int) -> tuple[Ints, Ints]:
    """Give the classes of elements that have the same flags."""
    return classes(combined([column.astype(np.int64) for column in columns], length))


class Bounds:
    """Where the lines of each document begin and end, among lines in document order."""

    def __init__(self, counts: Ints) -> None:
        self.counts = counts
        self.ends = np.cumsum(counts)
        self.starts = self.ends - counts
        self._none_empty = bool(len(counts)) and bool((counts > 0).all())

    def total(self, values: Ints) -> Ints:
        """Add the values of each document's lines up."""
        if self._none_empty:
            return ints(np.add.reduceat(values, self.starts))
        # Sums that pass 2^63 come back: the difference of two is right all the same.
        running = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(values)))
        return ints(running[self.ends] - running[self.starts])

    def any(self, flags: Flags) -> Flags:
        """Say of each document whether one of its lines has the flag."""
        return self.total(flags.astype(np.int64)) > 0

    def lines_of(self, rows: Ints) -> Ints:
        """Give the places of the lines of some documents, in the order of those."""
        counts = self.counts[rows]
        ends = np.cumsum(counts)
        total = int(ends[-1]) if len(ends) else 0
        return ints(np.arange(total) + np.repeat(self.starts[rows] - (ends - counts), counts))


def _floor(numerator: Ints, denominator: int) -> Ints:
    return numerator // denominator


def _ceil(numerator: Ints, denominator: int) -> Ints:
    return -(-numerator // denominator)


def _half_up(numerator: Ints, denominator: int) -> Ints:
    return (2 * numerator + denominator) // (2 * denominator)


def _half_even(numerator: Ints, denominator: int) -> Ints:
    whole = numerator // denominator
    rest = 2 * (numerator - whole * denominator)
    up = (rest > denominator) | ((rest == denominator) & (whole & 1 == 1))
    return ints(whole + up)


ROUNDINGS: dict[str, Rounding] = {
    "floor": _floor,
    "ceil": _ceil,
    "half_up": _half_up,
    "half_even": _half_even,
}
"""As `rules.rounding.ROUNDERS`, for numerators of at least 0."""


def round_signed(rounding: Rounding, numerator: Ints, denominator: int) -> Ints:
    """Round by magnitude, as `rules.rounding.round_signed` does."""
    return np.sign(numerator) * rounding(np.abs(numerator), denominator)
