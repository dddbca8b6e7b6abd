"""Lines of a statement as callers see them."""

from typing import Any

from ledger.answers.postings import movement_of
from ledger.core.events import EFFECTS, decode, kind_of
from ledger.core.instant import to_timestamp
from ledger.rows import StreamEvent
from loyalty.v1.account_service_pb2 import BalanceChange, Entry


def entry_message(event: StreamEvent) -> Entry:
    """A fact that moved points, as a line."""
    fact: Any = decode(event.payload)
    names = fact.DESCRIPTOR.fields_by_name
    return Entry(
        version=event.version,
        entry_id=fact.entry_id if "entry_id" in names else "",
        business_unit=fact.business_unit,
        movement=movement_of(fact, kind_of(fact)),
        available_after=fact.available_after if "available_after" in names else None,
        document=fact.document if "document" in names else "",
        occurred_time=to_timestamp(event.occurred_at),
        recorded_time=to_timestamp(event.recorded_at),
        change=_change(kind_of(fact), fact.points),
    )


def _change(kind: str, points: int) -> BalanceChange:
    effect = EFFECTS[kind]
    return BalanceChange(
        available=effect.available * points,
        pending=effect.pending * points,
        held=effect.held * points,
        arrears=effect.arrears * points,
        in_transit=effect.in_transit * points,
    )
