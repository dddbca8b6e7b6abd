"""What a verification finds wrong: reasons, and a list that no amount of damage makes too long."""

from collections import Counter
from enum import StrEnum
from typing import Final, NamedTuple

from loyalty.v1.audit_service_pb2 import Divergence

PER_REASON: Final = 4
"""Of each reason only the first are kept: one that is everywhere must not hide the others."""
MOST: Final = 100
"""More than so many the contract does not promise."""


class Reason(StrEnum):
    """Why something does not match, as the contract names it."""

    POSITION_GAP = "POSITION_GAP"
    VERSION_GAP = "VERSION_GAP"
    HASH_MISMATCH = "HASH_MISMATCH"
    COLUMN_MISMATCH = "COLUMN_MISMATCH"
    UNKNOWN_KIND = "UNKNOWN_KIND"
    FACT_INCOMPLETE = "FACT_INCOMPLETE"
    AWARD_MISMATCH = "AWARD_MISMATCH"
    POLICY_MISMATCH = "POLICY_MISMATCH"
    LOT_BELOW_ZERO = "LOT_BELOW_ZERO"
    BALANCE_MISMATCH = "BALANCE_MISMATCH"
    ADJUSTMENT_MISMATCH = "ADJUSTMENT_MISMATCH"
    VELOCITY_MISMATCH = "VELOCITY_MISMATCH"
    ROOM_MISMATCH = "ROOM_MISMATCH"
    BUDGET_MISMATCH = "BUDGET_MISMATCH"
    DOCUMENT_FORKED = "DOCUMENT_FORKED"
    TIER_NOT_HELD = "TIER_NOT_HELD"
    TIER_MISMATCH = "TIER_MISMATCH"
    POLICY_NOT_IN_FORCE = "POLICY_NOT_IN_FORCE"
    PERIOD_MISMATCH = "PERIOD_MISMATCH"
    OPENING_MISMATCH = "OPENING_MISMATCH"
    ERASURE_MISMATCH = "ERASURE_MISMATCH"
    REFERRAL_MISMATCH = "REFERRAL_MISMATCH"
    TRANSFER_MISMATCH = "TRANSFER_MISMATCH"
    RECALL_MISMATCH = "RECALL_MISMATCH"
    MERGE_MISMATCH = "MERGE_MISMATCH"
    POOL_MISMATCH = "POOL_MISMATCH"


class Finding(NamedTuple):
    """Something that does not match, at a position of the lane that is being looked at."""

    pos: int
    reason: Reason
    detail: str


class Findings:
    """Findings of all lanes, in the order in which they were found."""

    def __init__(self) -> None:
        """Begin with none."""
        self.divergences: list[Divergence] = []
        self._of_reason: Counter[Reason] = Counter()

    def add(self, lane: int, finding: Finding) -> None:
        """Keep a finding, if there are not too many of its reason."""
        self._of_reason[finding.reason] += 1
        if self._of_reason[finding.reason] <= PER_REASON and len(self.divergences) < MOST:
            self.divergences.append(
                Divergence(
                    lane=lane, pos=finding.pos, reason=finding.reason.value, detail=finding.detail
                )
            )
