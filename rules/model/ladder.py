"""The tier ladder: what is counted, over which time, and how a tier is reached, kept and lost."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rules.model.part import BenefitId, CounterId, CurrencyId, Days, Part, Periods, UnitIds
from rules.values import CurrencyCode, Flag, Id, MonthDay, Whole

Metric = Literal["qualifying_points", "spend", "nights", "stays", "visits", "purchases", "counter"]


class Need(Part):
    """A threshold of a tier, met when the metric is `at_least` so much within the window.

    `qualifying_points` are of `currency`; `spend` is eligible money in minor units of
    `money`; a visit is a local day with a purchase. `window: lifetime` counts for ever.
    """

    metric: Metric = "qualifying_points"
    """What is counted."""
    currency: CurrencyId | None = None
    """Of qualifying points: their currency."""
    money: CurrencyCode | None = None
    """Of spend: the money it is counted in."""
    counter: CounterId | None = None
    """Of a counter: which one."""
    business_unit: UnitIds = ()
    """Count only what these units posted; without them, all."""
    window: Literal["ladder", "lifetime"] = "ladder"
    """The ladder's window, or for ever."""
    at_least: Annotated[Whole, Field(ge=1, le=10**15)]
    """How much is needed; money is in minor units."""

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
    """Its name."""
    reach_any: Needs = ()
    """Lists of needs: any list suffices, and in it every need."""
    keep_any: Needs = ()
    """What keeps the tier; without it, what reaches it."""
    lifetime_any: Needs = ()
    """What gives the tier for ever."""
    invite_only: Flag = False
    """Only staff give this tier."""
    benefits: tuple[BenefitId, ...] = ()
    """What members of the tier have."""


class ValidUntil(Part):
    """A tier's validity: so many months, or to the end of a day some years after it was reached."""

    months: Annotated[Periods, Field(ge=1)] | None = None
    """So many months."""
    years_after: Annotated[Whole, Field(ge=0, le=50)] | None = None
    """To the end of `month_day` so many years after the year in which it was reached."""
    month_day: MonthDay = "12-31"
    """The day of the year on which it ends."""

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
    """The time over which needs are counted."""
    window_months: Annotated[Whole, Field(ge=1, le=24)] = 12
    """Of rolling months: how many; two years at most, for so long days are kept."""
    upgrade: Literal["at_once", "at_period_end"] = "at_once"
    """Whether a tier is given as soon as it is reached, or at the end of the window."""
    valid: Literal["rest_of_year_plus_one"] | ValidUntil = "rest_of_year_plus_one"
    """How long a tier lasts."""
    downgrade: Literal["to_earned", "one_step"] = "to_earned"
    """To which tier a member falls: the one earned, or the next lower one."""
    grace_days: Days = 0
    """Days that a tier lasts beyond its validity."""
    upgrading_order: Literal["before", "after", "split"] = "before"
    """How the document that reaches a tier earns: at the old, at the new, or at both in part."""
    ladder: Annotated[tuple[Tier, ...], Field(min_length=1, max_length=50)]
    """The tiers, lowest first; the lowest is everyone's."""
