"""The nouns of a policy: currencies, units, categories, and what is known of members."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from rules.model.conditions import When
from rules.model.part import Days, Ids, Part
from rules.values import Category, CurrencyCode, Flag, Id, Money, Ratio, Whole, Zone

NON_EARNING = frozenset({"gift_card", "tax", "tip", "shipping", "deposit"})
"""Categories that earn nothing unless the policy says `earns: true`."""
ACTIVITIES = (
    "check_in",
    "referral",
    "survey",
    "review",
    "birthday",
    "profile_completed",
    "login",
    "browsing",
)
"""Activities every policy knows; it declares others under `activities`."""


class Rounding(Part):
    """How exact points become whole ones: the mode, and where it is applied."""

    mode: Literal["floor", "ceil", "half_up", "half_even"] = "floor"
    at: Literal["line", "rule", "transaction"] = "rule"


class Currency(Part):
    """A point currency. `scale` 2 means that its smallest unit is a hundredth of a point.

    Spendable points pay, tier-qualifying points decide tiers and cannot be spent, stamps are
    collected and burned for rewards and are worth no money.
    """

    id: Id
    role: Literal["spendable", "tier_qualifying", "stamp"]
    scale: Annotated[Whole, Field(ge=0, le=4)] = 0
    rounding: Rounding = Rounding()
    expiry: Id | None = None
    pending_days: Days = 0


LinePartKind = Literal["tax", "discount", "shipping", "service_charge"]
NetOf = Literal["tax", "discount", "shipping", "service_charge", "points_tender"]
ALL_NET_OF: tuple[NetOf, ...] = ("tax", "discount", "shipping", "service_charge", "points_tender")


class BusinessUnit(Part):
    """A business unit: its zone, its money, what one point is worth there, and who pays.

    `net_of` are the parts of a line's amount that earn nothing. `funder` is the unit that pays for
    what is earned here; without it the unit pays itself.
    """

    id: Id
    zone: Zone
    currency: CurrencyCode
    point_value: Money | None = None
    net_of: tuple[NetOf, ...] = ALL_NET_OF
    funder: Id | None = None


class CategoryEntry(Part):
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


class MemberAttribute(Part):
    """A typed attribute of members that conditions may ask for; its value never enters history."""

    id: Id
    type: Literal["int", "string", "bool", "date", "string_list"]


class Counter(Part):
    """Counts documents or activities that meet `when`, per member: the nth visit, a streak.

    A `count` gives each of them its number within `period`, `distinct` says whether two on one
    local day have one number. A `streak` is the number of `period`s in a row, up to this one, that
    have one; it begins anew once more than `missed_allowed` were missed.
    """

    id: Id
    kind: Literal["count", "streak"] = "count"
    period: Literal["local_day", "local_week", "local_month", "local_year", "lifetime"] = "lifetime"
    distinct: Literal["document", "local_day"] = "document"
    missed_allowed: Annotated[Whole, Field(ge=0, le=30)] = 0
    when: When = When()


class Budget(Part):
    """The most points of a currency that a campaign gives to all members together."""

    currency: Id
    points: Annotated[Whole, Field(ge=1, le=10**15)]
    window: Literal["lifetime", "local_year", "local_month", "local_week", "local_day"] = "lifetime"


class Campaign(Part):
    """Rules with one purse, one time and one hold-out.

    `holdout` of the members, chosen by their id, get nothing from it, so that what it does can be
    measured. `funder` pays for its points. `when` is asked before the rules' own conditions.
    """

    id: Id
    title: str = ""
    funder: Id | None = None
    holdout: Ratio | None = None
    budgets: Annotated[tuple[Budget, ...], Field(max_length=20)] = ()
    when: When = When()


class Benefit(Part):
    """What a grant rule or a tier gives besides points: a coupon, a service, an upgrade, a gift."""

    id: Id
    kind: Literal["coupon", "service", "upgrade", "gift", "access"]
    title: str = ""
    value: Money | None = None
    percent: Ratio | None = None
    business_unit: Ids = ()
