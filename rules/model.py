"""The policy document `loyalty.policy/v1`: every key, its meaning and its default.

The digest is taken over the fully expanded document, so a default that is written out and one
that is left out are the same policy, and a changed default can never change an old one silently.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rules.values import (
    Category,
    CategoryPattern,
    CurrencyCode,
    Factor,
    Flag,
    Id,
    Moment,
    Money,
    Whole,
    Zone,
)

NON_EARNING = frozenset({"gift_card", "tax", "tip", "shipping", "deposit"})
"""Categories that earn nothing unless the policy says `earns: true`."""

Points = Annotated[Whole, Field(ge=1, le=10**12)]
Days = Annotated[Whole, Field(ge=0, le=36500)]
Periods = Annotated[Whole, Field(ge=0, le=1200)]
DocumentKind = Literal["sale", "order", "stay", "folio"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Rounding(_Part):
    """How exact points become whole ones: the mode, and where it is applied."""

    mode: Literal["floor", "ceil", "half_up", "half_even"] = "floor"
    at: Literal["line", "rule", "transaction"] = "rule"


class Currency(_Part):
    """A point currency. `scale` 2 means that its smallest unit is a hundredth of a point."""

    id: Id
    role: Literal["spendable", "tier_qualifying"]
    scale: Annotated[Whole, Field(ge=0, le=4)] = 0
    rounding: Rounding = Rounding()
    expiry: Id | None = None
    pending_days: Days = 0


class BusinessUnit(_Part):
    """A business unit: its zone, its money, and what one point is worth there."""

    id: Id
    zone: Zone
    currency: CurrencyCode
    point_value: Money | None = None


class CategoryEntry(_Part):
    """A category that documents may use; what is below it (`room/suite`) is known with it."""

    id: Category
    earns: Flag = True

    @model_validator(mode="before")
    @classmethod
    def _expand(cls, raw: object) -> object:
        """Accept a bare name, and write out whether it earns."""
        raw = {"id": raw} if isinstance(raw, str) else raw
        if not isinstance(raw, dict) or "earns" in raw:
            return raw
        name = raw.get("id")
        return {**raw, "earns": not (isinstance(name, str) and name in NON_EARNING)}


class Group(_Part):
    """How multipliers of one group stack on a line; the groups add their excess to each other."""

    id: Id
    combine: Literal["first", "best_of", "add_excess"] = "best_of"


class When(_Part):
    """Conditions, all of which must hold; a list means any of its values, an empty one anything."""

    business_unit: tuple[Id, ...] = ()
    channel: tuple[Id, ...] = ()
    kind: tuple[DocumentKind, ...] = ()
    tier: tuple[Id, ...] = ()
    basket_min: Money | None = None
    category: tuple[CategoryPattern, ...] = ()
    category_not: tuple[CategoryPattern, ...] = ()
    line_min: Money | None = None


class Rate(_Part):
    """So many points per so much money."""

    points: Points
    per: Money


class _Rule(_Part):
    id: Id
    title: str = ""
    currency: Id
    when: When = When()
    priority: Annotated[Whole, Field(ge=-1000, le=1000)] = 0
    pending_days: Days | None = None
    expiry: Id | None = None
    funder: Id | None = None


class BaseRule(_Rule):
    """Points per money; of each currency a line takes the first base rule that fits it."""

    kind: Literal["base"]
    rate: Rate


class MultiplierRule(_Rule):
    """Raises base points to `factor` times; the excess over the base is this rule's own grant."""

    kind: Literal["multiplier"]
    factor: Factor
    group: Id


class BonusRule(_Rule):
    """A fixed number of points for a document."""

    kind: Literal["bonus"]
    points: Points


EarnRule = Annotated[BaseRule | MultiplierRule | BonusRule, Field(discriminator="kind")]


