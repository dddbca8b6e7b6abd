"""The question of tiers: which one a member has earned, and how long it lasts."""

from rules.facts import Instant
from rules.ladder import Qualifying, TierAnswer
from rules.policy import Policy

_NO_TIERS = TierAnswer(None, None)


def tier_for(
    policy: Policy, *, qualifying: Qualifying, at: Instant, current: str | None
) -> TierAnswer:
    """Give the highest tier that the points support at an instant.

    A tier reached in this calendar year (programme zone) lasts to the end of the next one. A tier
    reached in the year before lasts to the end of this one; so does `current`, or a tier below
    it, when the year before met its keep-threshold. A tier carried over whose keep-threshold is
    met this year lasts to the end of the next. The lowest tier is everyone's and never ends.
    """
    ladder = policy.terms.ladder
    return _NO_TIERS if ladder is None else ladder.answer(qualifying, at, current)
