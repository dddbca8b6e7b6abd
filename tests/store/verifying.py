"""Verification of a history in memory, and of one that somebody changed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ledger.core.events import columns_of, decode, encode
from ledger.envelope import StoredEvent, leaf_hash
from ledger.verifying.verify import verify
from loyalty.v1.audit_service_pb2 import Divergence
from tests.simulation.database import MemoryDatabase
from tests.simulation.store import MemoryLog


async def divergences_of(database: MemoryDatabase) -> list[Divergence]:
    """What does not match."""
    words = [word async for word in verify(MemoryLog(database), skip_awards=False)]
    assert words[-1].done
    return list(words[-1].divergences)


@contextmanager
def rewritten(
    database: MemoryDatabase, event: StoredEvent, change: Callable[[Any], None]
) -> Iterator[None]:
    """While it lasts a fact says something else, with columns and hash that fit."""
    fact: Any = decode(event.payload)
    change(fact)
    with replaced(database, event, fact):
        yield


@contextmanager
def replaced(database: MemoryDatabase, event: StoredEvent, fact: Any) -> Iterator[None]:
    """While it lasts another fact of the kind stands in a place, with columns and hash that fit."""
    kind, currency, points, unit = columns_of(fact)
    row = event._replace(
        kind=kind, currency=currency, points=points, business_unit=unit, payload=encode(fact)
    )
    _put(database, row._replace(leaf_hash=leaf_hash(row)))
    yield
    _put(database, event)


def _put(database: MemoryDatabase, row: StoredEvent) -> None:
    database.events[row.lane][row.pos] = row
    database.streams[row.stream][row.version - 1] = row
