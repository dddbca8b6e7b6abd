"""The documents of a ledger, written as a history file."""

import heapq
import json
from collections.abc import AsyncIterator, Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, NamedTuple

import asyncpg
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from ledger.backtest.shape import ERASED, HISTORY, MOVED, POLICIES
from ledger.core.counting import document_key
from ledger.core.events import decode
from ledger.core.instant import Instant, from_datetime, from_timestamp
from ledger.evaluation import facts_of, pinned_instant, pins_of
from ledger.lanes import account_of
from ledger.log import Log
from loyalty.v1.events_pb2 import (
    DocumentMovedOut,
    DocumentPosted,
    MemberEnrolled,
    MemberErased,
    PolicyPublished,
)
from rules.sets import row_of

PAGE: Final = 2_000
"""Positions of a lane that are read at once."""
GROUP: Final = 25_000
"""Documents that are written at once."""
_SPACE: Final = "household/"
_DOCUMENTS: Final = """
SELECT recorded_at, lane, pos, stream, payload FROM event
 WHERE lane = $1 AND pos >= $2 AND pos < $3 AND kind IN (1, 6, 60, 62) ORDER BY pos
"""
"""Enrolments, documents, and documents that leave; the numbers are those of the contract."""

Advanced = Callable[[int], None]


class Exported(NamedTuple):
    """How much was written, and what was left out for having no member."""

    versions: int
    without_member: int


async def export(
    pool: asyncpg.Pool, log: Log, file: Path, *, advanced: Advanced = lambda count: None
) -> Exported:
    """Write every version of every document with a member, in the order of recording."""
    policies = await _policies(log)
    schema = pl.DataFrame(schema=HISTORY).to_arrow().schema
    schema = schema.with_metadata({POLICIES: json.dumps(policies).encode()})
    enrolled: dict[str, Instant] = {}
    erased: list[str] = []
    rows: list[dict[str, Any]] = []
    versions = without = 0
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        async for recorded_at, stream, payload in _merged(pool, log, advanced):
            event = decode(payload)
            member = account_of(stream)
            if isinstance(event, MemberEnrolled):
                enrolled[member] = from_timestamp(event.enrol_time)
            elif isinstance(event, DocumentMovedOut):
                key = _hashed(member, event.document)
                gone = {"key": key, "recorded_at": recorded_at, "status": MOVED, "grants": []}
                rows.append(gone)
            elif isinstance(event, MemberErased):
                erased.append(member)
            elif not isinstance(event, DocumentPosted):
                continue
            elif not member:
                without += 1
            else:
                versions += 1
                rows.append(_row(event, member, recorded_at, enrolled.get(member)))
                if len(rows) >= GROUP:
                    _write(writer, schema, rows)
        _write(writer, schema, rows)
        writer.add_key_value_metadata({ERASED: json.dumps(sorted(erased))})
    return Exported(versions, without)


def _write(writer: Any, schema: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        writer.write_table(pl.DataFrame(rows, schema=HISTORY).to_arrow().cast(pa.schema(schema)))
        rows.clear()


async def _policies(log: Log) -> dict[str, str]:
    found: dict[str, str] = {}
    for _, _, payload in await log.policy_events():
        event = decode(payload)
        if isinstance(event, PolicyPublished):
            found[event.digest] = event.expanded.decode()
    return found


async def _merged(
    pool: asyncpg.Pool, log: Log, advanced: Advanced
) -> AsyncIterator[tuple[Instant, str, bytes]]:
    """Merge the lanes by the time of recording; each is in that order itself."""
    lanes = [_lane(pool, lane, head, advanced) for lane, head in (await log.heads()).items()]
    waiting: list[tuple[Any, int]] = []
    for number, lane in enumerate(lanes):
        if (row := await anext(lane, None)) is not None:
            waiting.append(((row["recorded_at"], row["lane"], row["pos"], row), number))
    heapq.heapify(waiting)
    while waiting:
        (recorded, _, _, row), number = waiting[0]
        yield from_datetime(recorded), row["stream"], row["payload"]
        following = await anext(lanes[number], None)
        if following is None:
            heapq.heappop(waiting)
        else:
            key = (following["recorded_at"], following["lane"], following["pos"], following)
            heapq.heapreplace(waiting, (key, number))


async def _lane(
    pool: asyncpg.Pool, lane: int, head: int, advanced: Advanced
) -> AsyncIterator[asyncpg.Record]:
    for begin in range(0, head, PAGE):
        end = min(begin + PAGE, head)
        for row in await pool.fetch(_DOCUMENTS, lane, begin, end):
            yield row
        advanced(end - begin)


def _row(
    posted: DocumentPosted, member: str, recorded_at: Instant, enrolled_at: Instant | None
) -> dict[str, Any]:
    document = posted.document
    pins = pins_of(posted.pins)
    key = document_key(posted.business_unit, document.source, document.document_id)
    facts = facts_of(document, posted.origin, pinned_instant(pins.local_time))
    if pins.rates:
        pinned = {code for code, _ in pins.rates}
        others = tuple(rate for rate in facts.rates if rate[0] not in pinned)
        facts = facts._replace(rates=(*pins.rates, *others))
    household = next((u.scope for u in posted.usages if u.scope.startswith(_SPACE)), "")
    row = row_of(
        facts,
        member=member,
        tier=pins.tier,
        predicates=pins.predicates,
        household=household.removeprefix(_SPACE),
    )
    return row | {
        "key": _hashed(member, key),
        "recorded_at": recorded_at,
        "policy": pins.policy_digest,
        "enrolled_at": enrolled_at,
        "grants": [
            {
                "rule": grant.rule,
                "currency": grant.currency,
                "funder": grant.funder,
                "campaign": grant.campaign,
                "window": grant.tier_window,
                "wanted": grant.wanted,
                "granted": grant.granted,
                "cut_by": grant.cut_by,
            }
            for grant in posted.grants
        ],
    }


def _hashed(member: str, document: str) -> int:
    return int.from_bytes(blake2b(f"{member}\x1f{document}".encode(), digest_size=8).digest())
