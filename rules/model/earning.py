"""Earn rules: what gives how many points, how they stack, and how much at most."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rules.model.conditions import When
from rules.model.part import Days, Ids, Part, Points, Window
from rules.values import Factor, Flag, Id, Money, Quantity, Title, Whole


class Group(Part):
    """How multipliers of one group stack on a line; the groups add their excess to each other.

    `max_factor` limits what the group makes of the base. A group that counts on a line keeps the
    groups it `excludes` out of that line.
    """

    id: Id
    combine: Literal["first", "best_of", "add_excess", "product"] = "best_of"
    max_factor: Factor | None = None
    excludes: Ids = ()


class Cap(Part):
    """The most points: of one document, or of a member, a household or everybody in a window."""

    per: Literal["transaction", "member", "household", "campaign"] = "member"
    window: Window = "transaction"
    points: Points

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.per == "transaction") != (self.window == "transaction"):
            raise ValueError("'per: transaction' goes with 'window: transaction', others do not")
        return self


class CurrencyCap(Cap):
    """A cap on all that the programme or a campaign gives of a currency."""

    id: Id
    currency: Id
    campaign: Id | None = None


class Rate(Part):
    """So many points per so much money, per quantity, or per nights of the stay: one of them."""

    points: Points
    per: Money | None = None
    per_quantity: Quantity | None = None
    per_nights: Annotated[Whole, Field(ge=1, le=999)] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = (self.per, self.per_quantity, self.per_nights)
        if sum(one is not None for one in given) != 1:
            raise ValueError("say exactly one of 'per', 'per_quantity', 'per_nights'")
        return self


class _Rule(Part):
    id: Id
    title: Title = ""
    currency: Id
    when: When = When()
    priority: Annotated[Whole, Field(ge=-1000, le=1000)] = 0
    campaign: Id | None = None
    caps: Annotated[tuple[Cap, ...], Field(max_length=10)] = ()
    pending_days: Days | None = None
    expiry: Id | None = None
    funder: Id | None = None


class BaseRule(_Rule):
    """Points per money; of each currency a line takes the first base rule that fits it.

    `paid_share` earns only on the part of the document that was paid as `when.payment` says.
    """

    kind: Literal["base"]
    rate: Rate
    paid_share: Flag = False


class MultiplierRule(_Rule):
    """Raises base points to `factor` times; the excess over the base is this rule's own grant.

    `on: rounded` multiplies the base points as they were given, `exact` before their rounding.
    """

    kind: Literal["multiplier"]
    factor: Factor
    group: Id
    on: Literal["exact", "rounded"] = "exact"


class BonusRule(_Rule):
    """A fixed number of points: for a document, for each line, or for each unit of quantity."""

    kind: Literal["bonus"]
    points: Points
    per: Literal["transaction", "line", "unit"] = "transaction"


class GrantRule(Part):
    """Gives a benefit, a coupon say, instead of points."""

    kind: Literal["grant"]
    id: Id
    title: Title = ""
    benefit: Id
    quantity: Annotated[Whole, Field(ge=1, le=1000)] = 1
    valid_days: Annotated[Whole, Field(ge=1, le=36500)] = 30
    when: When = When()
    priority: Annotated[Whole, Field(ge=-1000, le=1000)] = 0
    campaign: Id | None = None


PointsRule = BaseRule | MultiplierRule | BonusRule
EarnRule = Annotated[BaseRule | MultiplierRule | BonusRule | GrantRule, Field(discriminator="kind")]
