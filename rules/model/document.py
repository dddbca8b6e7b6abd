"""A whole policy document."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

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
from rules.values import Id, Moment, Whole, Zone


class PolicyModel(Part):
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
    member_attributes: Annotated[tuple[MemberAttribute, ...], Field(max_length=200)] = ()
    segments: Annotated[Ids, Field(max_length=1000)] = ()
    activities: Annotated[Ids, Field(max_length=200)] = ()
    payments: Annotated[Ids, Field(max_length=200)] = ()
    counters: Annotated[tuple[Counter, ...], Field(max_length=50)] = ()
    campaigns: Annotated[tuple[Campaign, ...], Field(max_length=500)] = ()
    groups: Annotated[tuple[Group, ...], Field(max_length=500)] = ()
    expiries: Annotated[tuple[Expiry, ...], Field(max_length=100)] = ()
    earn: Annotated[tuple[EarnRule, ...], Field(max_length=1000)] = ()
    caps: Annotated[tuple[CurrencyCap, ...], Field(max_length=100)] = ()
    benefits: Annotated[tuple[Benefit, ...], Field(max_length=500)] = ()
    redemptions: Annotated[tuple[Redemption, ...], Field(max_length=500)] = ()
    rewards: Annotated[tuple[Reward, ...], Field(max_length=1000)] = ()
    holds: Annotated[tuple[HoldTerms, ...], Field(max_length=500)] = ()
    reversals: Reversals = Reversals()
    transfers: Annotated[tuple[TransferTerms, ...], Field(max_length=50)] = ()
    conversions: Annotated[tuple[Conversion, ...], Field(max_length=200)] = ()
    refunds: Refunds = Refunds()
    documents: Documents = Documents()
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
