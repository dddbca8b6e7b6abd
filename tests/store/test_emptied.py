"""Facts of every kind that were emptied, whole or in a part, with columns and hash that fit."""

import asyncio
from typing import Any

import pytest

from ledger.core.events import KIND_NAME, KIND_NUMBER, decode
from ledger.envelope import StoredEvent
from ledger.verifying.findings import Reason
from ledger.verifying.least import LEAST
from tests.simulation.database import MemoryDatabase
from tests.store.every_kind import CHAPTERS, told
from tests.store.verifying import divergences_of, replaced, rewritten

Found = tuple[MemoryDatabase, StoredEvent]


@pytest.fixture(scope="module")
def firsts() -> dict[str, Found]:
    """By kind, the first fact of it, and the history in which it stands."""
    found: dict[str, Found] = {}
    for chapter in CHAPTERS:
        database = asyncio.run(told(chapter))
        assert _divergences(database) == [], "nothing was changed yet"
        for event in database.all_events():
            found.setdefault(KIND_NAME[event.kind], (database, event))
    return found


def test_every_kind_happens_and_says_something(firsts: dict[str, Found]) -> None:
    assert set(firsts) == set(LEAST) == set(KIND_NUMBER)


@pytest.mark.parametrize("kind", KIND_NUMBER)
def test_an_emptied_fact_is_named(firsts: dict[str, Found], kind: str) -> None:
    database, event = firsts[kind]
    with replaced(database, event, type(decode(event.payload))()):
        assert (event.lane, event.pos, Reason.FACT_INCOMPLETE) in _divergences(database)


@pytest.mark.parametrize("kind", KIND_NUMBER)
def test_a_fact_that_lacks_what_all_of_its_kind_say_is_named(
    firsts: dict[str, Found], kind: str
) -> None:
    database, event = firsts[kind]
    for name in sorted({said.partition(".")[0] for said in LEAST[kind].split()}):
        fact: Any = decode(event.payload)
        fact.ClearField(name)
        with replaced(database, event, fact):
            found = _divergences(database)
        assert (event.lane, event.pos, Reason.FACT_INCOMPLETE) in found, name


OTHER_LOTS = {
    "business_unit": "another",
    "funder": "another",
    "document": "another",
    "lot_version": 99,
    "owner_id": "another",
    "grace": True,
}


@pytest.mark.parametrize(("field", "other"), OTHER_LOTS.items())
def test_an_expiry_that_says_something_else_of_its_lot_is_named(
    firsts: dict[str, Found], field: str, other: object
) -> None:
    database, event = firsts["points_expired"]
    with rewritten(database, event, lambda fact: setattr(fact, field, other)):
        assert (event.lane, event.pos, Reason.BALANCE_MISMATCH) in _divergences(database)


def test_a_release_of_another_issuer_is_named(firsts: dict[str, Found]) -> None:
    database, event = firsts["points_released"]
    with rewritten(database, event, lambda fact: setattr(fact, "business_unit", "another")):
        assert (event.lane, event.pos, Reason.BALANCE_MISMATCH) in _divergences(database)


def _divergences(database: MemoryDatabase) -> list[tuple[int, int, str]]:
    found = asyncio.run(divergences_of(database))
    return [(each.lane, each.pos, each.reason) for each in found]
