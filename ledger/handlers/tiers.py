"""GrantTier: a tier by decision of staff, and its end."""

from collections.abc import Mapping

import uuid_utils

import rules
from ledger.act import Act, Answer
from ledger.core import commands, refusals
from ledger.core.instant import Instant, from_timestamp, to_datetime
from ledger.core.standing import grants_of
from ledger.core.state import Account
from ledger.handlers import context
from ledger.handlers.carrying_out import carry_out
from ledger.handlers.members import member_message, require_unit
from ledger.ladders import standing_of
from ledger.work import Work
from loyalty.v1.member_service_pb2 import GrantTierRequest


def grant_tier(act: Act, work: Work) -> Answer:
    """Give a member a tier, or end the one that was given."""
    request = act.request
    assert isinstance(request, GrantTierRequest)
    at = context.occurred_at(act, work)
    require_unit(work, request.origin.business_unit, at)
    policy = work.policies.at(at)
    until = from_timestamp(request.until_time) if request.HasField("until_time") else None
    if until is not None and until <= at:
        expected = f"a time after {to_datetime(at).isoformat()}"
        given = to_datetime(until).isoformat()
        raise refusals.Malformed(field="until_time", value=given, expected=expected)
    stream = context.member_stream(act, work)
    account, _ = work.advance(stream)
    if request.tier:
        _check_tier(policy, account, at, request.tier)
    command = commands.GrantTier(
        entry_id=str(uuid_utils.uuid7()),
        tier=request.tier,
        until=until,
        reason=request.reason,
        business_unit=request.origin.business_unit,
        occurred_at=at,
        policy_digest=policy.digest,
        replaces=bool(request.tier)
        and _replaces(policy, account, max(at, work.clock_now()), request.tier),
    )
    done = carry_out(work, stream, command)
    return context.register(act, work, done.where, member_message(done.account, done.where))


def _check_tier(policy: rules.Policy, account: Account, at: Instant, tier: str) -> None:
    """Raise UnknownTier or TierBelowEarned."""
    ranks = rules.tier_ranks(policy)
    require_tier(ranks, tier)
    earned = rules.tier_for(
        policy, standing=standing_of(account), at=at, occasion="grant_ended"
    ).tier
    assert earned is not None, "a policy that knows the tier has a ladder"
    if ranks[tier] < ranks[earned]:
        raise refusals.TierBelowEarned(tier=tier, earned=earned)


def _replaces(policy: rules.Policy, account: Account, at: Instant, tier: str) -> bool:
    """Whether something that staff gave is as high: below it stands what has an end of its own.

    What is told late replaces nothing that is over by now, and so not what was given since.
    """
    ranks = rules.tier_ranks(policy)
    return any(ranks.get(span.tier, 0) >= ranks[tier] for span in grants_of(account, at))


def require_tier(ranks: Mapping[str, int], tier: str) -> None:
    """Refuse a tier that is none, or everyone's. Raises UnknownTier."""
    if not ranks.get(tier, 0):
        known = ", ".join(name for name, rank in ranks.items() if rank)
        raise refusals.UnknownTier(field="tier", value=tier, known=known)
