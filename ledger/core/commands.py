"""What may be asked of an account: imperative, complete, and decided without looking anything up.

The shell has resolved the member, minted the entry id, loaded the history a command needs, and
asked the rules; what they answered stands in the command.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ledger.core.instant import Instant
from ledger.core.state import Account
from loyalty.v1.events_pb2 import (
    BurnReversed,
    DocumentPosted,
    HoldCaptured,
    HoldReleased,
    PointsBurned,
    PointsHeld,
    ReversalReversed,
)
from loyalty.v1.types_pb2 import Document, Money, Origin, Pins

HoldFact = PointsHeld | HoldCaptured | HoldReleased
BurnFact = PointsBurned | HoldCaptured | BurnReversed | ReversalReversed


class Grant(Protocol):
    """What one rule gives for one document, in total. The rules' own dataclass fits it."""

    @property
    def rule(self) -> str: ...
    @property
    def currency(self) -> str: ...
    @property
    def wanted(self) -> int: ...
    @property
    def granted(self) -> int: ...
    @property
    def funder(self) -> str: ...
    @property
    def pending_until(self) -> Instant | None: ...
    @property
    def expires_at(self) -> Instant | None: ...
    @property
    def qualifying(self) -> bool: ...
    @property
    def window(self) -> str: ...


class TierAnswer(Protocol):
    """Which tier a ladder gives, and until when."""

    @property
    def tier(self) -> str: ...
    @property
    def valid_until(self) -> Instant | None: ...


@dataclass(frozen=True, slots=True)
class TierVerdict:
    """An answer of the ladder with what it looked at, ready to be recorded."""

    tier: str
    valid_until: Instant | None
    window: str
    qualifying_points: int
    policy_digest: str


TierLadder = Callable[[Account, Instant], TierVerdict | None]
"""Asks the ladder of the policy in force at an instant; None: the programme has no tiers."""


@dataclass(frozen=True, slots=True)
class EnrolMember:
    """Open the account."""

    business_unit: str
    channel: str
    occurred_at: Instant
    identities: tuple[tuple[str, str], ...]
    """(identity_id, scheme) of each identity linked at once."""


@dataclass(frozen=True, slots=True)
class LinkIdentity:
    """Add an identity."""

    identity_id: str
    scheme: str
    business_unit: str
    occurred_at: Instant


class PostDocument(NamedTuple):
    """State a document's net state; the difference to its head is posted."""

    entry_id: str
    business_unit: str
    document: Document
    origin: Origin
    business_date: str
    occurred_at: Instant
    head: DocumentPosted | None
    """Newest posted version, if any."""
    pins: Pins
    grants: Sequence[Grant]
    """What every rule gives for this state, in total; empty when cancelled."""


@dataclass(frozen=True, slots=True)
class RedemptionTerms:
    """What the policy asks of a burn or hold in a unit, in points."""

    minimum: int
    step: int
    policy_digest: str


@dataclass(frozen=True, slots=True)
class BurnPoints:
    """Spend points."""

    entry_id: str
    business_unit: str
    currency: str
    points: int
    value: Money | None
    occurred_at: Instant
    terms: RedemptionTerms


@dataclass(frozen=True, slots=True)
class HoldPoints:
    """Set points aside."""

    entry_id: str
    hold_id: str
    business_unit: str
    currency: str
    points: int
    expires_at: Instant | None
    occurred_at: Instant
    terms: RedemptionTerms


@dataclass(frozen=True, slots=True)
class CaptureHold:
    """Spend held points."""

    entry_id: str
    hold_id: str
    business_unit: str
    points: int
    final: bool
    occurred_at: Instant
    history: tuple[HoldFact, ...]
    """All facts of this hold, oldest first, so that a resolved one can name its first outcome."""


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    """Give all held points back."""

    entry_id: str
    hold_id: str
    business_unit: str
    occurred_at: Instant
    history: tuple[HoldFact, ...]


@dataclass(frozen=True, slots=True)
class ReverseEntry:
    """Take back a burn, a capture, or a reversal of one."""

    entry_id: str
    target_entry_id: str
    business_unit: str
    points: int
    """0: all that is left of it."""
    grace_until: Instant | None
    """Until when points whose lot has expired may live again; None: they come back expired."""
    occurred_at: Instant
    history: tuple[BurnFact, ...]
    """All facts of the burn, oldest first: the burn, its reversals, reversals of them."""


@dataclass(frozen=True, slots=True)
class AdvanceAccount:
    """Record what is due, and nothing else."""


Command = (
    EnrolMember
    | LinkIdentity
    | PostDocument
    | BurnPoints
    | HoldPoints
    | CaptureHold
    | ReleaseHold
    | ReverseEntry
    | AdvanceAccount
)
