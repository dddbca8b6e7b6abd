"""What every part of a policy document has in common: strict keys, frozen values, shared forms."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from rules.values import Id, Whole

Points = Annotated[Whole, Field(ge=1, le=10**12)]
Days = Annotated[Whole, Field(ge=0, le=36500)]
Periods = Annotated[Whole, Field(ge=0, le=1200)]
DocumentKind = Literal["sale", "order", "stay", "folio"]
Window = Literal["transaction", "local_day", "local_week", "local_month", "local_year", "lifetime"]
"""A period of the programme's zone in which something is counted; a week begins on Monday."""
Ids = tuple[Id, ...]


class Part(BaseModel):
    """A part of the document: unknown keys are refused, and nobody can change it."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)
