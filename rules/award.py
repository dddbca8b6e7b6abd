"""What the rules answer: grants per rule, with the terms of the lots they become."""

from typing import NamedTuple

from rules.facts import Instant, Pins


class Grant(NamedTuple):
    """Points that one rule gives to one document; at most one grant per rule and document.

    `wanted` and `granted` are above zero, in the smallest unit of `currency`; they differ only
    where a cap or budget cuts. `funder` is the business unit that pays. `pending_until` None
    means available at once, `expires_at` None means never. `window` is the tier window that
    qualifying points count in, "" for other currencies.
    """

    rule: str
    currency: str
    wanted: int
    granted: int
    funder: str
    pending_until: Instant | None
    expires_at: Instant | None
    qualifying: bool
    window: str


class Award(NamedTuple):
    """The grants of a document in the policy's fixed order, and what they were computed under."""

    pins: Pins
    grants: tuple[Grant, ...]
