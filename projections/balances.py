"""Balances: what each account has available, pending, held, owed and in transit, by currency.

Folded in the database from typed columns alone: one statement a batch, no payload is decoded.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from ledger.core.events import EFFECTS, KIND_NUMBER, NO_EFFECT, Effect
from ledger.lanes import ACCOUNT
from projections import schema
from projections.projection import EVENTS, Connection, EventBatch, Projection, sql_list
from projections.reading import Reading, reading

NAME: Final = "balances"


def _signed_sum(column: str, of: Callable[[Effect], int]) -> str:
    """SQL: the sum of points times what their kind does to this column."""
    up = frozenset(KIND_NUMBER[name] for name, effect in EFFECTS.items() if of(effect) > 0)
    down = frozenset(KIND_NUMBER[name] for name, effect in EFFECTS.items() if of(effect) < 0)
    return (
        f"sum(CASE WHEN e.kind IN ({sql_list(up)}) THEN e.points"
        f" WHEN e.kind IN ({sql_list(down)}) THEN -e.points ELSE 0 END)::bigint AS {column}"
    )


_MOVING: Final = frozenset(
    KIND_NUMBER[name] for name, effect in EFFECTS.items() if effect != NO_EFFECT
)
_FOLD: Final = f"""
INSERT INTO balance (version, lane, account, currency,
  available, pending, held, arrears, in_transit, pos)
SELECT $4::integer, e.lane, substr(e.stream, {len(ACCOUNT) + 1}), e.currency,
  {_signed_sum("available", lambda effect: effect.available)},
  {_signed_sum("pending", lambda effect: effect.pending)},
  {_signed_sum("held", lambda effect: effect.held)},
  {_signed_sum("arrears", lambda effect: effect.arrears)},
  {_signed_sum("in_transit", lambda effect: effect.in_transit)},
  max(e.pos)
FROM {EVENTS}
WHERE e.kind IN ({sql_list(_MOVING)}) AND starts_with(e.stream, '{ACCOUNT}')
GROUP BY e.lane, e.stream, e.currency
ON CONFLICT (version, account, currency, lane) DO UPDATE SET
  available = balance.available + EXCLUDED.available,
  pending = balance.pending + EXCLUDED.pending,
  held = balance.held + EXCLUDED.held,
  arrears = balance.arrears + EXCLUDED.arrears,
  in_transit = balance.in_transit + EXCLUDED.in_transit,
  pos = EXCLUDED.pos"""

# A row of zeros and no row mean the same, and a replay keeps only what an account still has.
_DIGESTED: Final = """
SELECT account, currency, available, pending, held, arrears, in_transit FROM balance
WHERE version = $1 AND (available, pending, held, arrears, in_transit) <> (0, 0, 0, 0, 0)
ORDER BY account, currency"""

_OF_ACCOUNT: Final = """
SELECT currency, available, pending, held, arrears, in_transit, pos FROM balance
WHERE version = $1 AND account = $2 ORDER BY currency"""


class Balance(NamedTuple):
    """Points of one account in one currency, in the currency's smallest unit."""

    currency: str
    available: int
    pending: int
    held: int
    arrears: int
    in_transit: int
    """Sent to another account, which does not have them yet."""
    pos: int
    """Position, in the account's lane, of the last event that changed it."""


async def _apply(connection: Connection, batch: EventBatch) -> None:
    await connection.execute(_FOLD, *batch.arguments(), batch.version)


async def balances_of(connection: Connection, account: str) -> Reading[tuple[Balance, ...]]:
    """Balances of an account, by currency; empty for one that never had points."""
    async with reading(connection, NAME) as at:
        rows = await connection.fetch(_OF_ACCOUNT, at.version, account)
    return Reading(at.positions, tuple(Balance(*row) for row in rows))


BALANCES: Final = Projection(
    name=NAME,
    definition=1,
    tables=(schema.balance,),
    kinds=_MOVING,
    points_only=True,
    digested=(_DIGESTED,),
    apply=_apply,
)
