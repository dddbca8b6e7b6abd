"""What the rules answer: grants per rule, with the terms of the lots they become."""

from typing import NamedTuple

from rules.facts import Instant, Pins
from rules.room import CapKey, CounterKey


class Life(NamedTuple):
    """How long points live when a date alone does not say it; as `LotLife` of the contract."""

    expiry: str
    inactive_months: int = 0
    extended_by: tuple[str, ...] = ()
    hard_expires_at: Instant | None = None
    unless_tiers: tuple[str, ...] = ()
    unless_segments: tuple[str, ...] = ()
    restarts: bool = False
    from_release: bool = False
    """They have no date yet: it counts from when they are released."""
    begun_at: Instant | None = None
    """It counts from then at the earliest; None: from when they were earned, or released."""


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
    campaign: str = ""
    cut_by: str = ""
    """The cap or budget (`CapKey.name`) that left the least room, where granted < wanted."""
    life: Life | None = None
    """Set when more than `expires_at` decides how long the points live."""


class CapUse(NamedTuple):
    """What the document takes of a cap or budget: the use by others that it saw, and its own."""

    cap: CapKey
    others: int
    points: int


class CounterNumber(NamedTuple):
    """The number that the document has in a counter; above zero.

    A pending document is told what it would take; it takes it when it is final.
    """

    counter: CounterKey
    number: int


class Metric(NamedTuple):
    """What the document counts for towards tiers: only what some need of the ladder asks.

    `name` is spend, nights, stays, visits, purchases or counter/<id>; `scope` the business unit,
    and for spend "<unit>/<ISO code>". `window` is where the ladder counts it: "2026" for calendar
    years, the local day "2026-05-01" for other windows, and always the day for visits. Visits and
    purchases ask that something that earns is left; nights and stays do not, so that a stay paid
    with points counts. An activity counts for its counters alone.
    """

    name: str
    scope: str
    window: str
    amount: int


class Benefit(NamedTuple):
    """What a rule grants besides points."""

    rule: str
    benefit: str
    quantity: int
    expires_at: Instant
    campaign: str


class Award(NamedTuple):
    """The grants of a document in the policy's fixed order, and what they were computed under."""

    pins: Pins
    grants: tuple[Grant, ...]
    uses: tuple[CapUse, ...] = ()
    numbers: tuple[CounterNumber, ...] = ()
    metrics: tuple[Metric, ...] = ()
    benefits: tuple[Benefit, ...] = ()
