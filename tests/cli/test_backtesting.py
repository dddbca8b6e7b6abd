"""A draft that was tried on the ledger's own history is told with its run."""

from pathlib import Path

import pytest

from tests.cli.test_commands import HARBOUR, HEADER, environment, loyalty, served
from tests.cli.test_policy_steps import second_version, token

__all__ = ["environment", "served"]


async def test_a_run_over_the_history_is_recorded_with_its_draft(
    served: None, tmp_path: Path
) -> None:
    file = second_version(tmp_path)
    early = await loyalty("policy", "backtest", file, *await token("carl"))
    assert early.exit_code == 0, early
    assert "not recorded: the server has no such draft" in early.stderr
    drafted = await loyalty("policy", "draft", file, "--operator", "anna")
    digest = drafted.stdout.split()[-1]
    run = await loyalty("policy", "backtest", file, "--operator", "anna")
    assert run.exit_code == 0, run
    assert f"recorded with draft {digest}" in run.stderr
    shown = await loyalty("policy", "show", digest)
    assert "simulated" in shown.stdout
    assert "documents" in shown.stdout


@pytest.mark.slow
async def test_of_a_policy_in_force_it_says_that_runs_are_kept_with_drafts_alone(
    served: None, tmp_path: Path
) -> None:
    sales = tmp_path / "sales.csv"
    sales.write_text(HEADER + "market,till,T-1,2017-03-01T10:00:00Z,card:1,grocery,40.00,USD\n")
    assert (await loyalty("import", str(sales), "--enrol")).exit_code == 0
    run = await loyalty("policy", "backtest", HARBOUR)
    assert run.exit_code == 0, run
    assert "not recorded: it is in force, and runs are kept with drafts alone" in run.stderr
    told = run.stdout.partition("histogram")[2].partition("report")[0]
    assert [line.split() for line in told.splitlines() if line.split()[:1] == ["point"]] == [
        ["point", "0", "1"]
    ]
