"""A step of the tier ladder, compiled: its rank, and what reaches and keeps it."""

from typing import NamedTuple

from rules.model import Tier
from rules.needs import Choices, choices_of


class Step(NamedTuple):
    """A tier of the ladder; the lowest has rank 0."""

    tier: str
    rank: int
    reach: Choices
    keep: Choices
    lifetime: Choices
    invite_only: bool


def step_of(tier: Tier, rank: int) -> Step:
    """Compile a tier."""
    return Step(
        tier.id,
        rank,
        choices_of(tier.reach_any),
        choices_of(tier.keep_any),
        choices_of(tier.lifetime_any),
        tier.invite_only,
    )
