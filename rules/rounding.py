"""Exact points to whole points."""

from collections.abc import Callable

Rounder = Callable[[int, int], int]
"""Rounds numerator / denominator (numerator at least 0, denominator above 0)."""


def _floor(numerator: int, denominator: int) -> int:
    return numerator // denominator


def _ceil(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)


def _half_up(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)


def _half_even(numerator: int, denominator: int) -> int:
    whole, rest = divmod(numerator, denominator)
    return whole + (2 * rest > denominator or (2 * rest == denominator and whole & 1))


ROUNDERS: dict[str, Rounder] = {
    "floor": _floor,
    "ceil": _ceil,
    "half_up": _half_up,
    "half_even": _half_even,
}


def round_signed(rounder: Rounder, numerator: int, denominator: int) -> int:
    """Round by magnitude, so that a line and the line that undoes it add up to nothing."""
    if numerator < 0:
        return -rounder(-numerator, denominator)
    return rounder(numerator, denominator)
