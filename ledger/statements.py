"""The statements of the hot path. asyncpg prepares each once per connection."""

from collections.abc import Iterable
from functools import cache
from typing import Final

SETTING: Final = "SELECT value FROM programme_setting WHERE name = $1"

PIN_SETTING: Final = """
INSERT INTO programme_setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING
"""

HEADS: Final = "SELECT lane, next_pos, last_recorded_at FROM lane ORDER BY lane"

HEAD: Final = "SELECT next_pos FROM lane WHERE lane = $1"

STREAM_EVENTS: Final = """
SELECT version, kind, occurred_at, recorded_at, payload FROM event
 WHERE lane = $1 AND stream = $2 ORDER BY version
"""

ENTRIES: Final = """
SELECT version, kind, occurred_at, recorded_at, payload FROM event
 WHERE lane = $1 AND stream = $2 AND version < $3 AND kind = ANY($4::smallint[])
   AND ($5 = '' OR currency = $5)
 ORDER BY version DESC LIMIT $6
"""

EVENTS: Final = """
SELECT lane, pos, stream, version, kind, currency, points, business_unit,
       occurred_at, recorded_at, payload, leaf_hash
  FROM event WHERE lane = $1 AND pos >= $2 ORDER BY pos LIMIT $3
"""

# A range of positions, not a number of rows: the reader knows how far it has come even when a
# filter leaves everything out.
EVENTS_BETWEEN: Final = """
SELECT lane, pos, stream, version, kind, currency, points, business_unit,
       occurred_at, recorded_at, payload, leaf_hash
  FROM event WHERE lane = $1 AND pos >= $2 AND pos < $3 AND ($4 = '' OR business_unit = $4)
 ORDER BY pos
"""

# A page as columns: one value each is a third of the work of a row for each event. That no position
# is missing shows in their number, for a lane has each of them once. What an account has in a page
# stands together, for it is folded faster in one go.
REPLAYED: Final = """
SELECT string_agg(leaf_hash, '' ORDER BY pos),
       array_agg(stream ORDER BY stream, pos), array_agg(pos ORDER BY stream, pos),
       array_agg(version ORDER BY stream, pos), array_agg(payload ORDER BY stream, pos)
  FROM event WHERE lane = $1 AND pos >= $2 AND pos < $3
"""

POSITIONS: Final = "SELECT pos FROM event WHERE lane = $1 AND pos >= $2 AND pos < $3 ORDER BY pos"

# Heads together with what stands in the lanes, in one snapshot: the two must agree at every moment.
LANE_ENDS: Final = """
SELECT l.lane, l.next_pos, l.last_recorded_at,
       (SELECT min(e.pos) FROM event e WHERE e.lane = l.lane) AS first_pos,
       (SELECT max(e.pos) FROM event e WHERE e.lane = l.lane) AS last_pos
  FROM lane l ORDER BY l.lane
"""

STRAY_EVENTS: Final = """
(SELECT lane, pos FROM event WHERE lane < 0 ORDER BY lane, pos LIMIT 1)
UNION ALL
(SELECT lane, pos FROM event WHERE lane >= $1 ORDER BY lane, pos LIMIT 1)
"""

LOCKED_HEADS: Final = """
SELECT lane, next_pos, last_recorded_at FROM lane
 WHERE lane = ANY($1::smallint[]) ORDER BY lane FOR UPDATE
"""

CLOCK: Final = "SELECT clock_timestamp()"

# The keys that callers sent, and the newest act of every thing: '#' stands between a thing and its
# acts, '$' is the character after it, so the range holds all acts of the thing and nothing else.
FIND_KEYS: Final = """
SELECT r.key, r.command, r.fingerprint, r.answer, r.refers_to,
       r.lane, r.stream, r.first_version, r.last_version
  FROM unnest($1::text::smallint[], $2::text::text[]) AS k(key_lane, key)
  JOIN request r ON r.key_lane = k.key_lane AND r.key = k.key
UNION ALL
SELECT n.key, NULL, n.fingerprint, NULL, n.refers_to,
       n.lane, n.stream, n.first_version, n.last_version
  FROM unnest($3::text::smallint[], $4::text::text[]) AS t(key_lane, thing)
 CROSS JOIN LATERAL (
       SELECT * FROM request r
        WHERE r.key_lane = t.key_lane AND r.key > t.thing || '#' AND r.key < t.thing || '$'
        ORDER BY r.key DESC LIMIT 1) AS n
"""

