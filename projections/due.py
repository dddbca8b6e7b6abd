"""Due: when time next decides something for an account, part by part.

A part is a lot, a hold, what a hold has of a lot, a tier, or a merge under way. What its own date
decides has that instant. Where more decides (activity, a tier, a segment, a grace), the part is
`early`: its instant is the earliest possible one, and only the ledger's own advance can tell. Parts
that time never ends are not kept.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

import asyncpg

from ledger.core.instant import Instant, from_datetime, to_datetime
from loyalty.v1.events_pb2 import LotExtended
from projections import schema
from projections.due_ends import Part
from projections.due_names import HELD, KINDS, names_in
from projections.due_parts import Parts
from projections.projection import Connection, EventBatch, Located, Projection, facts_in
from projections.reading import reading

NAME: Final = "due"
EVER: Final[Instant] = -(2**55)
"""Before every instant that a part can have."""

_COLUMNS: Final = "account, part, available, pending, available_at, ends_at, early, life"
_KNOWN: Final = f"""
SELECT {_COLUMNS} FROM due_part
JOIN unnest($2::text[], $3::text[]) AS named (account, part) USING (account, part)
WHERE version = $1"""
_LIVING: Final = f"""
SELECT {_COLUMNS} FROM due_part
WHERE version = $1 AND account = ANY($2::text[]) AND life IS NOT NULL"""
_HELD: Final = f"""
SELECT {_COLUMNS} FROM due_part
WHERE version = $1 AND account = ANY($2::text[]) AND starts_with(part, '{HELD}')"""
_PUT: Final = f"""
INSERT INTO due_part (version, {_COLUMNS}, due_at)
SELECT $1::integer, p.* FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[],
  $6::timestamptz[], $7::timestamptz[], $8::boolean[], $9::bytea[], $10::timestamptz[]) AS p
ON CONFLICT (version, account, part) DO UPDATE SET
  available = EXCLUDED.available, pending = EXCLUDED.pending,
  available_at = EXCLUDED.available_at, ends_at = EXCLUDED.ends_at,
  early = EXCLUDED.early, life = EXCLUDED.life, due_at = EXCLUDED.due_at"""
_DROP: Final = """
DELETE FROM due_part USING unnest($2::text[], $3::text[]) AS gone (account, part)
WHERE version = $1 AND due_part.account = gone.account AND due_part.part = gone.part"""
_DIGESTED: Final = """
SELECT account, part, available, pending,
  coalesce((extract(epoch FROM available_at) * 1000000)::bigint, 0),
  coalesce((extract(epoch FROM ends_at) * 1000000)::bigint, 0), early::integer
FROM due_part WHERE version = $1 ORDER BY account, part"""

# The first part of each account stands for all of it, so an account is on one page only.
_PAGE: Final = """
SELECT account, part, due_at FROM due_part AS p
WHERE version = $1 AND early = $2 AND due_at > $3 AND due_at <= $4
  AND (due_at, account, part) > ($5::timestamptz, $6::text, $7::text)
  AND NOT EXISTS (
    SELECT FROM due_part AS o
    WHERE o.version = p.version AND o.account = p.account AND o.early = p.early AND o.due_at > $3
      AND (o.due_at, o.part) < (p.due_at, p.part))
