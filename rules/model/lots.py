"""How long points live."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rules.model.part import Days, Names, Part, Periods, SegmentIds, TierIds
from rules.values import Id, MonthDay, Whole

EXTENDERS = ("earn", "burn", "transfer")
"""What keeps points alive besides activities: earning, burning, points coming in by transfer."""
Extenders = tuple[Annotated[Id, Names("extenders")], ...]


class _Expiry(Part):
    """What every life has: while the member has one of the tiers, the points do not expire.

    `unless_segment` likewise, with `segment_months` only members who earned within so many months.
    When that ends and the time has passed, `lapse: expire` ends them at once, `restart` begins
    their life anew from then.
    """

    id: Id
    """Its name."""
    unless_tier: TierIds = ()
    """While the member has one of these tiers, the points do not expire."""
    unless_segment: SegmentIds = ()
    """While the member is in one of these segments, the points do not expire."""
    segment_months: Annotated[Whole, Field(ge=1, le=1200)] | None = None
    """The segments protect so many months after the last earning; without it, always."""
    lapse: Literal["expire", "restart"] = "expire"
    """What happens when that ends and the time has passed: they expire, or live anew."""
    claimed_since: Literal["earned", "claimed"] = "earned"
    """Whether the life of points of a claimed document counts from earning, or from the claim."""

    @model_validator(mode="after")
    def _of_a_segment(self) -> Self:
        if self.segment_months is not None and not self.unless_segment:
            raise ValueError(
                "'segment_months' says how long an 'unless_segment' protects: say that"
            )
        return self


class FixedExpiry(_Expiry):
    """A life of months and days, carried to the end of a period.

    It counts `since` the points were earned, or since a pending lot was released.
    """

    kind: Literal["fixed"]
    """A life of months and days."""
    months: Periods = 0
    """Months to live."""
    days: Days = 0
    """Days to live, after the months."""
    since: Literal["earned", "released"] = "earned"
    """Whether it counts from earning, or from when pending points are released."""
    round_to: Literal["instant", "day_end", "month_end", "quarter_end", "year_end"] = "day_end"
    """To the end of which period the life is carried."""


class PeriodEndExpiry(_Expiry):
    """The end of the local month, quarter or year of earning, or of the `after`-th one after it."""

    kind: Literal["month_end", "quarter_end", "year_end"]
    """The end of a month, a quarter or a year."""
    after: Annotated[Whole, Field(ge=0, le=100)] = 0
    """How many periods later."""


class CalendarDateExpiry(_Expiry):
    """The end of the first such day of the year once `months` have passed since earning."""

    kind: Literal["calendar_date"]
    """A day of the year."""
    month_day: MonthDay
    """The day of the year; 02-29 is the last of February."""
    months: Periods = 0
    """Months that must have passed before it."""


class AnniversaryExpiry(_Expiry):
    """The end of the `after`-th anniversary of the enrolment that follows the earning."""

    kind: Literal["anniversary"]
    """An anniversary of the enrolment."""
    after: Annotated[Whole, Field(ge=1, le=100)] = 1
    """Which anniversary after the earning."""


class InactivityExpiry(_Expiry):
    """Points die when nothing happened for `months`; at the latest `hard_months` after earning.

    `extended_by` are what counts as activity: earning, burning, points coming in by transfer, and
    activities the policy knows.
    """

    kind: Literal["inactivity"]
    """Months without activity."""
    months: Annotated[Whole, Field(ge=1, le=1200)]
    """How many months without activity."""
    extended_by: Annotated[Extenders, Field(min_length=1)] = ("earn", "burn")
    """What counts as activity: `earn`, `burn`, `transfer`, and activities the policy knows."""
    hard_months: Annotated[Whole, Field(ge=1, le=1200)] | None = None
    """The most months that the points live, whatever happens."""
    round_to: Literal["day_end", "day_start"] = "day_end"
    """To the end of that day, or to its beginning."""


class NeverExpiry(_Expiry):
    """Points that stay."""

    kind: Literal["never"]
    """No end."""


Expiry = Annotated[
    FixedExpiry
    | PeriodEndExpiry
    | CalendarDateExpiry
    | AnniversaryExpiry
    | InactivityExpiry
    | NeverExpiry,
    Field(discriminator="kind"),
]
