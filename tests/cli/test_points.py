"""Points below zero are points: no command takes them for an option."""

import pytest
from typer.core import TyperArgument
from typer.testing import CliRunner

from server.cli import app
from tests.cli.test_help import every_command

NO_SERVER = ("--server", "127.0.0.1:1", "--token", "none")
WORDS = {
    "adjust": ("--currency", "point", "--reason", "goodwill", "--unit", "market"),
    "transfer": ("--currency", "point", "--unit", "market"),
    "convert": ("--unit", "market"),
}


COMMANDS = {
    path: command
    for path, command in every_command().items()
    if any(each.name == "points" for each in command.params)
}


def called(path: str, points: str, *more: str) -> str:
    """What a command says, called with words for every argument before POINTS."""
    arguments = [each for each in COMMANDS[path].params if isinstance(each, TyperArgument)]
    words = [points if each.name == "points" else f"card:{each.name}" for each in arguments]
    result = CliRunner().invoke(app, [*path.split(), *words, *WORDS[path], *more, *NO_SERVER])
    assert result.exit_code, result.output
    return " ".join(result.output.split())


def test_every_command_that_takes_points_is_tried() -> None:
    assert set(COMMANDS) == set(WORDS)


@pytest.mark.parametrize("path", WORDS)
def test_points_below_zero_go_to_the_ledger(path: str) -> None:
    for points in ("-100", "0"):
        assert "Is it running?" in called(path, points)


@pytest.mark.parametrize("path", WORDS)
def test_what_is_no_number_of_points_is_named(path: str) -> None:
    for points in ("five", "1.5", "9" * 19):
        assert f"POINTS {points!r}: expected a whole number" in called(path, points)


@pytest.mark.parametrize("path", WORDS)
def test_a_misspelt_option_is_refused_beside_them(path: str) -> None:
    for points in ("-100", "100"):
        assert "No such option: --untt" in called(path, points, "--untt", "market")
    assert "No such option: -1" in called(path, "-1x")
