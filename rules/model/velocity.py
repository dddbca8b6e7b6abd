"""How often something may be done in a period, and with how many points: against misuse."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rules.model.part import CurrencyId, Part, Points, UnitIds
from rules.values import Id, Whole

VelocityVerb = Literal["burn", "hold", "transfer", "adjust", "earn_by_staff"]


class Velocity(Part):
    """How often something may be done in a period, and with how many points in all.

    It counts when things are recorded, whenever they are said to have happened. `earn_by_staff`
    counts documents: `per: member` those of members who serve themselves (their `staff` identity is
    the operator), `per: operator` those of one operator for one and the same member.
    """

    id: Id
    """Its name."""
    verbs: Annotated[tuple[VelocityVerb, ...], Field(min_length=1, max_length=5)]
    """What counts, together."""
    per: Literal["member", "client", "operator", "business_unit"]
    """Whose doings are added up."""
    window: Literal["local_day", "local_week", "local_month"] | None = None
    """The period, in the programme's zone."""
    hours: Annotated[Whole, Field(ge=1, le=720)] | None = None
    """In place of a period: the last so many hours, counted in steps of a twelfth."""
    count: Annotated[Whole, Field(ge=1, le=10**9)] | None = None
    """The most times."""
    points: Points | None = None
    """The most points in all; taken ones count as given ones do."""
    currency: CurrencyId | None = None
    """The currency that counts; without it, any. `points` need one."""
    business_unit: UnitIds = ()
    """Where it counts; without them, at every unit."""
    reversals: Literal["give_back", "keep"] = "give_back"
    """Whether what is reversed, released or cancelled leaves room again."""

    @model_validator(mode="after")
    def _measured(self) -> Self:
        if (self.window is None) == (self.hours is None):
            raise ValueError("say either 'window' or 'hours'")
        if self.count is None and self.points is None:
            raise ValueError("say 'count', 'points' or both")
        if self.points is not None and self.currency is None:
            raise ValueError("'points' are of a 'currency': say which")
        return self
