"""How points are spent, held, given back, moved, and taken back."""

from fractions import Fraction
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rules.model.conditions import TimeWindow
from rules.model.part import BenefitId, CurrencyId, Days, Part, Points, TierIds, UnitId, UnitIds
from rules.values import Id, Money, Ratio, Title, Whole


class Limit(Part):
    """The most points that may be moved in a window."""

    window: Literal["local_day", "local_week", "local_month", "local_year", "lifetime"]
    """The period, in the programme's zone."""
    points: Points
    """The most points."""


class Redemption(Part):
    """How points of a currency are burned as money, at the units named or at all of them.

    `max_basket_share` is the largest part of a basket that points may pay. `tier` and `window`
    say for whom and when; `limits` how much a member may burn in a period.
    """

    id: Id
    """Its name."""
    currency: CurrencyId
    """The currency that is burned."""
    business_unit: UnitIds = ()
    """Where; without them, at every unit."""
    tier: TierIds = ()
    """For members of these tiers; without them, for all."""
    window: TimeWindow | None = None
    """When; without it, always."""
    min_points: Points = 1
    """The fewest points at once."""
    step: Points = 1
    """In steps of so many points."""
    max_points: Points | None = None
    """The most points at once."""
    max_basket_share: Ratio | None = None
    """The largest part of a basket that points may pay."""
    limits: Annotated[tuple[Limit, ...], Field(max_length=10)] = ()
    """The most that a member may burn in a period."""
    point_value: Money | None = None
    """What one smallest unit pays here; without it, what the unit says."""
    per_points: Points = 1
    """For how many smallest units `point_value` is: `1.00 USD` for 15 of them."""
    lateness_days: Days = 0
    """Days that a burn may come late and spend what was live when it happened."""

    @model_validator(mode="after")
    def _priced(self) -> Self:
        if self.per_points != 1 and self.point_value is None:
            raise ValueError("'per_points' says for how many points a 'point_value' is: say that")
        return self


class Reward(Part):
    """A fixed price in points for an amount of money or a benefit: an entry of the catalogue."""

    id: Id
    """Its name."""
    title: Title = ""
    """What people call it."""
    currency: CurrencyId
    """The currency that is burned."""
    points: Points
    """Its price."""
    value: Money | None = None
    """The amount of money it pays."""
    benefit: BenefitId | None = None
    """The benefit it gives."""
    business_unit: UnitIds = ()
    """Where; without them, at every unit."""
    tier: TierIds = ()
    """For members of these tiers; without them, for all."""
    window: TimeWindow | None = None
    """When; without it, always."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.value is None) == (self.benefit is None):
            raise ValueError("say either 'value' or 'benefit'")
        return self


class HoldTerms(Part):
    """After how long an unresolved hold gives its points back, and whether they live so long."""

    business_unit: UnitIds = ()
    """Units it is for; without them, all that have none of their own."""
    timeout_hours: Annotated[Whole, Field(ge=1, le=87600)]
    """Hours after which an unresolved hold gives its points back."""
    held_points: Literal["keep", "expire"] = "keep"
    """Whether held points live as long as their hold, or expire when their own time has passed."""


class Reversals(Part):
    """What a reversed burn gives back when its lot has expired meanwhile."""

    grace_days: Days = 0
    """Days that points live on which expired while a reversed burn held them; once."""


class TransferTerms(Part):
    """How points move from member to member.

    Fees are on top: `fee_points` and `fee_share` of the amount, rounded down. Who sends or receives
    must have been a member for `account_age_days`. Of a household are members whose profiles name
    the same one, those of one pool, and a pool with its members.
    """

    id: Id
    """Its name."""
    currency: CurrencyId
    """The currency that moves."""
    min_points: Points = 1
    """The fewest points at once."""
    step: Points = 1
    """In steps of so many points."""
    max_points: Points | None = None
    """The most points at once."""
    fee_points: Annotated[Whole, Field(ge=0, le=10**12)] = 0
    """A fee in points, on top."""
    fee_share: Ratio = Fraction(0)
    """A fee as a share of the points, on top, rounded down."""
    fee_unit: UnitId | None = None
    """The unit that the fee goes to; without it, the one through which points are sent."""
    sender_limits: Annotated[tuple[Limit, ...], Field(max_length=10)] = ()
    """The most that a member may send in a period."""
    receiver_limits: Annotated[tuple[Limit, ...], Field(max_length=10)] = ()
    """The most that a member may receive in a period."""
    account_age_days: Days = 0
    """Days that both must have been members."""
    relation: Literal["household", "any"] = "any"
    """Whether they must be of one household."""
    acceptance: Literal["required", "none"] = "none"
    """Whether who receives has to accept first."""
    accept_days: Annotated[Whole, Field(ge=1, le=365)] = 14
    """Days to accept, to the end of the last one; then the points go back, with the fee."""


class ConversionBonus(Part):
    """More of the new currency from a number of points on, in a window of time."""

    from_points: Points
    """From so many points on."""
    share: Ratio
    """How much more, as a share of the new points."""
    window: TimeWindow | None = None
    """When; without it, always."""


class Conversion(Part):
    """How points of one currency become another's: exactly `rate`, then rounded once."""

    id: Id
    """Its name."""
    currency: CurrencyId
    """The currency that is given up."""
    into: CurrencyId
    """The currency that is got."""
    rate: Ratio
    """New points for one old point."""
    issuer: UnitId
    """The unit that issues the new points, and to which the old ones' issuers owe them."""
    min_points: Points = 1
    """The fewest points at once."""
    step: Points = 1
    """In steps of so many points."""
    fee_points: Annotated[Whole, Field(ge=0, le=10**12)] = 0
    """A fee in points of the old currency, on top."""
    fee_unit: UnitId | None = None
    """The unit that the fee goes to; without it, the issuer."""
    rounding: Literal["floor", "ceil", "half_up", "half_even"] = "floor"
    """How the exact new points become whole ones."""
    bonuses: Annotated[tuple[ConversionBonus, ...], Field(max_length=20)] = ()
    """More of the new currency from a number of points on."""


