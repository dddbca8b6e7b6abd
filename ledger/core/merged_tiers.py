"""The tier of an account that another one becomes part of, or leaves.

Of the tiers that both had, and that which their documents give together, the better one is kept; of
two alike the one that lasts longer. When one leaves, the account has again what it had by itself,
or what those have brought who stay.
"""

from collections.abc import Iterable, Mapping, Sequence

from ledger.core.commands import ContinueMerge, TierLadder
from ledger.core.decision import Draft
from ledger.core.instant import Instant, to_timestamp
from ledger.core.standing import still_held
from ledger.core.state import FAR_FUTURE, OWN, TierSpan
from ledger.core.tiers import BASES, end_period, reach
from loyalty.v1.events_pb2 import (
    TIER_BASIS_EARNED,
    TIER_CAUSE_MERGED,
    TIER_CAUSE_UNMERGED,
    TierCause,
    TierChanged,
)


def keep_better(
    draft: Draft,
    brought: Sequence[TierSpan],
    command: ContinueMerge,
    ladder: TierLadder,
    *,
    entry_id: str,
) -> None:
    """Ask the ladder with what both count for, then keep a better tier that is brought."""
    reach(draft, ladder, entry_id=entry_id)
    held = draft.tally.tiers[-1:]
    best = max(_valid(brought, draft.at), key=lambda span: _worth(span, command), default=None)
    if best is not None and (not held or _worth(best, command) > _worth(held[0], command)):
        had = held[0] if held else None
        _record(draft, best, command, had, cause=TIER_CAUSE_MERGED, entry_id=entry_id)


def restore(
    draft: Draft,
    left: Mapping[str, Sequence[TierSpan]],
    had: TierSpan | None,
    command: ContinueMerge,
    ladder: TierLadder,
    *,
    entry_id: str,
) -> None:
    """Give back the tier that the account had by itself, or by those who stay; then ask again.

    `had` is the tier that all of them had together, `draft` has the account's own again.
    """
    now = draft.at
    own = left.get(OWN, ())[-1:]
    spans = [span for spans in left.values() for span in still_held(spans, now) if span.tier]
    best = max(spans, key=lambda span: _worth(span, command), default=own[0] if own else None)
    held = draft.tally.tiers[-1] if draft.tally.tiers else None
    if not (_alike(had, best) and _alike(held, best)):
        _record(draft, best, command, had, cause=TIER_CAUSE_UNMERGED, entry_id=entry_id)
        if best is not None and best.valid_until is not None and best.valid_until <= now:
            end_period(draft, ladder)
    reach(draft, ladder, entry_id=entry_id)


def _valid(spans: Iterable[TierSpan], at: Instant) -> list[TierSpan]:
    return [
        span for span in spans if span.tier and (span.valid_until is None or span.valid_until > at)
    ]


def _worth(span: TierSpan, command: ContinueMerge) -> tuple[int, Instant]:
    return command.rank(span.tier), FAR_FUTURE if span.valid_until is None else span.valid_until


def _alike(one: TierSpan | None, other: TierSpan | None) -> bool:
    if one is None or other is None:
        return one is other
    return (one.tier, one.basis, one.valid_until) == (other.tier, other.basis, other.valid_until)


def _record(
    draft: Draft,
    span: TierSpan | None,
    command: ContinueMerge,
    had: TierSpan | None,
    *,
    cause: TierCause.ValueType,
    entry_id: str,
) -> None:
    changed = TierChanged(
        from_tier="" if had is None else had.tier,
        cause=cause,
        policy_digest=command.policy_digest,
        entry_id=entry_id,
        effective_time=to_timestamp(draft.at),
        basis=TIER_BASIS_EARNED,
    )
    if span is not None:
        changed.to_tier, changed.tier_window = span.tier, span.window
        changed.basis = BASES[span.basis]
        if span.valid_until is not None:
            changed.valid_until_time.CopyFrom(to_timestamp(span.valid_until))
        if span.review_at is not None:
            changed.review_time.CopyFrom(to_timestamp(span.review_at))
    draft.record(changed)
