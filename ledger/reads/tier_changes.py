"""How a member's tier came about: every change of it that is recorded, or due by now."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from ledger.answers.telling import Telling
from ledger.answers.tier_words import tier_line
from ledger.core.events import KIND_NAME, Fact, decode
from ledger.core.instant import to_timestamp
from ledger.rows import StreamEvent
from loyalty.v1.account_service_pb2 import TierChange
from loyalty.v1.events_pb2 import TierChanged

Sees = Callable[[str], bool]
"""Whether things of a business unit are the caller's to know."""

TIER_KIND: Final = next(number for number, name in KIND_NAME.items() if name == "tier_changed")


def recorded_changes(
    events: Iterable[StreamEvent], telling: Telling, sees: Sees
) -> list[TierChange]:
    """The changes among events of an account, in their order."""
    return [
        _told(
            decode(event.payload),
            telling,
            sees,
            version=event.version,
            recorded_time=to_timestamp(event.recorded_at),
        )
        for event in events
    ]


def due_changes(facts: Iterable[Fact], telling: Telling, sees: Sees) -> list[TierChange]:
    """The changes that time has decided and nobody has recorded, in their order."""
    found = (fact.event for fact in facts if isinstance(fact.event, TierChanged))
    return [_told(event, telling, sees) for event in found]


def as_seen(change: TierChanged, sees: Sees) -> TierChanged:
    """A change without what staff of a unit said that is not the caller's to know."""
    if not change.granting_unit or sees(change.granting_unit):
        return change
    seen = TierChanged()
    seen.CopyFrom(change)
    seen.ClearField("granting_unit")
    seen.ClearField("reason")
    return seen


def _told(fact: Any, telling: Telling, sees: Sees, **recorded: Any) -> TierChange:
    seen = as_seen(fact, sees)
    told = TierChange(
        entry_id=seen.entry_id,
        from_tier=seen.from_tier,
        to_tier=seen.to_tier,
        cause=seen.cause,
        basis=seen.basis,
        business_unit=seen.granting_unit,
        reason=seen.reason,
        effective_time=seen.effective_time,
        line=tier_line(seen, telling),
        **recorded,
    )
    if seen.HasField("valid_until_time"):
        told.valid_until_time.CopyFrom(seen.valid_until_time)
    return told
