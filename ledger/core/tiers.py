"""Tiers: what the ladder answers is recorded, when something counted or a period ended.

Staff may give a tier of their own; when that ends, the ladder says what the member has.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from ledger.core.commands import GrantTier, LeaveDocument, PostDocument, TierLadder, TierVerdict
from ledger.core.decision import Draft
from ledger.core.events import Fact
from ledger.core.instant import SECOND, Instant, optional_timestamp, to_timestamp
from ledger.core.refusals import NoTierGranted
from ledger.core.standing import BASIS_NAME, grants_of
from ledger.core.state import TierSpan
from ledger.core.usage import METRIC
from loyalty.v1.events_pb2 import (
    TIER_BASIS_GRANTED,
    TIER_BASIS_UNSPECIFIED,
    TIER_CAUSE_GRANT_ENDED,
    TIER_CAUSE_GRANTED,
    TIER_CAUSE_LIFETIME,
    TIER_CAUSE_PERIOD_ENDED,
    TIER_CAUSE_REACHED,
    TIER_CAUSE_REFUNDED,
    DocumentMovedOut,
    DocumentPosted,
    PointsClawedBack,
    TierBeneath,
    TierCause,
    TierChanged,
)

CAUSES: Final[dict[str, TierCause.ValueType]] = {
    "reached": TIER_CAUSE_REACHED,
    "lifetime": TIER_CAUSE_LIFETIME,
    "period_ended": TIER_CAUSE_PERIOD_ENDED,
    "grant_ended": TIER_CAUSE_GRANT_ENDED,
    "refunded": TIER_CAUSE_REFUNDED,
}
LATE: Final = 3600 * SECOND
NO_TIER: Final = TierVerdict("", None, "", 0, "")
"""What a ladder says that is not there any more."""
BASES: Final = {
    name: basis for basis, name in BASIS_NAME.items() if basis != TIER_BASIS_UNSPECIFIED
}


def takes_back(facts: Iterable[Fact]) -> bool:
    """Whether facts of a document take back something that counted for tiers."""
    for fact in facts:
        event = fact.event
        if isinstance(event, DocumentPosted | DocumentMovedOut):
            if any(use.change < 0 and use.name.startswith(METRIC) for use in event.usages):
                return True
        elif isinstance(event, PointsClawedBack) and event.tier_window:
            return True
    return False


def reach_by(
    draft: Draft, command: PostDocument | LeaveDocument, ladder: TierLadder, *, now: Instant
) -> None:
    """Ask after a document: as of when it happened, and for one that comes late as of now too.

    What happened after it may be recorded already, and only with that be enough.
    """
    refunded = not command.refunds.keeps_tier and takes_back(draft.facts)
    reach(draft, ladder, entry_id=command.entry_id, refunded=refunded)
    if now - draft.at > LATE:
        draft.at = now
        reach(draft, ladder, entry_id=command.entry_id)


def reach(draft: Draft, ladder: TierLadder, *, entry_id: str, refunded: bool = False) -> None:
    """Ask after something was counted, or taken back. A tier that stays is not recorded again."""
    account = draft.tally.account()
    verdict = ladder(account, draft.at, "refunded" if refunded else "counted")
    if verdict is None:
        return
    stays = account.tiers and verdict.basis == account.tiers[-1].basis
    if verdict.tier != account.tier or not stays or verdict.beneath is not None:
        _record(draft, verdict, cause=TIER_CAUSE_REACHED, entry_id=entry_id)


def end_period(draft: Draft, ladder: TierLadder) -> None:
    """Ask what follows the tier whose validity, or window, ends at `draft.at`.

    A tier that stays is recorded with its new end. No ladder any more: no tier.
    """
    account = draft.tally.account()
    verdict = ladder(account, draft.at) or NO_TIER
    if any(end is not None and end <= draft.at for end in (verdict.valid_until, verdict.review_at)):
        # A period that ends as it begins would be asked about for ever: it has no end instead.
        verdict = replace(verdict, valid_until=None, review_at=None)
    _record(draft, verdict, cause=TIER_CAUSE_PERIOD_ENDED, entry_id="")


def grant(draft: Draft, command: GrantTier, ladder: TierLadder) -> None:
    """Give a tier, or end what was given. Raises NoTierGranted."""
    if command.replaces or not command.tier:
        _end_granted(draft, command, ladder)
    if not command.tier:
        return
    draft.record(
        TierChanged(
            from_tier=draft.tally.tiers[-1].tier if draft.tally.tiers else "",
            to_tier=command.tier,
            valid_until_time=optional_timestamp(command.until),
            cause=TIER_CAUSE_GRANTED,
            policy_digest=command.policy_digest,
            entry_id=command.entry_id,
            effective_time=to_timestamp(draft.at),
            basis=TIER_BASIS_GRANTED,
            reason=command.reason,
            granting_unit=command.business_unit,
        )
    )


def _end_granted(draft: Draft, command: GrantTier, ladder: TierLadder) -> None:
    """End all that staff gave, the tier in force among it or beneath it."""
    account = draft.tally.account()
    if not grants_of(account, draft.at):
        raise NoTierGranted(tier=account.tier)
    verdict = ladder(account, draft.at, "grant_ended") or NO_TIER
    _record(
        draft,
        verdict,
        cause=TIER_CAUSE_GRANT_ENDED,
        entry_id=command.entry_id,
        ended_by=command,
    )


def _record(
    draft: Draft,
    verdict: TierVerdict,
    *,
    cause: TierCause.ValueType,
    entry_id: str,
    ended_by: GrantTier | None = None,
) -> None:
    changed = TierChanged(
        from_tier=draft.tally.tiers[-1].tier if draft.tally.tiers else "",
        to_tier=verdict.tier,
        valid_until_time=optional_timestamp(verdict.valid_until),
        review_time=optional_timestamp(verdict.review_at),
        cause=cause if ended_by else CAUSES.get(verdict.cause, cause),
        tier_window=verdict.window,
        qualifying_points=verdict.qualifying_points,
        policy_digest=verdict.policy_digest,
        entry_id=entry_id,
        effective_time=to_timestamp(draft.at),
        basis=BASES[verdict.basis],
    )
    if verdict.beneath is not None:
        _write_beneath(changed.beneath, verdict.beneath)
    if ended_by is not None:
        changed.reason = ended_by.reason
        changed.granting_unit = ended_by.business_unit
    draft.record(changed)


def _write_beneath(beneath: TierBeneath, span: TierSpan) -> None:
    beneath.tier, beneath.basis, beneath.tier_window = span.tier, BASES[span.basis], span.window
    if span.valid_until is not None:
        beneath.until_time.CopyFrom(to_timestamp(span.valid_until))
