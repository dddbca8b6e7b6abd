"""Verification: the ledger's own check of its whole history, run against a database."""

from collections.abc import Callable
from typing import Final

from ledger.log import Log
from ledger.store import Store
from ledger.verifying.verify import verify
from loyalty.v1.audit_service_pb2 import VerifyHistoryResponse
from server import database

CONNECTIONS: Final = 2


async def verify_history(
    url: str, *, skip_awards: bool, progressed: Callable[[VerifyHistoryResponse], None]
) -> VerifyHistoryResponse:
    """Check the history of the database at `url`; the last word of the check.

    It only reads, and needs neither the service nor its keys.

    Args:
        url: a migrated database.
        skip_awards: do not evaluate every award again.
        progressed: told how far it has come.

    Raises:
        DatabaseError: the database cannot be used.
    """
    last = VerifyHistoryResponse()
    pool = await database.pool(url, max_size=CONNECTIONS)
    try:
        store = await Store.open(pool, writes=False)
        async for last in verify(Log(pool, store.lanes), skip_awards=skip_awards):
            progressed(last)
    finally:
        await pool.close()
    return last
