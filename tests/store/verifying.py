"""Verification of a history in memory."""

from ledger.verify import verify
from loyalty.v1.audit_service_pb2 import Divergence
from tests.simulation.database import MemoryDatabase
from tests.simulation.store import MemoryLog


async def divergences_of(database: MemoryDatabase) -> list[Divergence]:
    """What does not match."""
    words = [word async for word in verify(MemoryLog(database), skip_awards=False)]
    assert words[-1].done
    return list(words[-1].divergences)
