"""A whole policy document."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from rules.model.adjusting import Adjustments
from rules.model.earning import CurrencyCap, EarnRule, Group
from rules.model.ladder import Tiers
from rules.model.lots import Expiry
from rules.model.nouns import (
    NON_EARNING,
    Benefit,
    BusinessUnit,
    Campaign,
    CategoryEntry,
    Counter,
    Currency,
    MemberAttribute,
)
from rules.model.part import Ids, Part
from rules.model.referring import Referrals
from rules.model.settling import Settlement
from rules.model.spending import (
    Conversion,
    Documents,
    HoldTerms,
    Redemption,
    Refunds,
    Reversals,
    Reward,
    TransferTerms,
)
from rules.model.velocity import Velocity
from rules.values import Id, Moment, Whole, Zone


class PolicyModel(Part):
    """A whole policy document."""

    schema_id: Annotated[Literal["loyalty.policy/v1"], Field(alias="schema")]
    """The language: `loyalty.policy/v1`."""
    programme: Id
    """The programme that the policy is for."""
    version: Annotated[Whole, Field(ge=1)]
    """Rises with every publication."""
    effective_from: Moment
    """From when documents are under this version."""
    zone: Zone
    """The zone of expiry, periods and tier windows."""
    notes: str = ""
    """Whatever there is to say."""
    currencies: Annotated[tuple[Currency, ...], Field(min_length=1, max_length=50)]
    """Point currencies."""
    business_units: Annotated[tuple[BusinessUnit, ...], Field(min_length=1, max_length=500)]
    """The business units."""
    categories: Annotated[tuple[CategoryEntry, ...], Field(max_length=5000)]
    """What documents may sell; without any, everything."""
    unlisted_categories: Literal["earn", "refuse"]
    """What is not listed earns, or is refused: `refuse` if any category is listed, else `earn`."""
    member_attributes: Annotated[tuple[MemberAttribute, ...], Field(max_length=200)] = ()
    """Attributes of members that conditions may ask."""
    segments: Annotated[Ids, Field(max_length=1000)] = ()
    """Segments of members that conditions may ask."""
    activities: Annotated[Ids, Field(max_length=200)] = ()
    """Activities besides those that every policy knows."""
    payments: Annotated[Ids, Field(max_length=200)] = ()
    """Kinds of payment that documents may name."""
    counters: Annotated[tuple[Counter, ...], Field(max_length=50)] = ()
    """What is counted per member."""
    campaigns: Annotated[tuple[Campaign, ...], Field(max_length=500)] = ()
    """Rules with one purse, time and hold-out."""
    groups: Annotated[tuple[Group, ...], Field(max_length=500)] = ()
    """How multipliers stack."""
    expiries: Annotated[tuple[Expiry, ...], Field(max_length=100)] = ()
    """How long points live."""
    earn: Annotated[tuple[EarnRule, ...], Field(max_length=1000)] = ()
    """What earns points; at most 1,000 rules."""
    caps: Annotated[tuple[CurrencyCap, ...], Field(max_length=100)] = ()
    """The most that the programme gives."""
    benefits: Annotated[tuple[Benefit, ...], Field(max_length=500)] = ()
    """What can be given besides points."""
    redemptions: Annotated[tuple[Redemption, ...], Field(max_length=500)] = ()
    """How points are burned as money; without any, they are not."""
    rewards: Annotated[tuple[Reward, ...], Field(max_length=1000)] = ()
    """What can be had for a fixed price in points."""
    holds: Annotated[tuple[HoldTerms, ...], Field(max_length=500)] = ()
    """How long a hold lasts; without any, for ever."""
    reversals: Reversals = Reversals()
    """What a reversed burn gives back."""
    transfers: Annotated[tuple[TransferTerms, ...], Field(max_length=50)] = ()
    """How points move between members; without any, they do not."""
    conversions: Annotated[tuple[Conversion, ...], Field(max_length=200)] = ()
    """How one currency becomes another."""
    refunds: Refunds = Refunds()
    """What happens when a document gives less than it gave."""
    referrals: Referrals | None = None
    """What a member gets for bringing another; without it, nothing is recorded of that."""
    adjustments: Adjustments = Adjustments()
    """Why staff may give or take points, and when a second person has to agree."""
    velocity: Annotated[tuple[Velocity, ...], Field(max_length=50)] = ()
    """How often things may be done, and with how many points."""
    documents: Documents = Documents()
    """Which documents earn."""
    settlement: Settlement = Settlement()
    """What business units pay each other for points."""
    tiers: Tiers | None = None
    """The tiers; without them there are none."""

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
