"""Verification: the ledger's own check of its whole history, run against a database."""

from collections.abc import Callable

from ledger.clock import Clock
from ledger.service import Ledger, LedgerSettings
from loyalty.v1.audit_service_pb2 import VerifyHistoryResponse
from server import database


async def verify_history(
    url: str,
    *,
    key: bytes,
    skip_awards: bool,
    progressed: Callable[[VerifyHistoryResponse], None],
    clock: Clock | None = None,
) -> VerifyHistoryResponse:
    """Check the history of the database at `url`; the last word of the check.

    Args:
        url: a migrated database.
        key: the identity key of its service.
        skip_awards: do not evaluate every award again.
        progressed: told how far it has come.
        clock: the machine's if None.

    Raises:
        DatabaseError: the database cannot be used.
    """
    last = VerifyHistoryResponse()
    pool = await database.pool(url, max_size=4)
    try:
        ledger = await Ledger.open(pool, LedgerSettings(identity_key=key), clock)
        try:
            async for last in ledger.verify(skip_awards=skip_awards):
                progressed(last)
        finally:
            await ledger.close()
    finally:
        await pool.close()
    return last
