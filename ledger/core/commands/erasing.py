"""The command that erases a member."""

from dataclasses import dataclass

from ledger.core.instant import Instant
from loyalty.v1.types_pb2 import ErasedBalance, ErasureRequester


@dataclass(frozen=True, slots=True)
class EraseMember:
    """Let an account be nobody's."""

    certificate_id: str
    business_unit: str
    requested_by: ErasureRequester.ValueType
    reference: str
    actor: str
    identities: tuple[tuple[str, str], ...]
    """(identity_id, scheme) of each identity that is linked."""
    profile: bool
    """Whether anything is known of the member."""
    balance: ErasedBalance.ValueType
    occurred_at: Instant
