"""A version of the policy led to force by hand: two people, two tokens, one command a step."""

from pathlib import Path

from tests.cli.test_commands import HARBOUR, data, environment, loyalty, served

__all__ = ["environment", "served"]


def second_version(folder: Path) -> str:
    """A later version of the sample policy, as a file."""
    text = Path(HARBOUR).read_text(encoding="utf-8")
    first = next(line for line in text.splitlines() if line.startswith("effective_from:"))
    changed = text.replace("\nversion: 1\n", "\nversion: 2\n")
    changed = changed.replace(first, "effective_from: 2199-01-01T00:00:00Z")
    assert changed.count("2199") == 1
    assert "\nversion: 2\n" in changed
    file = folder / "second.yaml"
    file.write_text(changed, encoding="utf-8")
    return str(file)


async def token(name: str) -> list[str]:
    """The option with a token for another person."""
    verbs = ("--verb", "policy", "--verb", "read")
    made = data(await loyalty("token", "create", name, "--unit", "*", *verbs, "--json"))
    return ["--token", str(made["token"])]


async def test_two_people_lead_a_version_to_its_day_and_withdraw_it(
    served: None, tmp_path: Path
) -> None:
    file = second_version(tmp_path)
    alone = await loyalty("policy", "publish", file)
    assert alone.exit_code == 1
    assert "POLICY_NOT_DRAFTED" in alone.stderr
    assert "loyalty policy draft" in alone.stderr

    drafted = await loyalty("policy", "draft", file, "--operator", "anna")
    assert drafted.exit_code == 0, drafted
    digest = drafted.stdout.split()[-1]
    assert f"loyalty policy approve {digest}" in drafted.stderr
    again = await loyalty("policy", "draft", file, "--operator", "anna")
    assert again.stdout.startswith("drafted before")

    own = await loyalty("policy", "approve", digest[:12], "--operator", "ben")
    assert "APPROVER_IS_AUTHOR" in own.stderr
    assert "another person" in own.stderr
    unapproved = await loyalty("policy", "publish", digest)
    assert "POLICY_NOT_APPROVED" in unapproved.stderr

    chief = await token("chief")
    approved = await loyalty("policy", "approve", digest[:12], "--operator", "ben", *chief)
    assert approved.exit_code == 0, approved
    published = await loyalty("policy", "publish", digest[:12])
    assert published.stdout.split()[-1] == digest

    listed = data(await loyalty("policy", "list", "--json"))["policies"]
    assert isinstance(listed, list)
    states = [(each["version"], each["state"]) for each in listed]
    assert states == [("2", "POLICY_STATE_SCHEDULED"), ("1", "POLICY_STATE_IN_FORCE")]
    shown = (await loyalty("policy", "show", "2")).stdout
    assert "by till/anna" in shown
    assert "by chief/ben" in shown
    document = await loyalty("policy", "show", digest[:12], "--document")
    assert document.stdout == Path(file).read_text(encoding="utf-8")

    gone = await loyalty("policy", "withdraw", digest[:12], "--reason", "not ready", *chief)
    assert gone.exit_code == 0, gone
    assert "withdrawn" in (await loyalty("policy", "list")).stdout
    table = (await loyalty("policy", "show", "2")).stdout
    assert "not ready" in table


async def test_a_digest_that_names_nothing_is_told_apart_from_one_that_is_too_short(
    served: None,
) -> None:
    unknown = await loyalty("policy", "approve", "0" * 12)
    assert unknown.exit_code == 1
    assert "no draft or policy" in unknown.stderr
    short = await loyalty("policy", "approve", "abc")
    assert short.exit_code == 2
    assert "12 to 64" in short.stderr
    missing = await loyalty("policy", "show", "99")
    assert "UNKNOWN_POLICY" in missing.stderr
