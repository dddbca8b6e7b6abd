"""Points by hand from the command line."""

import os

import pytest

from tests.cli.test_commands import data, environment, loyalty, served

__all__ = ["environment", "served"]


async def test_points_are_proposed_agreed_to_and_listed(
    served: None, environment: pytest.MonkeyPatch
) -> None:
    for name in ("desk", "office"):
        verbs = [word for verb in ("adjust", "approve") for word in ("--verb", verb)]
        made = data(await loyalty("token", "create", name, "--unit", "*", *verbs, "--json"))
        environment.setenv(f"TOKEN_{name.upper()}", str(made["token"]))
    joined = await loyalty("member", "enrol", "card:7", "--unit", "market")
    assert joined.exit_code == 0, joined
    desk, office = (_token(name) for name in ("DESK", "OFFICE"))
    words = ("adjust", "card:7", "--currency", "point", "--reason", "goodwill", "--unit", "market")
    refused = await loyalty(*words, "500", "--operator", "anna", "--token", desk)
    assert refused.exit_code == 1
    assert "APPROVER_MISSING" in refused.stderr
    assert "`--propose`" in refused.stderr
    wish = (*words, "500", "--operator", "anna", "--token", desk, "--propose")
    proposed = await loyalty(*wish)
    assert proposed.exit_code == 0, proposed
    assert proposed.stdout.startswith("proposed")
    adjustment = proposed.stdout.split()[1]
    answer = ("adjustment", "approve", adjustment, "--unit", "market", "--operator", "ben")
    alone = await loyalty(*answer, "--token", desk)
    assert "APPROVER_IS_ACTOR" in alone.stderr
    agreed = await loyalty(*answer, "--token", office)
    assert agreed.exit_code == 0, agreed
    assert "points adjusted   +500 point" in agreed.stdout
    by_both = ("--operator", "anna", "--approver", "ben", "--token", desk)
    taken = await loyalty(*words, "-200", *by_both)
    assert "point   300 available" in taken.stdout
    listed = await loyalty("adjustment", "list", "--state", "posted", "--token", desk)
    assert listed.exit_code == 0, listed
    given = data(await loyalty(*words, "7", *by_both, "--json"))
    movements = given["movements"]
    assert isinstance(movements, list)
    extended = await loyalty(
        *("lot", "extend", "card:7", movements[0]["lot_id"], "--until", "2099-01-01"),
        *("--unit", "market", "--reason", "longer", "--operator", "anna", "--token", desk),
    )
    assert extended.exit_code == 0, extended


def _token(name: str) -> str:
    return os.environ[f"TOKEN_{name}"]
