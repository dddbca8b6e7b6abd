"""How points are spent, held, given back, moved, and taken back."""

from fractions import Fraction
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rules.model.conditions import TimeWindow
from rules.model.part import Days, Ids, Part, Points
from rules.values import Id, Money, Ratio, Title, Whole


class Limit(Part):
    """The most points that may be moved in a window."""

    window: Literal["local_day", "local_week", "local_month", "local_year", "lifetime"]
    points: Points


class Redemption(Part):
    """How points of a currency are burned as money, at the units named or at all of them.

    `max_basket_share` is the largest part of a basket that points may pay. `tier` and `window`
    say for whom and when; `limits` how much a member may burn in a period.
    """

    id: Id
    currency: Id
    business_unit: Ids = ()
    tier: Ids = ()
    window: TimeWindow | None = None
    min_points: Points = 1
    step: Points = 1
    max_points: Points | None = None
    max_basket_share: Ratio | None = None
    limits: Annotated[tuple[Limit, ...], Field(max_length=10)] = ()
    point_value: Money | None = None


class Reward(Part):
    """A fixed price in points for an amount of money or a benefit: an entry of the catalogue."""

    id: Id
    title: Title = ""
    currency: Id
    points: Points
    value: Money | None = None
    benefit: Id | None = None
    business_unit: Ids = ()
    tier: Ids = ()
    window: TimeWindow | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.value is None) == (self.benefit is None):
            raise ValueError("say either 'value' or 'benefit'")
        return self


class HoldTerms(Part):
    """After how long an unresolved hold gives its points back."""

    business_unit: Ids = ()
    timeout_hours: Annotated[Whole, Field(ge=1, le=87600)]


class Reversals(Part):
    """What a reversed burn gives back when its lot has expired meanwhile."""

    grace_days: Days = 0


class TransferTerms(Part):
    """How points move from member to member.

    Fees are on top: `fee_points` and `fee_share` of the amount, rounded down. Who sends or receives
    must have been a member for `account_age_days`.
    """

    id: Id
    currency: Id
    min_points: Points = 1
    step: Points = 1
    max_points: Points | None = None
    fee_points: Annotated[Whole, Field(ge=0, le=10**12)] = 0
    fee_share: Ratio = Fraction(0)
    fee_unit: Id | None = None
    sender_limits: Annotated[tuple[Limit, ...], Field(max_length=10)] = ()
    receiver_limits: Annotated[tuple[Limit, ...], Field(max_length=10)] = ()
    account_age_days: Days = 0
    relation: Literal["household", "any"] = "any"


class ConversionBonus(Part):
    """More of the new currency from a number of points on, in a window of time."""

    from_points: Points
    share: Ratio
    window: TimeWindow | None = None


class Conversion(Part):
    """How points of one currency become another's: exactly `rate`, then rounded once."""

    id: Id
    currency: Id
    into: Id
    rate: Ratio
    issuer: Id
    min_points: Points = 1
    step: Points = 1
    fee_points: Annotated[Whole, Field(ge=0, le=10**12)] = 0
    rounding: Literal["floor", "ceil", "half_up", "half_even"] = "floor"
    bonuses: Annotated[tuple[ConversionBonus, ...], Field(max_length=20)] = ()


class ArrearsLimit(Part):
    """How many points a member of a tier may owe; without `tier` it is for every other tier."""

    tier: Ids = ()
    points: Annotated[Whole, Field(ge=0, le=10**12)]


class Refunds(Part):
    """What happens when a document gives less than it gave.

    `recompute` evaluates what is left; `pro_rata_by_line` takes back each returned line's share.
    What own points cannot cover comes from `any_lot` or only from the document's `own_lot`; what is
    then missing becomes arrears, is written off to `write_off_to` (the posting unit without it), or
    the change is refused.
    """

    clawback: Literal["recompute", "pro_rata_by_line"] = "recompute"
    reach: Literal["any_lot", "own_lot"] = "any_lot"
    when_spent: Literal["arrears", "write_off", "refuse"] = "arrears"
    write_off_to: Id | None = None
    limits: Annotated[tuple[ArrearsLimit, ...], Field(max_length=50)] = ()
    over_limit: Literal["write_off", "refuse"] = "write_off"
    tier: Literal["reevaluate", "keep"] = "reevaluate"


class Documents(Part):
    """Which documents earn: how late they may come, how far ahead, and who was no member yet."""

    lateness_days: Days | None = None
    before_enrolment: Literal["earn", "nothing"] = "earn"
    claim_days: Days = 30
