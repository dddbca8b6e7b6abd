"""What the rules may look at, and what of it is pinned: plain values that nobody can change.

Money is int minor units of the document's currency, instants are int microseconds since the
Unix epoch (UTC). Nothing here reads a clock, a database or the network. Named tuples, because
every document makes a handful of them.
"""

import re
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

Instant = int
"""Microseconds since the Unix epoch, UTC."""

_QUANTITY = re.compile(r"-?\d{1,12}(\.\d{1,6})?")


class LineFacts(NamedTuple):
    """One surviving line of a document.

    `net_minor` may be zero or negative (a discount line, say). `paid_with_points_minor` is the
    part of it that was paid with points, in the same money; that part earns nothing.
    """

    line_id: str
    category: str
    quantity: Fraction
    net_minor: int
    paid_with_points_minor: int = 0
    brand: str = ""
    sku: str = ""
    parts: tuple[tuple[str, int], ...] = ()
    """(tax | discount | shipping | service_charge, minor units of `net_minor` that it is)."""


class DocumentFacts(NamedTuple):
    """A sale, order, stay or folio as its business unit states it now (net state).

    `status` is PENDING, FINAL or CANCELLED. `kind` and `channel` are compared without regard to
    case. `currency_code` is ISO 4217 and must be the business unit's own.
    """

    business_unit: str
    channel: str
    store: str
    kind: str
    status: str
    currency_code: str
    occurred_at: Instant
    lines: tuple[LineFacts, ...]
    nights: int = 0
    stays: int = 0
    activity: str = ""
    """Set when it is no purchase: kind is ACTIVITY then, and there are no lines."""
    payments: tuple[tuple[str, int], ...] = ()
    """(kind of payment, minor units)."""
    coupons: tuple[str, ...] = ()
    rates: tuple[tuple[str, Fraction], ...] = ()
    """(ISO 4217 code, money of the document that one unit of that currency costs)."""


AttributeValue = int | str | bool | tuple[str, ...]
"""A typed attribute; a date is its text, YYYY-MM-DD."""
NO_ATTRIBUTES: Mapping[str, AttributeValue] = MappingProxyType({})


class MemberFacts(NamedTuple):
    """What the rules know of a member. `tier` None means the ladder's lowest tier.

    Only what the policy asks of it is pinned with the award, as predicates that held.
    """

    tier: str | None = None
    attributes: Mapping[str, AttributeValue] = NO_ATTRIBUTES
    segments: frozenset[str] = frozenset()
    birthday: tuple[int, int] | None = None
    """(month, day)."""
    enrolled_at: Instant | None = None
    member_id: str = ""
    """Decides the hold-out of a campaign, and nothing else."""
    claimed_at: Instant | None = None
    """When the member claimed the document, which had been nobody's; None: it was not claimed."""


NOBODY = MemberFacts()
"""A quote without a member: the lowest tier, no attribute, in no hold-out."""


class Pins(NamedTuple):
    """What an award was computed under, stored with it so that it can be computed again.

    `local_time` is wall time with its offset in the business unit's zone and `business_day` its
    date; `tier_window` is the calendar year in the programme's zone. `predicates` are derived
    facts about the member, never attributes.
    """

    policy_digest: str
    tier: str | None
    local_time: str
    business_day: str
    tier_window: str
    predicates: tuple[str, ...] = ()
    member_since: str = ""
    """Day of enrolment in the programme's zone, where the policy counts from it; else empty."""
    rates: tuple[tuple[str, Fraction], ...] = ()
    claimed_at: Instant | None = None
    """When the document was claimed; None: it was not."""


def member_from_pins(pins: Pins) -> MemberFacts:
    """Give back the member as the rules saw them when `pins` was made."""
    return MemberFacts(tier=pins.tier)


@lru_cache(maxsize=1024)
def parse_quantity(text: str) -> Fraction:
    """Read a decimal quantity such as "2" or "0.375" exactly; ValueError when it is not one."""
    if not _QUANTITY.fullmatch(text):
        raise ValueError(f'quantity {text!r}: write a decimal number such as "2" or "0.375"')
    return Fraction(text)


MILLIONTHS = 10**6
"""A quantity is counted in millionths: it has at most six digits after its point."""


def millionths(quantity: Fraction) -> int:
    """Give a quantity in millionths, without the price of a product of fractions."""
    return quantity.numerator * MILLIONTHS // quantity.denominator
