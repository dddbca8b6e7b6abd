"""`loyalty recall` against a real server: what it shows, what it does, and that it does it once."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from loyalty.v1.audit_service_pb2 import TracedLot
from projections.lots import NAME as LOTS
from projections.reading import reached
from server.cli.recalling import conversions
from server.config import load
from server.main import running_server
from tests.cli.test_commands import data, environment, loyalty
from tests.server.test_recalls import POLICY, given
from tests.store.till import KEY, open_till

__all__ = ["environment"]

VERBS = ("--verb", "recall")


@pytest.fixture
async def desk(
    environment: pytest.MonkeyPatch, database: str, tmp_path: Path
) -> AsyncIterator[None]:
    """A server, and bad points of which some were given away and spent."""
    (tmp_path / "identity.key").write_text(KEY.hex())
    environment.setenv("LOYALTY_PROJECTIONS", "true")
    async with running_server(load()) as address:
        environment.setenv("LOYALTY_SERVER", address)
        made = data(await loyalty("token", "create", "desk", "--unit", "*", *VERBS, "--json"))
        environment.setenv("LOYALTY_TOKEN", str(made["token"]))
        async with open_till(database, now="2026-11-01T12:00") as till:
            await till.publish(POLICY)
            await given(till)
            # They were given beside the server: no answer of it says how far to wait.
            async with till.ledger.reading.pool.acquire() as connection:
                rows = await connection.fetch("SELECT lane, next_pos FROM lane")
                ends = {row[0]: row[1] for row in rows}
                await reached(connection, LOTS, ends, seconds=20)
        yield


async def test_bad_points_are_shown_set_aside_and_taken_once(desk: None) -> None:
    words = ("recall", "double", "--unit", "a", "--operator", "anna")
    shown = await loyalty(*words, "--dry-run")
    assert shown.exit_code == 0, shown
    assert "all 2" in shown.stdout
    [total] = [line.split() for line in shown.stdout.splitlines() if line.strip().startswith("all")]
    assert total == ["all", "2", "p", "100", "49", "0", "0", "0", "51", "0"]
    missing = await loyalty(*words)
    assert (missing.exit_code, "--reason" in missing.stderr) == (2, True)
    reason = ("--reason", "paid twice", "--json")
    first = data(await loyalty(*words, *reason))
    assert (first["accounts"], first["refused"]) == (2, {})
    assert first["moved"] == [{"kind": "points_quarantined", "currency": "p", "points": 49}]
    assert data(await loyalty(*words, *reason))["accounts"] == 0
    by_document = ("recall", "a/till/bad", "--id", "double", "--unit", "a")
    taken = await loyalty(
        *by_document, "--do", "claw-back", "--spent", "arrears", "--reason", "paid twice"
    )
    assert taken.exit_code == 0, taken
    assert "quarantine clawed back   49 p" in taken.stdout
    assert "arrears incurred   51 p" in taken.stdout


async def test_what_nothing_came_of_is_named(desk: None) -> None:
    shown = await loyalty("recall", "doubel", "--unit", "a", "--dry-run")
    assert (shown.exit_code, shown.stdout) == (0, "no points came of campaign 'doubel'\n")
    assert "--as says what it names" in shown.stderr


def test_converted_points_that_a_merge_moved_away_and_back_are_told_once() -> None:
    away = TracedLot(
        account_id="new", lot_id="e.1", currency="mile", points=400, passed_on=400, converted=True
    )
    home = TracedLot(account_id="old", lot_id="e.1", currency="mile", points=800, passed_on=400)
    home.left, home.converted = 400, True
    assert conversions([home, away]) == [
        "converted into 400 mile, lot e.1 of old: left alone, 400 still there"
    ]
