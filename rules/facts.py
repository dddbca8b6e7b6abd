"""What the rules may look at, and what of it is pinned: plain values that nobody can change.

Money is int minor units of the document's currency, instants are int microseconds since the
Unix epoch (UTC). Nothing here reads a clock, a database or the network. Named tuples, because
every document makes a handful of them.
"""

import re
from fractions import Fraction
from functools import lru_cache
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


class MemberFacts(NamedTuple):
    """What the rules know of a member. `tier` None means the ladder's lowest tier."""

    tier: str | None = None


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


def member_from_pins(pins: Pins) -> MemberFacts:
    """Give back the member as the rules saw them when `pins` was made."""
    return MemberFacts(tier=pins.tier)


@lru_cache(maxsize=1024)
def parse_quantity(text: str) -> Fraction:
    """Read a decimal quantity such as "2" or "0.375" exactly; ValueError when it is not one."""
    if not _QUANTITY.fullmatch(text):
        raise ValueError(f'quantity {text!r}: write a decimal number such as "2" or "0.375"')
    return Fraction(text)
