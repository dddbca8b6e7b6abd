"""What the demo's year consists of: every unit's traffic, and what is brought back of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from ledger.core.instant import Instant
from server.demo import dining, hotel, market, web
from server.demo.habits import with_habits
from server.demo.owners import Members
from server.demo.returns import returns_of
from server.demo.sources import (
    DAY,
    WEEK,
    WHOLE,
    Source,
    SourceDocument,
    SourceError,
    major,
    total,
)

_MONDAY: Final = 4 * DAY
"""1970-01-05, the first Monday of the epoch."""
ALL_FROM: Final = 800
"""Households that are customers enough for all that the other units sell."""
_TILLS: Final = ("market", "dining")


@dataclass(frozen=True, slots=True)
class Scale:
    """How much of it to take. `households` None takes all; `real` False makes hotel and web up.

    `share` is how much of the other units' traffic takes part; None: as fits the households.
    """

    households: int | None
    real: bool
    share: Fraction | None = None
    keep: bool = False

    @property
    def part(self) -> Fraction:
        """Share of the restaurants', hotels' and web shop's traffic."""
        if self.share is not None:
            return self.share
        if self.households is None:
            return WHOLE
        return min(WHOLE, Fraction(self.households, ALL_FROM))


@dataclass(frozen=True, slots=True)
class Year:
    """All the year's documents and activities; by unit, what the demo's own returns take back."""

    sources: Sequence[Source]
    part: Fraction
    members: Members
    documents: Sequence[SourceDocument]
    brought_back: dict[str, Decimal]

    @property
    def begins_at(self) -> Instant:
        """The Monday of the first document, UTC."""
        first = min(document.occurred_at for document in self.documents)
        return (first - _MONDAY) // WEEK * WEEK + _MONDAY


def read(scale: Scale) -> Year:
    """Read every unit's traffic.

    Raises:
        SourceError: a file is missing, or its documents do not add up to its total.
    """
    shop = market.read(scale.households)
    members = Members(doc.owner for doc in shop.documents if doc.owner is not None)
    sources = (
        shop,
        dining.read(members, share=scale.part),
        hotel.read(members, real=scale.real, share=scale.part),
        web.read(members, real=scale.real, share=scale.part),
    )
    documents: list[SourceDocument] = []
    brought_back: dict[str, Decimal] = {}
    for source in sources:
        _check(source)
        documents.extend(source.documents)
        if source.business_unit in _TILLS:
            pairs = list(returns_of(source.documents))
            documents.extend(later for _, later in pairs)
            brought_back[source.business_unit] = major(
                sum(before.net - later.net for before, later in pairs)
            )
    shown, activities = with_habits(documents, members)
    return Year(sources, scale.part, members, [*shown, *activities], brought_back)


def _check(source: Source) -> None:
    control, documents = source.control, total(source.documents)
    if control.published not in (None, control.amount):
        raise SourceError(
            f"{source.business_unit}: the file adds up to {control.amount}, published is"
            f" {control.published}: install the locked version of its package"
        )
    if documents != control.expected:
        raise SourceError(
            f"{source.business_unit}: documents come to {documents}, the file to {control.expected}"
        )
