"""What a backtest says of a history that is known to the last point."""

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import polars as pl
import pytest

from ledger.backtest.history import History, NoHistory
from ledger.backtest.page import page_of
from ledger.backtest.report import Report
from ledger.backtest.running import backtest
from rules import Policy, compile_policy, load
from rules.predicates import is_held_out
from tests.backtest.made import policy_text, recorded, write
from tests.rules.documents import instant


def compiled(text: str) -> Policy:
    return compile_policy(load(text))


OLD = compiled(policy_text())
MEMBERS = [f"m{number}" for number in range(20)]


@pytest.fixture
def history(tmp_path: Path) -> History:
    """Twenty members buy for 10, 20 … 200 EUR; the first returns half of it."""
    rows = [
        recorded(OLD, number, 1000 * number, member=f"m{number - 1}") for number in range(1, 21)
    ]
    rows.append(recorded(OLD, 1, 500, member="m0"))
    policies = {OLD.digest: policy_text()}
    return History(write(tmp_path / "history.parquet", rows, policies))


def points(report: Report, rule: str) -> tuple[int, int]:
    row = report.tables["rules"].row(by_predicate=pl.col("rule") == rule, named=True)
    return row["draft"], row["recorded"]


def test_the_same_policy_makes_no_difference(history: History) -> None:
    report = backtest(OLD, history)
    assert points(report, "base") == (2095, 2095)
    assert report.differences() == {"p": 0, "q": 0}
    assert not report.tables["winners"].height
    assert not report.tables["losers"].height
    assert report.facts["documents"] == 20


def test_a_draft_that_doubles_costs_twice_as_much_and_raises_tiers(history: History) -> None:
    report = backtest(compiled(policy_text(2, version=2)), history)
    assert report.differences() == {"p": 2095, "q": 2095}
    funder = report.tables["funders"].row(by_predicate=pl.col("currency") == "p", named=True)
    # A point is worth one cent.
    assert (funder["draft_cost"], funder["recorded_cost"]) == (4190, 2095)
    assert (funder["funder"], funder["money"]) == ("a", "EUR")
    assert report.tables["moves"].rows() == [
        ("basic", "basic", 4),
        ("basic", "gold", 5),
        ("gold", "gold", 11),
    ]
    assert report.tables["winners"]["member"].to_list() == [f"m{n}" for n in range(19, 9, -1)]
    assert report.tables["histogram"]["members"].sum() == 20


def test_chunks_do_not_change_the_report(history: History) -> None:
    draft = compiled(
        policy_text(
            version=2,
            more="- {kind: bonus, id: first, currency: p, points: 7, when: {first_purchase: true}}",
        )
    )
    whole, parts = backtest(draft, history), backtest(draft, history, chunk=3)
    assert whole.digest == parts.digest
    assert whole.differences()["p"] == 20 * 7


def test_only_what_occurred_within_the_bounds_is_evaluated(history: History) -> None:
    noon = instant("2025-03-01T12:00:00Z")
    assert backtest(OLD, history, from_at=noon, to_at=noon + 1).facts["documents"] == 20
    assert backtest(OLD, history, from_at=noon + 1).facts["documents"] == 0
    assert backtest(OLD, history, to_at=noon).facts["documents"] == 0


def test_a_member_in_the_hold_out_gets_nothing_from_the_campaign(history: History) -> None:
    more = "- {kind: bonus, id: b, currency: p, points: 5, campaign: spring}"
    report = backtest(compiled(policy_text(version=2, more=more)), history)
    treated = [m for m in MEMBERS if not is_held_out("spring", m, Fraction(1, 2))]
    assert 0 < len(treated) < 20
    assert points(report, "b") == (5 * len(treated), 0)
    assert not any("not in the history" in note for note in report.notes)


def test_what_history_does_not_know_is_counted_and_does_not_hold(history: History) -> None:
    more = "- {kind: bonus, id: b, currency: p, points: 5, when: {segment_any: [vip]}}"
    report = backtest(compiled(policy_text(version=2, more=more)), history)
    assert report.differences()["p"] == 0
    assert "'segment:vip' is not in the history of 20 documents: taken not to hold." in report.notes


