"""The history of a real ledger: read from its store, and evaluated again to the same points."""

import re
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from ledger.backtest.export import Exported, export
from ledger.backtest.history import History
from ledger.backtest.running import backtest
from ledger.backtest.shape import HISTORY
from ledger.log import Log
from rules import compile_policy, load
from server import database as databases
from server.cli import app
from tests.backtest.made import policy_text, recorded, write
from tests.store.erasing import erase, known_member
from tests.store.lived import HARBOUR, live
from tests.store.stories import move
from tests.store.till import open_till


async def exported(url: str, file: Path) -> Exported:
    pool = await databases.pool(url, max_size=2)
    try:
        lanes = await pool.fetchval("SELECT count(*) FROM lane")
        return await export(pool, Log(pool, lanes), file)
    finally:
        await pool.close()


@pytest.fixture
async def history(database: str, tmp_path: Path) -> History:
    """A ledger that has lived, as a history file."""
    async with open_till(database) as till:
        await live(till)
    await exported(database, tmp_path / "history.parquet")
    return History(tmp_path / "history.parquet")


async def test_the_policy_in_force_gives_a_lived_history_its_own_points(history: History) -> None:
    (policy,) = history.policies.values()
    report = backtest(policy, history)
    assert int(report.facts["documents"]) > 50
    assert set(report.differences().values()) == {0}
    assert sum(report.tables["rules"]["recorded"]) > 0


async def test_a_history_file_says_who_was_erased(database: str, tmp_path: Path) -> None:
    async with open_till(database) as till:
        erased = await known_member(till)
        await erase(till)
    await exported(database, tmp_path / "history.parquet")
    assert History(tmp_path / "history.parquet").erased == {erased}


async def test_the_newest_versions_are_what_is_recorded(history: History, tmp_path: Path) -> None:
    rows = pl.read_parquet(tmp_path / "history.parquet")
    assert rows.schema == HISTORY
    newest = rows.group_by("key").last()
    assert newest.height < rows.height
    (policy,) = history.policies.values()
    totals: Counter[str] = Counter()
    for grants in newest["grants"]:
        for grant in grants:
            totals[grant["currency"]] += grant["granted"]
    told = backtest(policy, history).tables["rules"].group_by("currency").agg(pl.sum("recorded"))
    assert dict(told.rows()) == dict(totals)


def run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, ["policy", "backtest", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.output


def test_the_command_shows_a_report_and_writes_it(tmp_path: Path) -> None:
    policy = compile_policy(load(policy_text()))
    rows = [recorded(policy, number, 1000) for number in range(3)]
    file = write(tmp_path / "h.parquet", rows, {policy.digest: policy_text()})
    draft = tmp_path / "draft.yaml"
    draft.write_text(policy_text(3, version=2))
    page, out = tmp_path / "report.html", tmp_path / "out"
    said = run(draft, "--history", file, "--html", page, "--out", out)
    assert "3 documents of 1 members" in said
    assert re.search(r"base +p +90 +30 +60", said)
    assert page.read_text().startswith("<!doctype html>")
    assert (out / "funders.parquet").exists()
    assert "0 documents" in run(draft, "--history", file, "--from", "2026-01-01")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--from", "yesterday"], "--from 'yesterday'"),
        (["--history", "nowhere.parquet"], "nowhere.parquet"),
    ],
)
def test_the_command_says_what_is_wrong(arguments: list[str], told: str) -> None:
    result = CliRunner().invoke(app, ["policy", "backtest", str(HARBOUR), *arguments])
    assert result.exit_code == 2
    assert told in result.output


async def test_a_document_that_moved_is_counted_for_who_has_it_now(
    database: str, tmp_path: Path
) -> None:
    async with open_till(database) as till:
        await till.publish()
        first, second = await till.enrol("1"), await till.enrol("2")
        await till.post(till.document(first, "D1", 1, 60_00))
        await till.post(till.document(first, "D2", 1, 40_00))
        await till.post(move(till, second, "D1"))
        await till.post(move(till, second, "D2"))
        await till.post(move(till, first, "D2"))
    done = await exported(database, tmp_path / "history.parquet")
    assert done.versions == 5
    history = History(tmp_path / "history.parquet")
    (policy,) = history.policies.values()
    report = backtest(policy, history)
    assert int(report.facts["documents"]) == 2
    assert sum(report.tables["rules"]["recorded"]) == 100
    assert set(report.differences().values()) == {0}
