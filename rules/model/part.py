"""What every part of a policy document has in common: strict keys, frozen values, shared forms."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from rules.values import Id, Whole


@dataclass(frozen=True, slots=True)
class Names:
    """Marks an id that names an entry of another section, where the publish check looks it up."""

    section: str


Points = Annotated[Whole, Field(ge=1, le=10**12)]
Days = Annotated[Whole, Field(ge=0, le=36500)]
Periods = Annotated[Whole, Field(ge=0, le=1200)]
DocumentKind = Literal["sale", "order", "stay", "folio"]
Window = Literal["transaction", "local_day", "local_week", "local_month", "local_year", "lifetime"]
"""A period of the programme's zone in which something is counted; a week begins on Monday."""
Ids = tuple[Id, ...]

CurrencyId = Annotated[Id, Names("currencies")]
UnitId = Annotated[Id, Names("business_units")]
UnitIds = tuple[UnitId, ...]
TierIds = tuple[Annotated[Id, Names("tiers")], ...]
SegmentIds = tuple[Annotated[Id, Names("segments")], ...]
ActivityIds = tuple[Annotated[Id, Names("activities")], ...]
PaymentIds = tuple[Annotated[Id, Names("payments")], ...]
AttributeId = Annotated[Id, Names("member_attributes")]
CounterId = Annotated[Id, Names("counters")]
CampaignId = Annotated[Id, Names("campaigns")]
GroupId = Annotated[Id, Names("groups")]
ExpiryId = Annotated[Id, Names("expiries")]
BenefitId = Annotated[Id, Names("benefits")]


class Part(BaseModel):
    """A part of the document: unknown keys are refused, and nobody can change it."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)