def test_whom_nobody_knows_any_more_is_left_out_where_a_draft_asks_of_members(
    tmp_path: Path,
) -> None:
    policy = compiled(policy_text())
    rows = [recorded(policy, number, 1000, member=f"m{number % 3}") for number in range(9)]
    file = write(tmp_path / "h.parquet", rows, {policy.digest: policy_text()}, erased=["m1"])
    asks = "- {kind: bonus, id: b, currency: p, points: 5, when: {segment_any: [vip]}}"
    report = backtest(compiled(policy_text(version=2, more=asks)), History(file))
    told = "3 documents of 1 members are left out: the draft asks what was erased with them."
    assert told in report.notes
    assert report.facts["documents"] == 6
    asks_nothing = backtest(compiled(policy_text(2, version=2)), History(file))
    assert asks_nothing.facts["documents"] == 9
    assert not any("erased" in note for note in asks_nothing.notes)


def test_what_columns_cannot_do_is_counted(history: History) -> None:
    more = (
        "- {kind: bonus, id: b, currency: p, points: 5,"
        " when: {expr: \"lines.exists(l, l.category == 'food')\"}}"
    )
    report = backtest(compiled(policy_text(version=2, more=more)), history)
    assert report.differences()["p"] == 100
    told = "20 documents were evaluated one by one: an expression over single lines."
    assert told in report.notes


def test_documents_that_the_draft_refuses_are_counted(history: History) -> None:
    text = policy_text(version=2).replace("segments:", "categories: [shoes]\nsegments:")
    report = backtest(compiled(text), history)
    assert report.differences()["p"] == -2095
    assert "20 documents are refused by the draft: UNKNOWN_CATEGORY." in report.notes


def test_caps_say_what_they_cut(history: History) -> None:
    text = policy_text(version=2).replace(
        "earn:",
        "caps: [{id: day, currency: p, points: 150, per: member, window: local_day}]\nearn:",
    )
    report = backtest(compiled(text), history)
    cut = 10 + 20 + 30 + 40 + 50
    assert report.tables["caps"].rows() == [("draft", "cap/day", "p", 5, cut)]
    assert points(report, "base") == (2095 - cut, 2095)


def test_an_empty_history_gives_an_empty_report(tmp_path: Path) -> None:
    report = backtest(OLD, History(write(tmp_path / "none.parquet", [], {})))
    assert report.facts["documents"] == 0
    assert all(not table.height for table in report.tables.values())
    assert "Nothing." in page_of(report)


def _references(page: str) -> Iterator[str]:
    yield from re.findall(r"(?:href|src|url|@import|https?:|//)[^\s>]*", page)


def test_the_page_asks_nothing_of_a_network(history: History) -> None:
    page = page_of(backtest(compiled(policy_text(2, version=2)), history))
    assert list(_references(page)) == []
    assert "prefers-color-scheme: dark" in page
    assert page.count("<svg") >= 4
    assert "2,095" in page


def test_a_name_is_text_on_the_page(tmp_path: Path) -> None:
    rows = [recorded(OLD, 1, 1000, member="<script>alert(1)</script>")]
    file = write(tmp_path / "history.parquet", rows, {OLD.digest: policy_text()})
    assert "<script" not in page_of(backtest(compiled(policy_text(2, version=2)), History(file)))


def test_tables_are_written_as_csv_and_parquet(history: History, tmp_path: Path) -> None:
    report = backtest(compiled(policy_text(2, version=2)), history)
    written = report.write(tmp_path / "out")
    assert len(written) == 2 * len(report.tables)
    table = pl.read_csv(tmp_path / "out/rules.csv")
    assert table.rows() == report.tables["rules"].rows()
    assert pl.read_parquet(tmp_path / "out/rules.parquet").equals(report.tables["rules"])


def test_a_file_that_is_no_history_is_refused_by_name(tmp_path: Path) -> None:
    text = tmp_path / "text.parquet"
    text.write_text("no")
    with pytest.raises(NoHistory, match="no Parquet file"):
        History(text)
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "other.parquet")
    with pytest.raises(NoHistory, match="column 'key' is missing"):
        History(tmp_path / "other.parquet")
