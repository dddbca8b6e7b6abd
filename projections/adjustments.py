"""Adjustments by hand: what is proposed and waits, what was made or turned down, newest first."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from ledger.core.instant import Instant, from_timestamp, to_datetime
from loyalty.v1.events_pb2 import AdjustmentMade, AdjustmentProposed, AdjustmentRejected
from projections import schema
from projections.projection import (
    Connection,
    EventBatch,
    Located,
    Projection,
    facts_in,
    numbers,
)
from projections.reading import Reading, reading

NAME: Final = "adjustments"
PROPOSED: Final = "PROPOSED"
POSTED: Final = "POSTED"
REJECTED: Final = "REJECTED"
EXPIRED: Final = "EXPIRED"
"""Of a proposal that nobody answered in time; no fact says so, and no row."""
STATES: Final = (PROPOSED, POSTED, REJECTED, EXPIRED)
_KINDS: Final = numbers("adjustment_made", "adjustment_proposed", "adjustment_rejected")
_COLUMNS: Final = (
    "adjustment, lane, account, state, business_unit, currency, amount, reason, note, actor,"
    " decided_by, entry, proposed_at, valid_until, decided_at"
)
_TIMES: Final = """
SELECT lane, pos, recorded_at FROM event
JOIN unnest($1::smallint[], $2::bigint[]) AS wanted (lane, pos) USING (lane, pos)"""
_PUT: Final = f"""
INSERT INTO adjustment (version, {_COLUMNS})
SELECT $1::integer, a.* FROM unnest($2::text[], $3::smallint[], $4::text[], $5::text[], $6::text[],
  $7::text[], $8::bigint[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[],
  $14::timestamptz[], $15::timestamptz[], $16::timestamptz[]) AS a
ON CONFLICT (version, adjustment) DO NOTHING"""
_END: Final = """
UPDATE adjustment SET state = e.state, decided_by = e.decided_by, entry = e.entry,
  decided_at = e.decided_at
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
  AS e (adjustment, state, decided_by, entry, decided_at)
WHERE adjustment.version = $1 AND adjustment.adjustment = e.adjustment"""
_DIGESTED: Final = """
SELECT adjustment, account, state, amount, decided_by, entry,
  coalesce((extract(epoch FROM decided_at) * 1000000)::bigint, 0)
FROM adjustment WHERE version = $1 ORDER BY adjustment"""
_PAGE: Final = f"""
SELECT {_COLUMNS} FROM adjustment
WHERE version = $1 AND adjustment < $2 AND ($3 = '' OR state = $3)
  AND ($4::text[] IS NULL OR business_unit = ANY($4)) AND ($5 = '' OR account = $5)
  AND ($6 = '' OR split_part(actor, '/', 2) = $6 OR split_part(decided_by, '/', 2) = $6)
  AND ($7::boolean IS NULL OR (valid_until <= $8) = $7)
ORDER BY adjustment DESC LIMIT $9"""
_NEWEST: Final = "~"
"""Behind every id."""


class Adjustment(NamedTuple):
    """An adjustment, or a proposal with what came of it."""

    adjustment: str
    """Id of the proposal, or of the adjustment where there was none."""
    lane: int
    account: str
    state: str
    business_unit: str
    currency: str
    amount: int
    reason: str
    note: str
    actor: str
    decided_by: str
    """Who agreed, or turned it down; empty for nobody."""
    entry: str
    """What was posted; empty for nothing."""
    proposed_at: datetime | None
    valid_until: datetime | None
    decided_at: datetime | None


class Wanted(NamedTuple):
    """Which adjustments are asked for."""

    state: str = ""
    units: Sequence[str] | None = None
    """None: of all units."""
    account: str = ""
    operator: str = ""
    """Pseudonym of somebody who acted in it."""


async def list_adjustments(
    connection: Connection, wanted: Wanted, *, now: Instant, below: str, limit: int
) -> Reading[tuple[Adjustment, ...]]:
    """The newest adjustments whose id is below one; empty `below` begins with the newest."""
    expired = None
    state = wanted.state
    if state in (PROPOSED, EXPIRED):
        expired, state = state == EXPIRED, PROPOSED
    at = to_datetime(now)
    async with reading(connection, NAME) as read:
        rows = await connection.fetch(
            _PAGE,
            read.version,
            below or _NEWEST,
            state,
            None if wanted.units is None else list(wanted.units),
            wanted.account,
            wanted.operator,
            expired,
            at,
            limit,
        )
    found = (_aged(Adjustment(*row), at) for row in rows)
    return Reading(read.positions, tuple(found))


def _aged(row: Adjustment, now: datetime) -> Adjustment:
    if row.state == PROPOSED and row.valid_until is not None and row.valid_until <= now:
        return row._replace(state=EXPIRED, decided_at=row.valid_until)
    return row


async def _apply(connection: Connection, batch: EventBatch) -> None:
    facts = [each for each in await facts_in(connection, batch, _KINDS) if each.account]
    if not facts:
        return
    recorded = await _recorded_at(connection, facts)
    rows, ends = [], []
    for located in facts:
        at = recorded[located.lane, located.pos]
        match located.fact:
            case AdjustmentProposed():
                rows.append(_proposed(located, located.fact, at))
            case AdjustmentMade() as made if made.proposal_id:
                ends.append((made.proposal_id, POSTED, made.approver, made.entry_id, at))
            case AdjustmentMade() as made:
                rows.append(_made(located, made, at))
            case AdjustmentRejected() as rejected:
                ends.append((rejected.proposal_id, REJECTED, rejected.actor, "", at))
            case _:
                pass
    if rows:
        await connection.execute(_PUT, batch.version, *map(list, zip(*rows, strict=True)))
    if ends:
        await connection.execute(_END, batch.version, *map(list, zip(*ends, strict=True)))


async def _recorded_at(
    connection: Connection, facts: Iterable[Located]
) -> dict[tuple[int, int], datetime]:
    places = [(located.lane, located.pos) for located in facts]
    rows = await connection.fetch(_TIMES, *map(list, zip(*places, strict=True)))
    return {(lane, pos): at for lane, pos, at in rows}


def _proposed(located: Located, fact: AdjustmentProposed, at: datetime) -> Adjustment:
    until = to_datetime(from_timestamp(fact.valid_until_time))
    return _row(located, fact, PROPOSED)._replace(proposed_at=at, valid_until=until)


def _made(located: Located, fact: AdjustmentMade, at: datetime) -> Adjustment:
    made = _row(located, fact, POSTED)
    return made._replace(decided_by=fact.approver, entry=fact.entry_id, decided_at=at)


def _row(located: Located, fact: AdjustmentMade | AdjustmentProposed, state: str) -> Adjustment:
    return Adjustment(
        fact.entry_id,
        located.lane,
        located.account,
        state,
        fact.business_unit,
        fact.currency,
        fact.amount,
        fact.reason,
        fact.note,
        fact.actor,
        "",
        "",
        None,
        None,
        None,
    )


ADJUSTMENTS: Final = Projection(
    name=NAME,
    definition=1,
    tables=(schema.adjustment,),
    kinds=_KINDS,
    points_only=False,
    digested=(_DIGESTED,),
    apply=_apply,
)
