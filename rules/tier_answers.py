"""What the tier ladder answers, and on what occasion it is asked."""

from typing import Literal, NamedTuple

from rules.facts import Instant
from rules.standing import Basis

Cause = Literal["", "reached", "lifetime", "period_ended", "grant_ended", "refunded"]
"""Why a tier is held anew; empty when the one in force stays as it is."""
Occasion = Literal["counted", "refunded", "grant_ended"]
"""Why the ladder is asked: something was counted, was taken back, or staff end what they gave."""


class Covered(NamedTuple):
    """What a member has beneath a tier that staff gave."""

    tier: str
    valid_until: Instant | None
    basis: Basis
    window: str


class TierAnswer(NamedTuple):
    """A tier, None where the programme has none, and the first instant at which it is over.

    `window` is the label of the window that gave it. `review_at`, when set, is when a ladder that
    raises members only at the end of a window has to be asked again. `beneath`, when set, is what
    a refund has left beneath a tier that staff gave.
    """

    tier: str | None
    valid_until: Instant | None
    cause: Cause = ""
    basis: Basis = "earned"
    window: str = ""
    review_at: Instant | None = None
    beneath: Covered | None = None


NO_TIERS = TierAnswer(None, None)
