"""The statements of the hot path stay on their indexes however much is recorded."""

from ledger.lanes import lane_of
from ledger.statements import FIND_ACTS
from server.database import connect
from tests.database_fixtures import execute

KEYS = 60_000
THINGS = 200
LANES = 16

FILL = f"""
INSERT INTO request (key_lane, key, fingerprint, lane, stream, first_version, last_version)
SELECT (i % {LANES})::smallint, 'r/load/' || i, '', 0, 'account/' || i % 1000, i, i
  FROM generate_series(1, {KEYS}) AS i
"""


async def test_acts_are_found_by_their_keys_and_not_by_reading_the_key_home(database: str) -> None:
    await execute(database, FILL)
    await execute(database, "ANALYZE request")
    things = [f"h/a/{number}" for number in range(THINGS)]
    connection = await connect(database)
    try:
        lanes = [lane_of(thing, LANES) for thing in things]
        plan = await connection.fetch(f"EXPLAIN {FIND_ACTS}", lanes, things)
    finally:
        await connection.close()
    text = "\n".join(row[0] for row in plan)
    assert "request_pkey" in text
    assert "Seq Scan" not in text
