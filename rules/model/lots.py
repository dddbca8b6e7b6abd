"""How long points live."""

from typing import Annotated, Literal

from pydantic import Field

from rules.model.part import Days, Ids, Part, Periods
from rules.values import Id, MonthDay, Whole


class _Expiry(Part):
    """What every life has: while the member has one of the tiers, the points do not expire.

    `unless_segment` likewise. When that ends and the time has passed, `lapse: expire` ends them at
    once, `restart` begins their life anew from then.
    """

    id: Id
    unless_tier: Ids = ()
    unless_segment: Ids = ()
    lapse: Literal["expire", "restart"] = "expire"


class FixedExpiry(_Expiry):
    """A life of months and days, carried to the end of a period.

    It counts `since` the points were earned, or since a pending lot was released.
    """

    kind: Literal["fixed"]
    months: Periods = 0
    days: Days = 0
    since: Literal["earned", "released"] = "earned"
    round_to: Literal["instant", "day_end", "month_end", "quarter_end", "year_end"] = "day_end"


class PeriodEndExpiry(_Expiry):
    """The end of the local month, quarter or year of earning, or of the `after`-th one after it."""

    kind: Literal["month_end", "quarter_end", "year_end"]
    after: Annotated[Whole, Field(ge=0, le=100)] = 0


class CalendarDateExpiry(_Expiry):
    """The end of the first such day of the year once `months` have passed since earning."""

    kind: Literal["calendar_date"]
    month_day: MonthDay
    months: Periods = 0


class AnniversaryExpiry(_Expiry):
    """The end of the `after`-th anniversary of the enrolment that follows the earning."""

    kind: Literal["anniversary"]
    after: Annotated[Whole, Field(ge=1, le=100)] = 1


class InactivityExpiry(_Expiry):
    """Points die when nothing happened for `months`; at the latest `hard_months` after earning.

    `extended_by` are what counts as activity: earning, burning, points coming in by transfer, and
    activities the policy knows.
    """

    kind: Literal["inactivity"]
    months: Annotated[Whole, Field(ge=1, le=1200)]
    extended_by: Annotated[Ids, Field(min_length=1)] = ("earn", "burn")
    hard_months: Annotated[Whole, Field(ge=1, le=1200)] | None = None
    round_to: Literal["day_end", "day_start"] = "day_end"


class NeverExpiry(_Expiry):
    """Points that stay."""

    kind: Literal["never"]


Expiry = Annotated[
    FixedExpiry
    | PeriodEndExpiry
    | CalendarDateExpiry
    | AnniversaryExpiry
    | InactivityExpiry
    | NeverExpiry,
    Field(discriminator="kind"),
]
