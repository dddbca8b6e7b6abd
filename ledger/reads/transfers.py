"""Reads of single transfers: from their facts, never older than what was acknowledged."""

from ledger.core.events import AnyFact, decode
from ledger.core.instant import Instant
from ledger.core.refusals import UnknownTransfer
from ledger.keys import transfer_thing
from ledger.store import Store
from ledger.transit import transfer_message, transit_of
from loyalty.v1.events_pb2 import PointsSent
from loyalty.v1.ledger_service_pb2 import Transfer


async def read_transfer(store: Store, transfer_id: str) -> Transfer:
    """Where a transfer stands. Raises UnknownTransfer."""
    acts: list[tuple[str, AnyFact]] = []
    sent_at: Instant | None = None
    ended_at: Instant | None = None
    for row in await store.find_acts([transfer_thing(transfer_id)]):
        fact = decode(row.payload)
        acts.append((row.stream, fact))
        if isinstance(fact, PointsSent):
            sent_at = row.recorded_at
        elif ended_at is None:
            ended_at = row.recorded_at
    transit = transit_of(acts)
    if transit is None:
        raise UnknownTransfer(transfer_id=transfer_id)
    return transfer_message(transit, sent_at=sent_at, ended_at=ended_at)
