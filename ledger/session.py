"""A connection that is kept for one purpose."""

import asyncio

import asyncpg
from asyncpg.pool import PoolConnectionProxy


class Session:
    """One connection of the pool, kept for one purpose, replaced when it broke.

    Taking a connection from the pool and resetting it afterwards costs a round trip, which a lone
    caller would feel. Calls wait for each other: a connection does one thing at a time.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        """Take the connection from `pool` at the first use."""
        self._pool = pool
        self._connection: PoolConnectionProxy | None = None
        self._lock = asyncio.Lock()

    async def fetch(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        """Rows of a statement, which the connection prepares once."""
        async with self._lock:
            if self._connection is None or self._connection.is_closed():
                await self.drop()
                self._connection = await self._pool.acquire()
            return await self._connection.fetch(statement, *arguments)

    async def drop(self) -> None:
        """Give the connection back, broken or not."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await self._pool.release(connection)
