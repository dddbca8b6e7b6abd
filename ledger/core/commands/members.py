"""Commands about who a member is, and which tier they have."""

from dataclasses import dataclass

from ledger.core.care import Consent
from ledger.core.instant import Instant
from loyalty.v1.types_pb2 import MembershipState


@dataclass(frozen=True, slots=True)
class EnrolMember:
    """Open the account."""

    business_unit: str
    channel: str
    occurred_at: Instant
    identities: tuple[tuple[str, str], ...]
    """(identity_id, scheme) of each identity linked at once."""
    consents: tuple[Consent, ...] = ()
    """What the member agrees to in joining."""


@dataclass(frozen=True, slots=True)
class LinkIdentity:
    """Add an identity."""

    identity_id: str
    scheme: str
    business_unit: str
    occurred_at: Instant
    moved_from: str = ""
    """The member it is taken from; empty for an identity that is nobody's."""


@dataclass(frozen=True, slots=True)
class UnlinkIdentity:
    """Take an identity away."""

    identity_id: str
    scheme: str
    business_unit: str
    reason: str
    actor: str
    occurred_at: Instant
    moved_to: str = ""
    """The member who gets it; empty: it is nobody's then."""


@dataclass(frozen=True, slots=True)
class ChangeProfile:
    """Note that what business units know of the member changed; the values are not for here."""

    changed: tuple[str, ...]
    """Parts of it, as `MemberProfileChanged` names them."""
    business_unit: str
    occurred_at: Instant
    consents: tuple[Consent, ...] = ()
    """What the member agrees to, or withdraws."""


@dataclass(frozen=True, slots=True)
class GrantTier:
    """Give a tier by decision of staff, or end the one that was given."""

    entry_id: str
    tier: str
    """Empty: what was given ends."""
    until: Instant | None
    """The first instant at which it is over; None: never."""
    reason: str
    business_unit: str
    occurred_at: Instant
    policy_digest: str
    """The policy that knows the tier."""
    replaces: bool = False
    """Whether what was given ends with that: it is no lower."""


@dataclass(frozen=True, slots=True)
class ChangeMembership:
    """Suspend a member, close the account, or let the member take part again."""

    entry_id: str
    state: MembershipState.ValueType
    """Open, suspended or closed."""
    reason: str
    actor: str
    business_unit: str
    occurred_at: Instant
    forfeit: bool = False
    """Points that are left when the account is closed expire."""
