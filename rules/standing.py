"""What a ladder looks at: what a member has counted, in which window, and which tiers were held."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal, NamedTuple, Protocol

from rules.facts import Instant

Basis = Literal["earned", "granted", "grace", "lifetime"]
"""Why a tier is held: earned by the ladder's needs, given by staff, on grace, or for ever."""

Qualifying = Mapping[tuple[str, str], int]
"""Qualifying points by (point currency, window), as `Grant.currency` and `Grant.window` say.

Window "" holds what is too old to be kept by window: it counts for life alone.
"""
Metrics = Mapping[tuple[str, str, str], int]
"""Metrics by (name, scope, window), as `Usage` of the contract says them: name "metric/nights"."""
NO_METRICS: Metrics = MappingProxyType({})
METRIC = "metric/"


class Span(Protocol):
    """A tier as it was held from an instant on."""

    @property
    def tier(self) -> str: ...
    @property
    def from_at(self) -> Instant: ...
    @property
    def valid_until(self) -> Instant | None: ...
    @property
    def review_at(self) -> Instant | None: ...
    @property
    def basis(self) -> str: ...
    @property
    def window(self) -> str: ...


class Held(NamedTuple):
    """A `Span` for callers that have no record of their own."""

    tier: str
    from_at: Instant = 0
    valid_until: Instant | None = None
    review_at: Instant | None = None
    basis: Basis = "earned"
    window: str = ""
    """The window that gave it, as `TierAnswer.window` said; empty when none did."""


class Standing(NamedTuple):
    """What a member has counted and held."""

    qualifying: Qualifying
    metrics: Metrics = NO_METRICS
    member_since: Instant | None = None
    """When the member enrolled."""
    spans: Sequence[Span] = ()
    """Tiers held, oldest first; the last one is in force, or has just ended."""
    brought: Sequence[Span] = ()
    """Tiers that staff gave to members who became part of this one."""
