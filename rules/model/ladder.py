"""The tier ladder: what is counted, over which time, and how a tier is reached, kept and lost."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rules.model.part import Days, Ids, Part, Periods
from rules.values import CurrencyCode, Flag, Id, MonthDay, Whole

Metric = Literal["qualifying_points", "spend", "nights", "stays", "visits", "purchases", "counter"]


class Need(Part):
    """A threshold of a tier, met when the metric is `at_least` so much within the window.

    `qualifying_points` are of `currency`; `spend` is eligible money in minor units of
    `money`; a visit is a local day with a purchase. `window: lifetime` counts for ever.
    """

    metric: Metric = "qualifying_points"
    currency: Id | None = None
    money: CurrencyCode | None = None
    counter: Id | None = None
    business_unit: Ids = ()
    window: Literal["ladder", "lifetime"] = "ladder"
    at_least: Annotated[Whole, Field(ge=1, le=10**15)]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        wants = {"qualifying_points": "currency", "spend": "money", "counter": "counter"}
        wanted = wants.get(self.metric)
        for key in wants.values():
            if (getattr(self, key) is not None) != (key == wanted):
                says = "needs" if key == wanted else "has no"
                raise ValueError(f"metric {self.metric!r} {says} {key!r}")
        return self


Needs = tuple[tuple[Need, ...], ...]
"""Any of the lists suffices, and in a list every need must be met."""


class Tier(Part):
    """A step of the ladder: any of the lists suffices, and in a list every need must be met.

    `invite_only` is reached by a decision of staff alone. `lifetime_any` gives the tier for ever.
    """

    id: Id
    reach_any: Needs = ()
    keep_any: Needs = ()
    lifetime_any: Needs = ()
    invite_only: Flag = False
    benefits: Ids = ()


class ValidUntil(Part):
    """A tier's validity: so many months, or to the end of a day some years after it was reached."""

    months: Annotated[Periods, Field(ge=1)] | None = None
    years_after: Annotated[Whole, Field(ge=0, le=50)] | None = None
    month_day: MonthDay = "12-31"

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.months is None) == (self.years_after is None):
            raise ValueError("say either 'months' or 'years_after'")
        return self


class Tiers(Part):
    """The tier ladder, lowest first.

    `window` is the time over which needs are counted: the calendar year, the last `window_months`
    months to the day, or the year that begins with the enrolment's anniversary.
    `rest_of_year_plus_one` is the end of the next calendar year. After its validity a tier lasts
    `grace_days` more; then the member falls to the tier earned, or `one_step`.
    `upgrading_order` says at which tier the document earns that reaches a new one.
    """

    window: Literal["calendar_year", "rolling_months", "membership_year"] = "calendar_year"
    window_months: Annotated[Whole, Field(ge=1, le=60)] = 12
    upgrade: Literal["at_once", "at_period_end"] = "at_once"
    valid: Literal["rest_of_year_plus_one"] | ValidUntil = "rest_of_year_plus_one"
    downgrade: Literal["to_earned", "one_step"] = "to_earned"
    grace_days: Days = 0
    upgrading_order: Literal["before", "after", "split"] = "before"
    ladder: Annotated[tuple[Tier, ...], Field(min_length=1, max_length=50)]
