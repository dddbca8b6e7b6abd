"""What the rules refuse of spending, as the ledger refuses it."""

import rules
from ledger.core import refusals
from ledger.core.refusals import Refusal


def spending_refusal(refused: rules.RulesRefusal, *, known: str) -> Refusal:
    """The ledger's refusal for what the rules say of spending; `known` are names it may tell."""
    match refused.reason:
        case "UNKNOWN_REWARD":
            return refusals.UnknownReward(field=refused.path, value=refused.value, known=known)
        case "NOT_FOR_TIER":
            return refusals.NotForTier(tier=refused.value, known=known)
        case "NOT_NOW":
            return refusals.NotNow(local_time=refused.value)
        case "UNKNOWN_CONVERSION":
            return refusals.UnknownConversion(field=refused.path, value=refused.value, known=known)
        case "NO_RELATION":
            return refusals.NoRelation(currency=refused.value, known=known)
        case "ACCOUNT_TOO_YOUNG":
            bounds = {name: int(bound) for name, bound in refused.bounds.items()}
            return refusals.AccountTooYoung(whose=refused.path, **bounds)
        case _:
            return _amount_refusal(refused)


def _amount_refusal(refused: rules.RulesRefusal) -> Refusal:
    """What the rules refuse a number of points with."""
    requested, bounds = int(refused.value), refused.bounds
    match refused.reason:
        case "BELOW_MINIMUM":
            return refusals.BelowMinimum(requested=requested, minimum=int(bounds["minimum"]))
        case "NOT_A_STEP":
            return refusals.NotAStep(requested=requested, step=int(bounds["step"]))
        case "ABOVE_MAXIMUM":
            return refusals.AboveMaximum(requested=requested, maximum=int(bounds["maximum"]))
        case "LIMIT_REACHED":
            return refusals.LimitReached(
                requested=requested,
                limit=int(bounds["limit"]),
                used=int(bounds["used"]),
                window=str(bounds["window"]),
                whose=refused.path,
            )
        case _:
            raise AssertionError(f"no call asks what is refused so: {refused}")
