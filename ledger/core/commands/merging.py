"""Commands about two accounts that become one, or two again."""

from collections.abc import Callable
from dataclasses import dataclass

from ledger.core.instant import Instant

Rank = Callable[[str], int]
"""Place of a tier on the ladder in force; the lowest has 0, one that it does not know too."""


@dataclass(frozen=True, slots=True)
class BeginMerge:
    """Merge one account into another, or undo that."""

    merge_id: str
    business_unit: str
    reason: str
    actor: str
    occurred_at: Instant


@dataclass(frozen=True, slots=True)
class ContinueMerge:
    """Move the next part of a merge that is under way, or of its undoing."""

    occurred_at: Instant
    policy_digest: str
    """The policy whose ladder is in force."""
    rank: Rank
