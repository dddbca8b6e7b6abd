"""Erasing from the command line: asked once more, certified, and looked at later."""

from tests.cli.test_commands import data, environment, loyalty, served

__all__ = ["environment", "served"]

VERBS = [word for verb in ("erase", "enrol", "read") for word in ("--verb", verb)]
WORDS = ("--unit", "market", "--balance", "forfeited", "--requested-by", "member")


async def test_a_member_is_erased_once_it_is_confirmed(served: None) -> None:
    made = data(await loyalty("token", "create", "office", "--unit", "*", *VERBS, "--json"))
    office = ("--token", str(made["token"]))
    await loyalty("member", "enrol", "card:77", "--unit", "market", *office)
    asked = await loyalty("member", "erase", "card:77", *WORDS, *office)
    assert asked.exit_code == 1
    assert "cannot be undone" in asked.stderr
    erased = await loyalty("member", "erase", "card:77", *WORDS, "--yes", "--json", *office)
    certificate = data(erased)["certificate"]
    assert isinstance(certificate, dict)
    shown = await loyalty("member", "certificate", certificate["member_id"], *office)
    assert shown.exit_code == 0, shown
    assert certificate["digest"] in shown.stdout
    assert "nothing is left" in shown.stdout
    gone = await loyalty("member", "show", "card:77", *office)
    assert "UNKNOWN_MEMBER" in gone.stderr
