"""A draft that was tried on the ledger's own history is told with its run."""

from pathlib import Path

from tests.cli.test_commands import environment, loyalty, served
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
