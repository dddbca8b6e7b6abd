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
        case "ABOVE_MAXIMUM":
            return refusals.AboveMaximum(
                requested=int(refused.value), maximum=int(refused.bounds["maximum"])
            )
        case _:
            # Amounts and limits are the core's to refuse, and nothing transfers or converts yet.
            raise AssertionError(f"no call asks what is refused so: {refused}")