ORDER BY due_at, account, part LIMIT $8"""
_COUNT: Final = """
SELECT count(DISTINCT account) FROM due_part
WHERE version = $1 AND early = $2 AND due_at > $3 AND due_at <= $4"""


_AWAITED: Final = """
SELECT DISTINCT i.account FROM awaited_identity a
JOIN identity i ON i.scheme = a.scheme AND i.keyed_hash = a.keyed_hash ORDER BY 1 LIMIT $1"""
_FORGET: Final = "DELETE FROM awaited_identity WHERE until < $1"


class DueAccount(NamedTuple):
    """An account for which time has decided something, or may have."""

    account: str
    part: str
    """The first part that is due."""
    at: Instant
    """When that part is due."""


class Range(NamedTuple):
    """Which due accounts are meant: after < due instant <= until."""

    early: bool
    """Those that may be due, instead of those that are."""
    after: Instant
    until: Instant


class DueAccounts:
    """Finds accounts for which time has decided something, as the projection knows them."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        """Ask over `pool`, page by page; nothing is kept open between them."""
        self._pool = pool

    async def now(self) -> Instant:
        """The database's clock."""
        return from_datetime(await self._pool.fetchval("SELECT clock_timestamp()"))

    async def page(self, wanted: Range, *, last: DueAccount | None, limit: int) -> list[DueAccount]:
        """The next due accounts behind `last`, by due instant; each account once."""
        begin = last or DueAccount("", "", EVER)
        async with self._pool.acquire() as connection, reading(connection, NAME) as at:
            rows = await connection.fetch(
                _PAGE,
                at.version,
                *_arguments(wanted),
                to_datetime(begin.at),
                begin.account,
                begin.part,
                limit,
            )
        return [DueAccount(account, part, from_datetime(due_at)) for account, part, due_at in rows]

    async def count(self, wanted: Range) -> int:
        """How many accounts are due."""
        async with self._pool.acquire() as connection, reading(connection, NAME) as at:
            found: int = await connection.fetchval(_COUNT, at.version, *_arguments(wanted))
        return found

    async def awaited(self, *, limit: int) -> list[str]:
        """Accounts with an identity that a document without a member waits for."""
        return [row[0] for row in await self._pool.fetch(_AWAITED, limit)]

    async def forget_awaited(self, until: Instant) -> None:
        """Let documents wait no longer that can be claimed no more."""
        await self._pool.execute(_FORGET, to_datetime(until))


def _arguments(wanted: Range) -> tuple[object, ...]:
    return wanted.early, to_datetime(wanted.after), to_datetime(wanted.until)


async def _apply(connection: Connection, batch: EventBatch) -> None:
    facts = [located for located in await facts_in(connection, batch, KINDS) if located.account]
    if not facts:
        return
    parts = Parts(await _known(connection, batch.version, facts))
    for located in facts:
        parts.apply(located.account, located.fact)
    await _drop(connection, batch.version, parts)
    await _put(connection, batch.version, parts)


async def _known(
    connection: Connection, version: int, facts: Iterable[Located]
) -> dict[tuple[str, str], Part]:
    """The parts that facts name or may mean, and all that activity keeps alive."""
    names = {(each.account, name) for each in facts for name in names_in(each.fact)}
    accounts = {each.account for each in facts}
    columns = ([account for account, _ in names], [name for _, name in names])
    rows = await connection.fetch(_KNOWN, version, *columns)
    rows += await connection.fetch(_LIVING, version, list(accounts))
    extended = {each.account for each in facts if isinstance(each.fact, LotExtended)}
    if extended:
        # Which holds have points of the lot, the fact does not say.
        rows += await connection.fetch(_HELD, version, list(extended))
    return {
        (account, name): Part(
            available,
            pending,
            None if available_at is None else from_datetime(available_at),
            None if ends_at is None else from_datetime(ends_at),
            early,
            life,
        )
        for account, name, available, pending, available_at, ends_at, early, life in rows
    }


async def _drop(connection: Connection, version: int, parts: Parts) -> None:
    gone = parts.gone()
    if gone:
        names = [account for account, _ in gone], [name for _, name in gone]
        await connection.execute(_DROP, version, *names)


async def _put(connection: Connection, version: int, parts: Parts) -> None:
    rows = [
        (
            account,
            name,
            part.available,
            part.pending,
            None if part.available_at is None else to_datetime(part.available_at),
            None if part.ends_at is None else to_datetime(part.ends_at),
            part.early,
            part.life,
            None if part.due_at is None else to_datetime(part.due_at),
        )
        for (account, name), part in parts.changed()
    ]
    if rows:
        await connection.execute(_PUT, version, *map(list, zip(*rows, strict=True)))


DUE: Final = Projection(
    name=NAME,
    definition=2,
    tables=(schema.due_part,),
    kinds=KINDS,
    points_only=False,
    digested=(_DIGESTED,),
    apply=_apply,
)
