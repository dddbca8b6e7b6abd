"""Points by hand: for which reasons, who pays, and when a second person has to agree."""

from typing import Annotated, Literal

from pydantic import Field

from rules.model.part import Part, Points, UnitIds
from rules.values import Id, Title, Whole

REASONS = ("goodwill", "correction")
"""Reasons of a policy that declares none."""
Allowed = Annotated[Whole, Field(ge=0, le=10**12)]


class ApprovalLimit(Part):
    """How many points one person may give or take at some units."""

    business_unit: Annotated[UnitIds, Field(min_length=1)]
    """The units it is for."""
    points: Allowed
    """The most points that need no second person."""


class AdjustmentReason(Part):
    """Why points may be given or taken by hand.

    How many one person may move alone is what `limits` say for the unit, else `points_alone`, else
    what stands in `adjustments`.
    """

    id: Id
    """Its code, which every such adjustment names."""
    title: Title = ""
    """What people call it."""
    business_unit: UnitIds = ()
    """Where it may be given as a reason; without them, at every unit."""
    funder: UnitIds = ()
    """Who may pay for what is given; without them, only who pays for what is earned there."""
    points_alone: Allowed | None = None
    """The most points that need no second person; without it, as `adjustments` says."""
    limits: Annotated[tuple[ApprovalLimit, ...], Field(max_length=50)] = ()
    """The same for some units."""
    max_points: Points | None = None
    """The most points at once, whoever agrees."""


class Adjustments(Part):
    """Points that staff give or take by hand.

    With `second_person: named` whoever adjusts names who agreed; `separate` lets nothing count but
    that person's own call, by another client.
    """

    reasons: Annotated[tuple[AdjustmentReason, ...], Field(max_length=100)] = ()
    """Why; without any, `goodwill` and `correction`."""
    points_alone: Allowed = 0
    """The most points that need no second person; 0: every adjustment needs one."""
    limits: Annotated[tuple[ApprovalLimit, ...], Field(max_length=50)] = ()
    """The same for some units."""
    second_person: Literal["named", "separate"] = "named"
    """Whether the second person may be named, or has to agree in a call of their own."""
    proposal_days: Annotated[Whole, Field(ge=1, le=365)] = 30
    """Days in which a second person may agree to a proposal."""
