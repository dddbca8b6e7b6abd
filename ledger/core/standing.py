"""What an account keeps for the tier ladder: what counted, window by window, and tiers held.

Both are bounded. What is too old to be kept by its window is added up under window "", so that
needs which count for ever still see it.
"""

from typing import Final, TypeVar

from ledger.core.state import TierSpan
from ledger.core.usage import OLD
from loyalty.v1.events_pb2 import (
    TIER_BASIS_EARNED,
    TIER_BASIS_GRACE,
    TIER_BASIS_GRANTED,
    TIER_BASIS_LIFETIME,
    TIER_BASIS_UNSPECIFIED,
    TierBasis,
)

YEARS_KEPT: Final = 2
"""The running calendar year and the one before it decide every tier."""
DAYS_KEPT: Final = 800
"""Days with something counted: more than the two years over which any ladder looks back."""
SPANS_KEPT: Final = 8
_YEAR: Final = 4

BASIS_NAME: Final[dict[TierBasis.ValueType, str]] = {
    # Facts that are older than the field were all earned.
    TIER_BASIS_UNSPECIFIED: "earned",
    TIER_BASIS_EARNED: "earned",
    TIER_BASIS_GRANTED: "granted",
    TIER_BASIS_GRACE: "grace",
    TIER_BASIS_LIFETIME: "lifetime",
}
Key = TypeVar("Key", bound=tuple[str, ...])


def fold_old_windows(counted: dict[Key, int], of: tuple[str, ...], window: str) -> None:
    """Add the oldest windows of one thing up under OLD, once there are too many like the new one.

    Keys are what is counted, then its window; `of` is the key without its window.
    """
    kept = YEARS_KEPT if len(window) == _YEAR else DAYS_KEPT
    if window == OLD or len(counted) <= kept:
        return
    alike = sorted(
        key for key in counted if key[:-1] == of and len(key[-1]) == len(window) and key[-1] != OLD
    )
    for key in alike[:-kept]:
        old: Key = (*of, OLD)  # type: ignore[assignment]
        counted[old] = counted.get(old, 0) + counted.pop(key)


def kept_spans(spans: tuple[TierSpan, ...]) -> tuple[TierSpan, ...]:
    """Leave out the oldest spans, but none that was given for ever."""
    old, newest = spans[:-SPANS_KEPT], spans[-SPANS_KEPT:]
    return (*(span for span in old if span.basis == "lifetime"), *newest)
