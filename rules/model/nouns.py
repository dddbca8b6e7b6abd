"""The nouns of a policy: currencies, units, categories, and what is known of members."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from rules.model.conditions import When
from rules.model.part import CurrencyId, Days, ExpiryId, Part, UnitId, UnitIds
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
    """Down, up, to the nearest with halves up, or to the nearest with halves to even."""
    at: Literal["line", "rule", "transaction"] = "rule"
    """Each line's part, each rule's sum, or the running total of the document."""


class Currency(Part):
    """A point currency. `scale` 2 means that its smallest unit is a hundredth of a point.

    Spendable points pay, tier-qualifying points decide tiers and cannot be spent, stamps are
    collected and burned for rewards and are worth no money.
    """

    id: Id
    """Its name in the policy and in every answer."""
    role: Literal["spendable", "tier_qualifying", "stamp"]
    """What its points are for."""
    scale: Annotated[Whole, Field(ge=0, le=4)] = 0
    """Digits after the point: all numbers of points are in the smallest unit, 10^-scale."""
    rounding: Rounding = Rounding()
    """How exact points become whole ones."""
    expiry: ExpiryId | None = None
    """How long its points live where no rule says otherwise; without it they stay."""
    pending_days: Days = 0
    """Days until its points can be spent, where no rule says otherwise."""
    draw_first: UnitIds = ()
    """Points that these units pay for are spent first, in this order; then whatever ends first."""


LinePartKind = Literal["tax", "discount", "shipping", "service_charge"]
NetOf = Literal["tax", "discount", "shipping", "service_charge", "points_tender"]
ALL_NET_OF: tuple[NetOf, ...] = ("tax", "discount", "shipping", "service_charge", "points_tender")


class BusinessUnit(Part):
    """A business unit: its zone, its money, what one point is worth there, and who pays.

    `net_of` are the parts of a line's amount that earn nothing. `funder` is the unit that pays for
    what is earned here; without it the unit pays itself.
    """

    id: Id
    """Its name in the policy and in every document."""
    zone: Zone
    """The zone of its local days and times."""
    currency: CurrencyCode
    """The money of its documents."""
    point_value: Money | None = None
    """What one smallest unit of spendable points is worth there."""
    net_of: tuple[NetOf, ...] = ALL_NET_OF
    """Parts of a line's amount that earn nothing."""
    funder: UnitId | None = None
    """The unit that pays for what is earned here; without it, the unit itself."""


class CategoryEntry(Part):
    """A category that documents may use; what is below it (`room/suite`) is known with it.

    A bare name is short for `{id: name}`.
    """

    id: Category
    """The category."""
    earns: Flag = True
    """Whether it earns and counts; gift_card, tax, tip, shipping and deposit do not unless said."""

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
    """Its name."""
    type: Literal["int", "string", "bool", "date", "string_list"]
    """What its values are; a date is written `2026-06-01`."""


class Counter(Part):
    """Counts documents or activities that meet `when`, per member: the nth visit, a streak.

    A `count` gives each of them its number within `period`, `distinct` says whether two on one
    local day have one number. A `streak` is the number of `period`s in a row, up to this one, that
    have one; it begins anew once more than `missed_allowed` were missed.
    """

    id: Id
    """Its name."""
    kind: Literal["count", "streak"] = "count"
    """What it counts: documents, or periods in a row."""
    period: Literal["local_day", "local_week", "local_month", "local_year", "lifetime"] = "lifetime"
    """The period in which a count begins anew, or which a streak counts."""
    distinct: Literal["document", "local_day"] = "document"
    """Whether each document has its own number, or all of one local day have one."""
    missed_allowed: Annotated[Whole, Field(ge=0, le=30)] = 0
    """How many periods a streak may miss in a row."""
    when: When = When()
    """What is counted; without it, every purchase."""


class Budget(Part):
    """The most points of a currency that a campaign gives to all members together."""

    currency: CurrencyId
    """The currency of the points."""
    points: Annotated[Whole, Field(ge=1, le=10**15)]
    """The most points."""
    window: Literal["lifetime", "local_year", "local_month", "local_week", "local_day"] = "lifetime"
    """The period for which they are."""


class Campaign(Part):
    """Rules with one purse, one time and one hold-out.

    `holdout` of the members, chosen by their id, get nothing from it, so that what it does can be
    measured. `funder` pays for its points. `when` is asked before the rules' own conditions.
    """

    id: Id
    """Its name."""
    title: str = ""
    """What people call it."""
    funder: UnitId | None = None
    """The unit that pays for its points, unless a rule says another."""
    holdout: Ratio | None = None
    """The share of members that get nothing from it."""
    budgets: Annotated[tuple[Budget, ...], Field(max_length=20)] = ()
    """The most points that it gives."""
    when: When = When()
    """Conditions of all its rules."""


class Benefit(Part):
    """What a grant rule or a tier gives besides points: a coupon, a service, an upgrade, a gift."""

    id: Id
    """Its name."""
    kind: Literal["coupon", "service", "upgrade", "gift", "access"]
    """What it is."""
    title: str = ""
    """What people call it."""
    value: Money | None = None
    """What it is worth, as an amount."""
    percent: Ratio | None = None
    """What it takes off a price, as a share."""
    business_unit: UnitIds = ()
    """Where it can be used; without them, everywhere."""