class FixedExpiry(_Part):
    """A life of months and days from the time of earning, carried to the end of a period."""

    kind: Literal["fixed"]
    id: Id
    months: Periods = 0
    days: Days = 0
    round_to: Literal["instant", "day_end", "month_end", "quarter_end", "year_end"] = "day_end"


class PeriodEndExpiry(_Part):
    """The end of the local month, quarter or year of earning, or of the `after`-th one after it."""

    kind: Literal["month_end", "quarter_end", "year_end"]
    id: Id
    after: Annotated[Whole, Field(ge=0, le=100)] = 0


class NeverExpiry(_Part):
    """Points that stay."""

    kind: Literal["never"]
    id: Id


Expiry = Annotated[FixedExpiry | PeriodEndExpiry | NeverExpiry, Field(discriminator="kind")]


class Redemption(_Part):
    """How points of a currency are burned as money, at the units named or at all of them."""

    id: Id
    currency: Id
    business_unit: tuple[Id, ...] = ()
    min_points: Points = 1
    step: Points = 1
    point_value: Money | None = None


class HoldTerms(_Part):
    """After how long an unresolved hold gives its points back."""

    business_unit: tuple[Id, ...] = ()
    timeout_hours: Annotated[Whole, Field(ge=1, le=87600)]


class Reversals(_Part):
    """What a reversed burn gives back when its lot has expired meanwhile."""

    grace_days: Days = 0


class Need(_Part):
    """A threshold of a tier."""

    metric: Literal["qualifying_points"] = "qualifying_points"
    currency: Id
    at_least: Points


class Tier(_Part):
    """A step of the ladder: any of the lists suffices, and in a list every need must be met."""

    id: Id
    reach_any: tuple[tuple[Need, ...], ...] = ()
    keep_any: tuple[tuple[Need, ...], ...] = ()


class Tiers(_Part):
    """The tier ladder, lowest first."""

    window: Literal["calendar_year"] = "calendar_year"
    upgrade: Literal["at_once"] = "at_once"
    valid: Literal["rest_of_year_plus_one"] = "rest_of_year_plus_one"
    downgrade: Literal["to_earned"] = "to_earned"
    ladder: Annotated[tuple[Tier, ...], Field(min_length=1, max_length=50)]


class PolicyModel(_Part):
    """A whole policy document."""

    schema_id: Annotated[Literal["loyalty.policy/v1"], Field(alias="schema")]
    programme: Id
    version: Annotated[Whole, Field(ge=1)]
    effective_from: Moment
    zone: Zone
    notes: str = ""
    currencies: Annotated[tuple[Currency, ...], Field(min_length=1, max_length=50)]
    business_units: Annotated[tuple[BusinessUnit, ...], Field(min_length=1, max_length=500)]
    categories: Annotated[tuple[CategoryEntry, ...], Field(max_length=5000)]
    unlisted_categories: Literal["earn", "refuse"]
    groups: Annotated[tuple[Group, ...], Field(max_length=500)] = ()
    expiries: Annotated[tuple[Expiry, ...], Field(max_length=100)] = ()
    earn: Annotated[tuple[EarnRule, ...], Field(max_length=1000)] = ()
    redemptions: Annotated[tuple[Redemption, ...], Field(max_length=500)] = ()
    holds: Annotated[tuple[HoldTerms, ...], Field(max_length=500)] = ()
    reversals: Reversals = Reversals()
    tiers: Tiers | None = None

    @model_validator(mode="before")
    @classmethod
    def _expand_categories(cls, raw: object) -> object:
        """Write the categories that earn nothing into the document, and so into its digest."""
        if not isinstance(raw, dict):
            return raw
        listed = raw.get("categories", [])
        if not isinstance(listed, list):
            return raw
        ids = [entry.get("id") if isinstance(entry, dict) else entry for entry in listed]
        added = [{"id": name} for name in sorted(NON_EARNING) if name not in ids]
        unlisted = "refuse" if listed else "earn"
        return {"unlisted_categories": unlisted, **raw, "categories": [*listed, *added]}
