"""The tier ladder: which tier a member has earned, and how long it lasts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rules.facts import Instant
from rules.model import Need, Tier
from rules.policy import Policy
from rules.zones import DAY, date_of, day_number

Qualifying = Mapping[tuple[str, str], int]
"""Qualifying points by (point currency, window), as `Grant.currency` and `Grant.window` say."""


@dataclass(frozen=True, slots=True)
class TierAnswer:
    """A tier, None where the programme has none, and the first instant at which it is over."""

    tier: str | None
    valid_until: Instant | None


def tier_for(
    policy: Policy, *, qualifying: Qualifying, at: Instant, current: str | None
) -> TierAnswer:
    """Give the highest tier that the points support at an instant.

    A tier reached in this calendar year (programme zone) lasts to the end of the next one. A tier
    reached in the year before lasts to the end of this one; so does `current`, or a tier below
    it, when the year before met its keep-threshold. A tier carried over whose keep-threshold is
    met this year lasts to the end of the next. The lowest tier is everyone's and never ends.
    """
    tiers = policy.model.tiers
    if tiers is None:
        return TierAnswer(None, None)
    year = date_of(policy.terms.zone.wall(at) // DAY).year
    names = [tier.id for tier in tiers.ladder]
    held = names.index(current) if current in names else 0
    for rank in range(len(names) - 1, 0, -1):
        years = _years_left(tiers.ladder[rank], _needs(qualifying, year), held=held >= rank)
        if years is not None:
            return TierAnswer(names[rank], _year_start(policy, year + years))
    return TierAnswer(names[0], None)


def _years_left(
    tier: Tier, met: Callable[[tuple[tuple[Need, ...], ...], int], bool], *, held: bool
) -> int | None:
    """Count the turns of the year at which the tier ends; None when it is not supported."""
    if met(tier.reach_any, 0):
        return 2
    carried = met(tier.reach_any, -1) or (held and met(tier.keep_any, -1))
    if not carried:
        return None
    return 2 if met(tier.keep_any, 0) else 1


def _needs(
    qualifying: Qualifying, year: int
) -> Callable[[tuple[tuple[Need, ...], ...], int], bool]:
    def met(any_of: tuple[tuple[Need, ...], ...], years_ago: int) -> bool:
        window = f"{year + years_ago:04}"
        return any(
            all(qualifying.get((need.currency, window), 0) >= need.at_least for need in all_of)
            for all_of in any_of
        )

    return met


def _year_start(policy: Policy, year: int) -> Instant:
    first = day_number(date_of(0).replace(year=year))
    return policy.terms.zone.instant(first * DAY)
