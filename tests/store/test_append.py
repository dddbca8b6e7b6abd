"""What is handed to the append statement as text comes back as it was."""

import pytest

from ledger.columns import numbers, texts
from ledger.envelope import StoredEvent, sealed
from ledger.lanes import lane_of
from ledger.rows import AppendBatch, KeyRow
from ledger.store import Store
from server.database import pool

STREAM = "account/someone"
LAST_MICROSECOND = 253_402_300_799_999_999
"""Of the year 9999: behind the point where a float could count microseconds."""


@pytest.mark.parametrize(
    "at", [0, 1, 999_999, 1_760_000_000_123_457, 9_007_199_254_740_993, LAST_MICROSECOND]
)
async def test_instants_and_numbers_are_stored_exactly(database: str, at: int) -> None:
    opened = await pool(database, max_size=2)
    try:
        store = await Store.open(opened)
        lane = lane_of(STREAM, store.lanes)
        largest = 2**63 - 1
        events = [
            sealed((lane, 0, STREAM, 1, 20, "P", largest, "A", at, at), b"first"),
            sealed((lane, 1, STREAM, 2, 70, None, None, None, at, at + 1), b"second"),
        ]
        if at == LAST_MICROSECOND:
            events.pop()
        key = KeyRow("r/till/1", None, b"f", None, None, lane, STREAM, None, None)
        batch = AppendBatch({lane: 0}, {lane: events[-1].recorded_at}, events, [key])
        assert await store.append(batch) is None
        found: list[StoredEvent] = await store.events(lane, 0, 10)
        assert found == events
        assert await store.find_keys(["r/till/1"], []) == [key]
        await store.drop_sessions()
    finally:
        await opened.close()


def test_a_column_of_numbers_is_an_array_literal() -> None:
    assert numbers(()) == "{}"
    assert numbers((7,)) == "{7}"
    assert numbers((1, None, -3)) == "{1, NULL, -3}"


async def test_texts_are_stored_as_they_are(database: str) -> None:
    """A till's ids may have whatever characters of an array literal they like."""
    opened = await pool(database, max_size=2)
    nasty = ['a"b', "c\\d", "\\", '\\"', '"', "NULL", "null", "{x,y}", " left ", "é 你 €", "a'b$1"]
    try:
        store = await Store.open(opened)
        for ids in (nasty, ["plain", "also plain"]):
            keys = [KeyRow(f"r/{one}", None, b"f", None, one, 0, one, None, None) for one in ids]
            assert await store.append(AppendBatch({0: 0}, {0: 1}, [], keys)) is None
            found = await store.find_keys([key.key for key in keys], [])
            assert sorted(found) == sorted(keys)
        await store.drop_sessions()
    finally:
        await opened.close()


def test_a_column_of_texts_is_an_array_literal() -> None:
    assert texts(()) == "{}"
    assert texts(("one",)) == '{"one"}'
    assert texts(("one", None, "", "NULL")) == '{"one",NULL,"","NULL"}'
