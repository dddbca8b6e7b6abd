"""What an account keeps for the tier ladder: what counted, window by window, and tiers held.

Both are bounded. What is too old to be kept by its window is added up under window "", so that
needs which count for ever still see it.
"""

from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

from ledger.core.instant import Instant
from ledger.core.state import Account, TierSpan
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
GRANTED: Final = "granted"
_YEAR: Final = 4

BASIS_NAME: Final[dict[TierBasis.ValueType, str]] = {
    # Facts that are older than the field were all earned.
    TIER_BASIS_UNSPECIFIED: "earned",
    TIER_BASIS_EARNED: "earned",
    TIER_BASIS_GRANTED: GRANTED,
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
    """Leave out the oldest spans, but none for ever, nor what staff gave and is not over."""
    old, newest = spans[:-SPANS_KEPT], spans[-SPANS_KEPT:]
    if not old:
        return newest
    given = {_end(span) for span in newest if span.basis == GRANTED}
    kept: list[TierSpan] = []
    for span in reversed(old):
        if span.basis == "lifetime":
            kept.append(span)
        elif granted((span,), newest[-1].from_at) and _end(span) not in given:
            given.add(_end(span))
            kept.append(span)
    return (*reversed(kept), *newest)


def granted(spans: Iterable[TierSpan], at: Instant) -> list[TierSpan]:
    """Tiers that staff gave and that are not over at an instant, covered by a higher one or not."""
    return [
        span
        for span in spans
        if span.basis == GRANTED and (span.valid_until is None or span.valid_until > at)
    ]


def still_held(spans: Sequence[TierSpan], at: Instant) -> list[TierSpan]:
    """What an account would have by itself: what staff gave, and beneath that its own last tier."""
    own = [span for span in spans if span.basis != GRANTED][-1:]
    held = [span for span in own if span.valid_until is None or span.valid_until > at]
    return [*granted(spans, at), *held]


def end_granted(spans: Iterable[TierSpan], at: Instant) -> tuple[TierSpan, ...]:
    """Let end at an instant what staff gave."""
    over = granted(spans, at)
    return tuple(span._replace(valid_until=at) if span in over else span for span in spans)


def brought(account: Account) -> tuple[TierSpan, ...]:
    """What staff gave to the accounts that are part of this one."""
    if not account.parts:
        return ()
    parts = account.parts.values()
    return tuple(span for part in parts for span in part.tiers if span.basis == GRANTED)


def grants_of(account: Account, at: Instant) -> list[TierSpan]:
    """What staff gave to an account and to its parts and is not over, each grant once."""
    found = granted((*account.tiers, *brought(account)), at)
    return list({_end(span): span for span in found}.values())


def _end(span: TierSpan) -> tuple[str, Instant | None]:
    """By what a grant is known, however often its tier was held anew."""
    return span.tier, span.valid_until
