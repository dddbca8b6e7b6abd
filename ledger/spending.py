"""From the rules' terms of spending to the core's, and from their refusals to the ledger's."""

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
        case _:
            bounds = ", ".join(f"{name} {bound}" for name, bound in refused.bounds.items())
            return refusals.Malformed(
                field=refused.path, value=refused.value, expected=bounds or known
            )