# OFFSET 0 keeps the planner from joining the other way round: with a large key home it would hash
# every key of a lane against every thing, which takes seconds.
FIND_ACTS: Final = """
SELECT t.thing, r.key, e.stream, e.payload, e.recorded_at
  FROM unnest($1::smallint[], $2::text[]) AS t(key_lane, thing)
 CROSS JOIN LATERAL (
       SELECT * FROM request k
        WHERE k.key_lane = t.key_lane AND k.key > t.thing || '#' AND k.key < t.thing || '$'
       OFFSET 0) AS r
 CROSS JOIN LATERAL (
       SELECT * FROM event f
        WHERE f.lane = r.lane AND f.stream = r.stream
          AND f.version BETWEEN r.first_version AND r.last_version
       OFFSET 0) AS e
 ORDER BY t.thing, r.key, e.version
"""

# As FIND_ACTS of one document, its states alone, with when each happened and was recorded. 60 is
# document_posted.
DOCUMENT_VERSIONS: Final = """
SELECT DISTINCT ON (e.recorded_at, e.lane, e.pos) e.stream, e.occurred_at, e.recorded_at, e.payload
  FROM request k
  JOIN event e ON e.lane = k.lane AND e.stream = k.stream AND e.kind = 60
              AND e.version BETWEEN k.first_version AND k.last_version
 WHERE k.key_lane = $1 AND k.key > $2 || '#' AND k.key < $2 || '$'
 ORDER BY e.recorded_at, e.lane, e.pos
"""

FIND_IDENTITIES: Final = """
SELECT i.scheme, i.keyed_hash, i.account, i.identity_id
  FROM unnest($1::text[], $2::bytea[]) AS w(scheme, keyed_hash)
  JOIN identity i ON i.scheme = w.scheme AND i.keyed_hash = w.keyed_hash
"""

IDENTITIES_OF: Final = """
SELECT scheme, keyed_hash, account, identity_id FROM identity WHERE account = ANY($1::text[])
"""

# A snapshot row comes first, with version NULL; then the events after it.
LOAD_STREAMS: Final = """
WITH wanted AS MATERIALIZED (
  SELECT w.lane, w.stream, w.known, s.version AS snapped, s.state
    FROM unnest($1::smallint[], $2::text[], $3::bigint[]) AS w(lane, stream, known)
    LEFT JOIN snapshot s ON s.lane = w.lane AND s.stream = w.stream
                        AND s.state_version = $4::smallint AND w.known = 0
)
SELECT stream, NULL::bigint AS version, state AS payload FROM wanted WHERE snapped IS NOT NULL
UNION ALL
SELECT e.stream, e.version, e.payload
  FROM wanted w JOIN event e ON e.lane = w.lane AND e.stream = w.stream
                            AND e.version > coalesce(w.snapped, w.known)
 ORDER BY stream, version NULLS FIRST
"""

# 60 is document_posted: the one event of a document's key that tells its state.
DOCUMENT_HEADS: Final = """
SELECT k.key, e.payload
  FROM unnest($1::text[], $2::smallint[], $3::text[], $4::bigint[], $5::bigint[])
    AS k(key, lane, stream, first_version, last_version)
  JOIN event e ON e.lane = k.lane AND e.stream = k.stream AND e.kind = 60
              AND e.version BETWEEN k.first_version AND k.last_version
"""

LAST_EVENTS: Final = """
SELECT w.stream, e.version, e.payload
  FROM unnest($1::smallint[], $2::text[]) AS w(lane, stream)
 CROSS JOIN LATERAL (
       SELECT version, payload FROM event
        WHERE lane = w.lane AND stream = w.stream ORDER BY version DESC LIMIT 1) AS e
"""

TOUCHED_STREAMS: Final = "SELECT DISTINCT stream FROM event WHERE lane = $1 AND pos >= $2"