class ArrearsLimit(Part):
    """How many points a member of a tier may owe; without `tier` it is for every other tier."""

    tier: TierIds = ()
    """Tiers it is for; without them, all that have none of their own."""
    points: Annotated[Whole, Field(ge=0, le=10**12)]
    """The most points that may be owed."""


class Refunds(Part):
    """What happens when a document gives less than it gave.

    `recompute` evaluates what is left; `pro_rata_by_line` takes back each returned line's share.
    What own points cannot cover comes from `any_lot` or only from the document's `own_lot`; what is
    then missing becomes arrears, is written off to `write_off_to` (the posting unit without it), or
    the change is refused.
    """

    clawback: Literal["recompute", "pro_rata_by_line"] = "recompute"
    """Evaluate what is left, or take back each returned line's share."""
    reach: Literal["any_lot", "own_lot"] = "any_lot"
    """Take what is missing from any lot, or from the document's own only."""
    when_spent: Literal["arrears", "write_off", "refuse"] = "arrears"
    """What happens to what cannot be taken back."""
    write_off_to: UnitId | None = None
    """The unit that bears what is written off; without it, the one that posts."""
    limits: Annotated[tuple[ArrearsLimit, ...], Field(max_length=50)] = ()
    """How much may be owed."""
    over_limit: Literal["write_off", "refuse"] = "write_off"
    """What happens to a debt above the limit."""
    tier: Literal["reevaluate", "keep"] = "reevaluate"
    """Whether a tier is asked anew when what reached it is taken back."""


class Documents(Part):
    """Which documents earn: how late they may come, how far ahead, and who was no member yet."""

    lateness_days: Days | None = None
    """The most days that a document may come late; without it, any."""
    before_enrolment: Literal["earn", "nothing"] = "earn"
    """Whether what occurred before the enrolment earns."""
    ahead_minutes: Annotated[Whole, Field(ge=0, le=1440)] = 0
    """The most minutes that a document may lie ahead, of units whose clocks do."""
    claim_days: Days = 30
    """Days in which a document without a member can be claimed, to the end of the last one."""
