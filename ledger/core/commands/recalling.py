"""Commands that recall bad points from an account."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, NamedTuple

from ledger.core.instant import Instant
from loyalty.v1.types_pb2 import RECALL_SPENT_UNSPECIFIED, RecallAction, RecallSpent


class LotSpent(NamedTuple):
    """What became of a lot that the account does not show any more."""

    currency: str
    issuer: str
    spent: int
    """Points burned, converted, or taken for a debt; net."""
    charged: int
    """Of these, what recalls have charged already."""
    owner: str = ""
    """Account to which the lot belongs, where that was merged into this one."""


NOTHING_SPENT: Final[Mapping[str, LotSpent]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class RecallPoints:
    """Set points of some lots aside, give them back, or take them for good."""

    entry_id: str
    recall_id: str
    business_unit: str
    action: RecallAction.ValueType
    lots: frozenset[str]
    """Empty: what this recall has set aside."""
    reason: str
    actor: str
    occurred_at: Instant
    spent: RecallSpent.ValueType = RECALL_SPENT_UNSPECIFIED
    write_off_to: str = ""
    """Who bears what was spent; empty: whoever issued it."""
    history: Mapping[str, LotSpent] = field(default_factory=lambda: NOTHING_SPENT)
    """By lot, where it is asked what was spent."""
    final_documents: frozenset[str] = frozenset()
    """Documents that have become final: what waited for them does so no more."""