def _programme_events(kind: str) -> str:
    """Events of the programme's streams of a kind, of which there is one."""
    return f"""
SELECT e.stream, e.version, e.recorded_at, e.payload
  FROM unnest($1::smallint[]) AS l(lane)
  JOIN event e ON e.lane = l.lane AND e.stream >= '{kind}/' AND e.stream < '{kind}0'
              AND e.version > $2
 ORDER BY e.stream, e.version
"""


POLICY_EVENTS: Final = _programme_events("policy")
PERIOD_EVENTS: Final = _programme_events("period")

DOCUMENTS_OF: Final = """
SELECT payload FROM event WHERE lane = $1 AND stream = $2 AND kind = $3 ORDER BY version
"""

SAVE_SNAPSHOTS: Final = """
INSERT INTO snapshot (lane, stream, version, state_version, state)
SELECT lane, stream, version, $4::smallint, state
  FROM unnest($1::smallint[], $2::text[], $3::bigint[], $5::bytea[])
       AS s(lane, stream, version, state)
ON CONFLICT (lane, stream) DO UPDATE
   SET version = excluded.version, state_version = excluded.state_version, state = excluded.state
 WHERE snapshot.version <= excluded.version OR snapshot.state_version <> excluded.state_version
"""

# Lock the lanes in order; only if every one stands where the writer expects, move them and insert
# events, keys and identities; else change nothing and tell where they stand. This compare-and-set
# is the fence between writers: nothing else in the ledger's safety rests on who owns what.
# Numbers and texts come as array literals and instants as microseconds, which costs the writer a
# third of what lists of Python's objects do. Seconds and the rest apart: each product is exact.
APPEND: Final = """
WITH want AS (
  SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::timestamptz[])
             AS w(lane, expected, advanced, recorded_at)
), locked AS MATERIALIZED (
  SELECT l.lane, l.next_pos, l.last_recorded_at
    FROM lane l WHERE l.lane = ANY($1::smallint[]) ORDER BY l.lane FOR UPDATE
), fence AS MATERIALIZED (
  SELECT count(*) FILTER (WHERE l.next_pos = w.expected) = cardinality($1::smallint[]) AS holds
    FROM locked l JOIN want w USING (lane)
), moved AS (
  UPDATE lane l SET next_pos = w.expected + w.advanced, last_recorded_at = w.recorded_at
    FROM want w WHERE l.lane = w.lane AND w.advanced > 0 AND (SELECT holds FROM fence)
), events AS (
  INSERT INTO event (lane, pos, stream, version, kind, currency, points, business_unit,
                     occurred_at, recorded_at, payload, leaf_hash)
  SELECT lane, pos, stream, version, kind, currency, points, business_unit,
         'epoch'::timestamptz + occurred_at / 1000000 * interval '1 second'
                              + occurred_at % 1000000 * interval '1 microsecond',
         'epoch'::timestamptz + recorded_at / 1000000 * interval '1 second'
                              + recorded_at % 1000000 * interval '1 microsecond',
         payload, leaf_hash
    FROM unnest($5::text::smallint[], $6::text::bigint[], $7::text::text[], $8::text::bigint[],
                $9::text::smallint[], $10::text::text[], $11::text::bigint[], $12::text::text[],
                $13::text::bigint[], $14::text::bigint[], $15::bytea[], $16::bytea[])
      AS e(lane, pos, stream, version, kind, currency, points, business_unit,
           occurred_at, recorded_at, payload, leaf_hash)
   WHERE (SELECT holds FROM fence)
), keys AS (
  INSERT INTO request (key_lane, key, command, fingerprint, answer, refers_to,
                       lane, stream, first_version, last_version)
  SELECT * FROM unnest($17::text::smallint[], $18::text::text[], $19::bytea[], $20::bytea[],
                       $21::bytea[], $22::text::text[], $23::text::smallint[], $24::text::text[],
                       $25::text::bigint[], $26::text::bigint[])
   WHERE (SELECT holds FROM fence)
), identities AS (
  INSERT INTO identity (scheme, keyed_hash, account, identity_id, lane)
  SELECT * FROM unnest($27::text[], $28::bytea[], $29::text[], $30::uuid[], $31::smallint[])
   WHERE (SELECT holds FROM fence)
)
SELECT (SELECT holds FROM fence) AS holds, array_agg(lane ORDER BY lane) AS lanes,
       array_agg(next_pos ORDER BY lane) AS next_pos,
       array_agg(last_recorded_at ORDER BY lane) AS recorded_at
  FROM locked
"""

