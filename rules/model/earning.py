"""Earn rules: what gives how many points, how they stack, and how much at most."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rules.model.conditions import When
from rules.model.part import (
    BenefitId,
    CampaignId,
    CurrencyId,
    Days,
    ExpiryId,
    GroupId,
    Part,
    Points,
    UnitId,
    Window,
)
from rules.values import Factor, Flag, Id, Money, Quantity, Title, Whole


class Group(Part):
    """How multipliers of one group stack on a line; the groups add their excess to each other.

    `max_factor` limits what the group makes of the base. A group that counts on a line keeps the
    groups it `excludes` out of that line.
    """

    id: Id
    """Its name."""
    combine: Literal["first", "best_of", "add_excess", "product"] = "best_of"
    """On a line: the first by priority, the one that gives most, all of them, or their product."""
    max_factor: Factor | None = None
    """The most that the group makes of the base points."""
    excludes: tuple[GroupId, ...] = ()
    """Groups that do not count on a line where this one counts."""


class Cap(Part):
    """The most points: of one document, or of a member, a household or everybody in a window."""

    per: Literal["transaction", "member", "household", "campaign"] = "transaction"
    """Whose points count: the document's, or in a window the member's, unless it says another."""
    window: Window = "transaction"
    """The period in which they count, in the programme's zone."""
    points: Points
    """The most points."""

    @model_validator(mode="before")
    @classmethod
    def _expand(cls, raw: object) -> object:
        """Write out whose points count: in a window of time, the member's."""
        if not isinstance(raw, dict) or "per" in raw:
            return raw
        within = raw.get("window", "transaction") == "transaction"
        return {**raw, "per": "transaction" if within else "member"}

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.per == "transaction") != (self.window == "transaction"):
            raise ValueError("'per: transaction' goes with 'window: transaction', others do not")
        return self


class CurrencyCap(Cap):
    """A cap on all that the programme or a campaign gives of a currency."""

    id: Id
    """Its name."""
    currency: CurrencyId
    """The currency whose points count."""
    campaign: CampaignId | None = None
    """Count only the points of this campaign."""


class Rate(Part):
    """So many points per so much money, per quantity, or per nights of the stay: one of them.

    With `whole` what does not fill another unit earns nothing, whatever the currency's rounding.
    """

    points: Points
    """So many points."""
    per: Money | None = None
    """For so much eligible money, and in proportion for more or less."""
    per_quantity: Quantity | None = None
    """For so much quantity of the lines that fit."""
    per_nights: Annotated[Whole, Field(ge=1, le=999)] | None = None
    """For so many nights of the stay."""
    whole: Flag = False
    """Only whole ones count: one point per full dollar, and nothing for the cents."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = (self.per, self.per_quantity, self.per_nights)
        if sum(one is not None for one in given) != 1:
            raise ValueError("say exactly one of 'per', 'per_quantity', 'per_nights'")
        return self


class _Rule(Part):
    id: Id
    """Its name, shown in every grant."""
    title: Title = ""
    """What people call it."""
    currency: CurrencyId
    """The currency of its points."""
    when: When = When()
    """When it counts; without conditions, always."""
    priority: Annotated[Whole, Field(ge=-1000, le=1000)] = 0
    """Of rules that compete, the higher comes first; then the id in alphabetical order."""
    campaign: CampaignId | None = None
    """The campaign it belongs to: its time, purse and hold-out."""
    caps: Annotated[tuple[Cap, ...], Field(max_length=10)] = ()
    """The most points that this rule gives."""
    pending_days: Days | None = None
    """Days until its points can be spent; else the base rule's, or the currency's."""
    expiry: ExpiryId | None = None
    """How long its points live; else the base rule's, or the currency's."""
    funder: UnitId | None = None
    """The unit that pays; else the campaign's, or the one that posts."""


class BaseRule(_Rule):
    """Points per money; of each currency a line takes the first base rule that fits it.

    `paid_share` earns only on the part of the document that was paid as `when.payment` says.
    """

    kind: Literal["base"]
    """A base rule."""
    rate: Rate
    """Points per money, quantity or nights."""
    paid_share: Flag = False
    """Earn only on the share of the document that was paid as `when.payment` says."""


class MultiplierRule(_Rule):
    """Raises base points to `factor` times; the excess over the base is this rule's own grant.

    `on: rounded` multiplies the base points as they were given, `exact` before their rounding.
    """

    kind: Literal["multiplier"]
    """A multiplier."""
    factor: Factor
    """What the base points become: 2 doubles them. From 1 to 1000."""
    group: GroupId
    """The group that says how it stacks with other multipliers."""
    on: Literal["exact", "rounded"] = "exact"
    """Whether it multiplies the base points before or after their rounding."""


class BonusRule(_Rule):
    """A fixed number of points: for a document, for each line, or for each unit of quantity."""

    kind: Literal["bonus"]
    """A bonus."""
    points: Points
    """How many points."""
    per: Literal["transaction", "line", "unit"] = "transaction"
    """Once for a document, for each line that fits, or per unit of quantity and part of one."""


class GrantRule(Part):
    """Gives a benefit, a coupon say, instead of points."""

    kind: Literal["grant"]
    """A grant of a benefit."""
    id: Id
    """Its name."""
    title: Title = ""
    """What people call it."""
    benefit: BenefitId
    """The benefit it gives."""
    quantity: Annotated[Whole, Field(ge=1, le=1000)] = 1
    """How many of them."""
    valid_days: Annotated[Whole, Field(ge=1, le=36500)] = 30
    """Days in which it can be used."""
    when: When = When()
    """When it counts; without conditions, always."""
    priority: Annotated[Whole, Field(ge=-1000, le=1000)] = 0
    """The higher comes first; then the id in alphabetical order."""
    campaign: CampaignId | None = None
    """The campaign it belongs to."""


PointsRule = BaseRule | MultiplierRule | BonusRule
EarnRule = Annotated[BaseRule | MultiplierRule | BonusRule | GrantRule, Field(discriminator="kind")]
