"""Tiers: which tier each member was last given, and until when.

Whoever is merged into another member has the tier that they come back to, and is not counted.
What has been recorded, that is: a tier whose validity ended and that nobody has advanced since
still stands here, with its `valid_until` in the past.
"""

from typing import Final, NamedTuple

from ledger.core.instant import Instant, from_datetime, from_timestamp, to_datetime
from ledger.lanes import ACCOUNT
from loyalty.v1.events_pb2 import (
    MERGE_STAGE_MERGED,
    MERGE_STAGE_UNMERGED,
    MergeStepped,
    TierChanged,
)
from projections import schema
from projections.projection import (
    EVENTS,
    Connection,
    EventBatch,
    Projection,
    facts_in,
    numbers,
    sql_list,
)
from projections.reading import Reading, reading

NAME: Final = "tiers"
NO_TIER: Final = ""

_ENROLLED: Final = numbers("member_enrolled")
_CHANGED: Final = numbers("tier_changed")
_STEPPED: Final = numbers("merge_stepped")

_ENROL: Final = f"""
INSERT INTO member_tier (version, lane, account, tier, pos)
SELECT $4::integer, e.lane, substr(e.stream, {len(ACCOUNT) + 1}), '{NO_TIER}', e.pos
FROM {EVENTS}
WHERE e.kind IN ({sql_list(_ENROLLED)}) AND starts_with(e.stream, '{ACCOUNT}')
ON CONFLICT (version, account, lane) DO NOTHING"""

_CHANGE: Final = """
INSERT INTO member_tier (version, lane, account, tier, valid_until, pos)
SELECT $1::integer, c.* FROM unnest(
  $2::smallint[], $3::text[], $4::text[], $5::timestamptz[], $6::bigint[]
) AS c (lane, account, tier, valid_until, pos)
ON CONFLICT (version, account, lane) DO UPDATE SET
  tier = EXCLUDED.tier, valid_until = EXCLUDED.valid_until, pos = EXCLUDED.pos"""

_MERGE: Final = """
UPDATE member_tier AS t SET merged = m.merged
FROM unnest($2::smallint[], $3::text[], $4::boolean[]) AS m (lane, account, merged)
WHERE t.version = $1 AND t.account = m.account AND t.lane = m.lane"""

_DIGESTED: Final = """
SELECT account, tier, (extract(epoch FROM valid_until) * 1000000)::bigint, pos, merged::integer
FROM member_tier
WHERE version = $1 ORDER BY account, lane"""

_OF_ACCOUNT: Final = """
SELECT tier, valid_until, pos FROM member_tier
WHERE version = $1 AND account = $2 ORDER BY lane LIMIT 1"""

_COUNTS: Final = """
SELECT tier, count(*) FROM member_tier WHERE version = $1 AND NOT merged
GROUP BY tier ORDER BY tier"""


class Tier(NamedTuple):
    """The tier a member was last given."""

    tier: str
    """Empty: enrolled, and never given any."""
    valid_until: Instant | None
    pos: int
    """Position, in the account's lane, of the event that gave it."""


async def _apply(connection: Connection, batch: EventBatch) -> None:
    await connection.execute(_ENROL, *batch.arguments(), batch.version)
    await _merge(connection, batch)
    # Later changes of an account replace earlier ones: one upsert may touch a row only once.
    last = {
        (change.lane, change.account): (change.fact, change.pos)
        for change in await facts_in(connection, batch, _CHANGED)
    }
    if not last:
        return
    rows = [
        (lane, account, fact.to_tier, _valid_until(fact), pos)
        for (lane, account), (fact, pos) in last.items()
        if isinstance(fact, TierChanged)
    ]
    await connection.execute(_CHANGE, batch.version, *map(list, zip(*rows, strict=True)))


async def _merge(connection: Connection, batch: EventBatch) -> None:
    """Count those no more who were merged into others, and those again who were not after all."""
    last = {
        (each.lane, each.account): each.fact.stage == MERGE_STAGE_MERGED
        for each in await facts_in(connection, batch, _STEPPED)
        if isinstance(each.fact, MergeStepped)
        and each.account == each.fact.source_id
        and each.fact.stage in (MERGE_STAGE_MERGED, MERGE_STAGE_UNMERGED)
    }
    rows = [(lane, account, merged) for (lane, account), merged in last.items()]
    if rows:
        await connection.execute(_MERGE, batch.version, *map(list, zip(*rows, strict=True)))


def _valid_until(fact: TierChanged) -> object:
    if not fact.HasField("valid_until_time"):
        return None
    return to_datetime(from_timestamp(fact.valid_until_time))


async def tier_of(connection: Connection, account: str) -> Reading[Tier | None]:
    """The tier of an account; None for one that never enrolled."""
    async with reading(connection, NAME) as at:
        row = await connection.fetchrow(_OF_ACCOUNT, at.version, account)
    if row is None:
        return Reading(at.positions, None)
    tier, valid_until, pos = row
    until = None if valid_until is None else from_datetime(valid_until)
    return Reading(at.positions, Tier(tier, until, pos))


async def tier_counts(connection: Connection) -> Reading[dict[str, int]]:
    """How many members each tier has; those who were never given one are under ""."""
    async with reading(connection, NAME) as at:
        rows = await connection.fetch(_COUNTS, at.version)
    return Reading(at.positions, {tier: count for tier, count in rows})


TIERS: Final = Projection(
    name=NAME,
    definition=2,
    tables=(schema.member_tier,),
    kinds=_ENROLLED | _CHANGED | _STEPPED,
    points_only=False,
    digested=(_DIGESTED,),
    apply=_apply,
)
