"""What the rules' ladder says of an account, in the words of the core."""

import rules
from ledger.core.commands import Occasion, TierVerdict
from ledger.core.instant import Instant
from ledger.core.standing import brought
from ledger.core.state import Account, TierSpan


def standing_of(account: Account) -> rules.Standing:
    """What an account has counted and held, as a ladder looks at it."""
    return rules.Standing(
        account.qualifying, account.usage, account.enrolled_at, account.tiers, brought(account)
    )


def verdict(
    policy: rules.Policy, account: Account, at: Instant, occasion: Occasion = "counted"
) -> TierVerdict | None:
    """Ask the ladder of a policy which tier an account has; None: it has no ladder."""
    answer = rules.tier_for(policy, standing=standing_of(account), at=at, occasion=occasion)
    if answer.tier is None:
        return None
    beneath = answer.beneath
    return TierVerdict(
        answer.tier,
        answer.valid_until,
        answer.window,
        _points_in(account, answer.window) if answer.cause else 0,
        policy.digest,
        answer.cause,
        answer.basis,
        answer.review_at,
        None
        if beneath is None
        else TierSpan(beneath.tier, at, beneath.valid_until, None, beneath.basis, beneath.window),
    )


def _points_in(account: Account, window: str) -> int:
    """Qualifying points that are counted under a window's own name."""
    return sum(
        points for (_, counted_in), points in account.qualifying.items() if counted_in == window
    )
