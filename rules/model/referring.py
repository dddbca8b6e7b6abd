"""Referrals: what a member gets for bringing another."""

from typing import Annotated

from pydantic import Field

from rules.model.part import Days, Names, Part, UnitId
from rules.values import Id, Money


class Referrals(Part):
    """A member who brings another gets what the policy gives for `activity`.

    It is recorded once the new member's first purchase that counts is final, taken back when that
    is returned, and given again when it comes back. Caps of the rules limit how much and how often.
    """

    activity: Annotated[Id, Names("activities")] = "referral"
    """The activity that is recorded for who brought the member."""
    within_days: Days = 30
    """Days after the new member's enrolment within which it has to be said who brought them."""
    minimums: Annotated[tuple[Money, ...], Field(max_length=50)] = ()
    """The least eligible basket of a purchase that counts, for each money; without any, any."""
    purchase_days: Days | None = None
    """Days after that within which the purchase has to happen; without them, it may at any time."""
    business_unit: UnitId | None = None
    """The unit that gives the reward; without it, the one at which it was said."""
