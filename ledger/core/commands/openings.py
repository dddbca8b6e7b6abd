"""The command that brings in what a member had in an older programme."""

from dataclasses import dataclass

from ledger.core.instant import Instant
from loyalty.v1.types_pb2 import OpeningLot, OpeningTier, Usage


@dataclass(frozen=True, slots=True)
class RecordOpening:
    """Take over lots, what counts towards tiers, and a tier."""

    entry_id: str
    business_unit: str
    source: str
    source_digest: str
    row: str
    lots: tuple[OpeningLot, ...]
    usages: tuple[Usage, ...]
    """What counts towards tiers besides points."""
    tier: OpeningTier | None
    below: frozenset[str]
    """Tiers below the stated one: a member who has earned another keeps that."""
    member_since: Instant | None
    policy_digest: str
    """The policy that knows the words of the row."""
    occurred_at: Instant
