"""Every command explains itself: what it does, its options, and an example to copy."""

import pytest
import typer.main
from typer.core import TyperCommand, TyperGroup, TyperOption
from typer.testing import CliRunner

from server.cli import app

EXPECTED = {
    "serve",
    "gateway",
    "migrate",
    "demo",
    "import",
    "account",
    "entries",
    "replay",
    "verify",
    "rebuild",
    "sweep",
    "config",
    "bench",
    "policy backtest",
    "policy check",
    "policy diff",
    "policy schema",
    "policy reference",
    "policy publish",
    "policy draft",
    "policy approve",
    "policy withdraw",
    "policy list",
    "policy show",
    "tier",
    "quote",
    "explain",
    "activity",
    "recall",
    "referral",
    "document claim",
    "period close",
    "period list",
    "settlement",
    "document move",
    "document show",
    "document unclaimed",
    "member consent",
    "member enrol",
    "member erase",
    "member certificate",
    "transfer",
    "convert",
    "pool open",
    "pool add",
    "pool remove",
    "pool permit",
    "pool close",
    "pool show",
    "transfers accept",
    "transfers decline",
    "transfers cancel",
    "transfers show",
    "transfers list",
    "transfers continue",
    "adjust",
    "adjustment approve",
    "adjustment list",
    "adjustment reject",
    "lot extend",
    "member show",
    "member update",
    "adapter serve",
    "adapter migrate",
    "adapter translate",
    "adapter check",
    "adapter import",
    "adapter inbox",
    "adapter dead",
    "adapter retry",
    "adapter outbox list",
    "adapter outbox dead",
    "adapter outbox retry",
    "adapter outbox draft",
    "member suspend",
    "member close",
    "member reopen",
    "member merge",
    "member unmerge",
    "member unlink",
    "member move-identity",
    "opening import",
    "opening prove",
    "token create",
    "token list",
    "token revoke",
}


def every_command() -> dict[str, TyperCommand]:
    """All commands of `loyalty` by the words that call them."""
    found: dict[str, TyperCommand] = {}
    groups = [("", typer.main.get_group(app))]
    while groups:
        words, group = groups.pop()
        for name, command in group.commands.items():
            if isinstance(command, TyperGroup):
                groups.append((f"{words}{name} ", command))
            elif isinstance(command, TyperCommand):
                found[f"{words}{name}"] = command
    return found


def test_all_commands_are_there() -> None:
    assert set(every_command()) == EXPECTED


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_help_ends_with_an_example(name: str) -> None:
    result = CliRunner().invoke(app, [*name.split(), "--help"])
    assert result.exit_code == 0
    assert "Example:" in result.output
    assert f"loyalty {name}" in result.output.split("Example:")[1]


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_every_option_says_what_it_is_for(name: str) -> None:
    for parameter in every_command()[name].params:
        if isinstance(parameter, TyperOption):
            assert parameter.help, parameter.name