# Documents that wait for one of these identities, and for any of these accounts'.
FIND_AWAITED: Final = """
SELECT a.document, a.scheme, a.keyed_hash, a.until
  FROM unnest($1::text[], $2::bytea[]) AS w(scheme, keyed_hash)
  JOIN awaited_identity a ON a.scheme = w.scheme AND a.keyed_hash = w.keyed_hash
UNION
SELECT a.document, a.scheme, a.keyed_hash, a.until
  FROM identity i JOIN awaited_identity a ON a.scheme = i.scheme AND a.keyed_hash = i.keyed_hash
 WHERE i.account = ANY($3::text[])
"""

# What a batch may have besides. Most have none of it, and do not pay for it. `{0}` is the first
# parameter of the part.
_EXTRAS: Final[dict[str, tuple[int, str]]] = {
    "profiles": (
        3,
        """
  INSERT INTO member_profile (account, sealed, wrapped_key)
  SELECT * FROM unnest({0}::text[], {1}::bytea[], {2}::bytea[])
   WHERE (SELECT holds FROM fence)
  ON CONFLICT (account) DO UPDATE
     SET sealed = excluded.sealed, wrapped_key = excluded.wrapped_key
""",
    ),
    "erased_profiles": (
        1,
        """
  DELETE FROM member_profile p USING unnest({0}::text[]) AS g(account)
   WHERE p.account = g.account AND (SELECT holds FROM fence)
""",
    ),
    "moved_identities": (
        5,
        """
  UPDATE identity i SET account = m.account, identity_id = m.identity_id, lane = m.lane
    FROM unnest({0}::text[], {1}::bytea[], {2}::text[], {3}::uuid[], {4}::smallint[])
      AS m(scheme, keyed_hash, account, identity_id, lane)
   WHERE i.scheme = m.scheme AND i.keyed_hash = m.keyed_hash AND (SELECT holds FROM fence)
""",
    ),
    "unlinked_identities": (
        2,
        """
  DELETE FROM identity i USING unnest({0}::text[], {1}::bytea[]) AS u(scheme, keyed_hash)
   WHERE i.scheme = u.scheme AND i.keyed_hash = u.keyed_hash AND (SELECT holds FROM fence)
""",
    ),
    "awaited": (
        4,
        """
  INSERT INTO awaited_identity (document, scheme, keyed_hash, until)
  SELECT * FROM unnest({0}::text[], {1}::text[], {2}::bytea[], {3}::timestamptz[])
   WHERE (SELECT holds FROM fence)
  ON CONFLICT (document) DO UPDATE
     SET scheme = excluded.scheme, keyed_hash = excluded.keyed_hash, until = excluded.until
""",
    ),
    "awaited_no_more": (
        1,
        """
  DELETE FROM awaited_identity a USING unnest({0}::text[]) AS d(document)
   WHERE a.document = d.document AND (SELECT holds FROM fence)
""",
    ),
}
_BEGIN, _END = APPEND.rsplit("\n)\nSELECT", 1)
_PARAMETERS: Final = 31


def append_with(extras: Iterable[str]) -> str:
    """APPEND with what a batch has besides, in the order of its parameters."""
    return _append_with(tuple(extras))


@cache
def _append_with(extras: tuple[str, ...]) -> str:
    text, taken = _BEGIN, _PARAMETERS
    for name in extras:
        width, part = _EXTRAS[name]
        numbered = part.format(*(f"${taken + number}" for number in range(1, width + 1)))
        text += f"\n), {name} AS ({numbered.rstrip()}"
        taken += width
    return f"{text}\n)\nSELECT{_END}"


PROFILES: Final = """
SELECT account, sealed, wrapped_key FROM member_profile
 WHERE account = ANY($1::text[]) AND wrapped_key IS NOT NULL
"""
