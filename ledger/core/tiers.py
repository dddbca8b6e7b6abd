"""Tiers: what the ladder answers is recorded, when points were counted or a period ended."""

from ledger.core.commands import TierLadder, TierVerdict
from ledger.core.decision import Draft
from ledger.core.instant import Instant, optional_timestamp, to_timestamp
from ledger.core.state import Account
from loyalty.v1.events_pb2 import (
    TIER_CAUSE_PERIOD_ENDED,
    TIER_CAUSE_REACHED,
    TierCause,
    TierChanged,
)


def reach(draft: Draft, ladder: TierLadder, *, entry_id: str) -> None:
    """Ask after qualifying points changed. A tier that stays is not recorded again."""
    account = draft.tally.account()
    verdict = ladder(account, draft.at)
    if verdict is not None and verdict.tier != account.tier:
        _record(draft, account, verdict, cause=TIER_CAUSE_REACHED, entry_id=entry_id)


def end_period(draft: Draft, ladder: TierLadder) -> Instant | None:
    """Ask what follows the tier whose validity ends at `draft.at`; returns the new end.

    A tier that stays is recorded with its new end. No ladder any more: no tier.
    """
    account = draft.tally.account()
    verdict = ladder(account, draft.at) or TierVerdict("", None, "", 0, "")
    if verdict.valid_until is not None and verdict.valid_until <= draft.at:
        # A period that ends as it begins would be asked about for ever: it has no end instead.
        verdict = TierVerdict(
            verdict.tier, None, verdict.window, verdict.qualifying_points, verdict.policy_digest
        )
    _record(draft, account, verdict, cause=TIER_CAUSE_PERIOD_ENDED, entry_id="")
    return verdict.valid_until


def _record(
    draft: Draft,
    account: Account,
    verdict: TierVerdict,
    *,
    cause: TierCause.ValueType,
    entry_id: str,
) -> None:
    draft.record(
        TierChanged(
            from_tier=account.tier,
            to_tier=verdict.tier,
            valid_until_time=optional_timestamp(verdict.valid_until),
            cause=cause,
            tier_window=verdict.window,
            qualifying_points=verdict.qualifying_points,
            policy_digest=verdict.policy_digest,
            entry_id=entry_id,
            effective_time=to_timestamp(draft.at),
        )
    )
