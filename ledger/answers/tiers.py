"""A member's place on the ladder, as callers see it."""

from typing import Final

import rules
from ledger.core.instant import optional_timestamp
from ledger.core.standing import BASIS_NAME
from loyalty.v1.account_service_pb2 import GetTierResponse, TierNeed, TierNeeds
from loyalty.v1.events_pb2 import TIER_BASIS_UNSPECIFIED

_BASES: Final = {
    name: basis for basis, name in BASIS_NAME.items() if basis != TIER_BASIS_UNSPECIFIED
}


def tier_message(member_id: str, now: rules.Progress | None, *, position: str) -> GetTierResponse:
    """The answer to GetTier; without a ladder it names the member alone."""
    if now is None:
        return GetTierResponse(member_id=member_id, position=position)
    return GetTierResponse(
        member_id=member_id,
        tier=now.tier,
        valid_until_time=optional_timestamp(now.valid_until),
        basis=_BASES[now.basis],
        keep=_needs(now.keep),
        next_tier=now.next_tier or "",
        reach=_needs(now.reach),
        projected_tier=now.projected_tier,
        projected_time=optional_timestamp(now.projected_at),
        position=position,
    )


def _needs(any_of: rules.NeedsProgress) -> list[TierNeeds]:
    return [TierNeeds(needs=[_need(need) for need in needs]) for needs in any_of]


def _need(need: rules.NeedProgress) -> TierNeed:
    return TierNeed(
        metric=need.metric,
        subject=need.subject,
        business_units=need.units,
        have=need.have,
        want=need.want,
        missing=need.missing,
        window_start_time=optional_timestamp(need.window_starts),
        window_end_time=optional_timestamp(need.window_ends),
    )
