"""Asking the policy from the command line: a quote, an explanation, and an activity."""
# ruff: noqa: RUF001 - Chinese lines have Chinese commas.

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import rules
from server.cli import app
from tests.cli.test_commands import HARBOUR, ROOT, SALES, data, environment, loyalty, served

__all__ = ["environment", "served"]

BASKET = str(ROOT / "docs" / "examples" / "basket.yaml")


async def test_a_quote_shows_what_a_basket_would_earn(served: None) -> None:
    shown = await loyalty("quote", BASKET, "--unit", "market")
    assert shown.exit_code == 0, shown
    assert "tier after it" in shown.stdout
    answer = data(await loyalty("quote", BASKET, "--unit", "market", "--policy", HARBOUR, "--json"))
    again = data(await loyalty("quote", BASKET, "--unit", "market", "--policy", "1", "--json"))
    assert answer == again
    posting = answer["posting"]
    assert isinstance(posting, dict)
    assert posting["outcome"] == "OUTCOME_VALIDATED"
    assert posting["grants"]


async def test_a_quote_says_what_is_wrong_with_its_file(served: None, tmp_path: Path) -> None:
    file = tmp_path / "wrong.json"
    file.write_text(json.dumps({"lines": [{"lineId": "1", "netMinorUnit": 3}]}), encoding="utf-8")
    unknown = await loyalty("quote", str(file), "--unit", "market")
    assert unknown.exit_code == 2
    assert "lines[0].netMinorUnit is '3', expected a field of DocumentLine" in unknown.stderr
    assert "did you mean netMinorUnits?" in unknown.stderr
    nowhere = await loyalty("quote", BASKET)
    assert nowhere.exit_code == 2
    assert "--unit" in nowhere.stderr


async def test_an_explanation_is_told_in_both_languages(served: None, tmp_path: Path) -> None:
    sales = tmp_path / "sales.csv"
    sales.write_text(SALES, encoding="utf-8")
    await loyalty("import", str(sales), "--enrol")
    told = await loyalty("explain", "dining/pos/D-1")
    assert told.exit_code == 0, told
    assert "policy version 1" in told.stdout
    assert "20.00 USD" in (await loyalty("document", "show", "dining/pos/D-1")).stdout
    chinese = await loyalty("explain", "dining/pos/D-1", "--lang", "zh")
    assert chinese.exit_code == 0, chinese
    head, policy, *lines = chinese.stdout.splitlines()
    assert head.startswith("dining/pos/D-1 第 1 版")
    assert policy.startswith("政策第 1 版，会员等级 ")
    assert any(line.endswith("，永久有效") for line in lines), lines
    assert "有效期至 永久" not in chinese.stdout
    entries = data(await loyalty("entries", "card:2", "--json"))["entries"]
    assert isinstance(entries, list)
    number = next(each["version"] for each in entries if each.get("entry_id"))
    same = await loyalty("explain", number, "--member", "card:2")
    assert same.stdout == told.stdout
    missing = await loyalty("explain", "market/till/T-99")
    assert missing.exit_code == 1
    assert "UNKNOWN_ENTRY" in missing.stderr


async def test_an_activity_is_recorded_once(served: None, tmp_path: Path) -> None:
    sales = tmp_path / "sales.csv"
    sales.write_text(SALES, encoding="utf-8")
    await loyalty("import", str(sales), "--enrol")
    words = ("activity", "card:2", "review", "R-1", "--unit", "web")
    first = await loyalty(*words)
    assert first.exit_code == 0, first
    assert first.stdout.startswith("posted")
    assert (await loyalty(*words)).stdout.startswith("replayed")
    unknown = await loyalty("activity", "card:2", "revue", "R-2", "--unit", "web")
    assert "UNKNOWN_ACTIVITY" in unknown.stderr


ATTRIBUTES = {"pets": "int", "newsletter": "bool", "town": "string", "likes": "string_list"}


def asking_policy(folder: Path) -> str:
    """The sample policy, asking for more of members, as a later version in a file."""
    loaded = rules.load(Path(HARBOUR).read_text(encoding="utf-8"))
    document = json.loads(loaded.canonical)
    document["version"] += 1
    document["effective_from"] = "2018-01-01T00:00:00Z"
    document["segments"].append("family")
    document["member_attributes"] += [{"id": i, "type": t} for i, t in ATTRIBUTES.items()]
    file = folder / "asks.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    return str(file)


async def test_what_is_known_of_a_member_is_told_and_shown(served: None, tmp_path: Path) -> None:
    file = asking_policy(tmp_path)
    made = await loyalty("token", "create", "desk", "--unit", "*", *VERBS, "--json")
    desk = ("--token", str(data(made)["token"]))
    sales = tmp_path / "sales.csv"
    sales.write_text(SALES, encoding="utf-8")
    await loyalty("import", str(sales), "--enrol")
    digest = (await loyalty("policy", "draft", file)).stdout.split()[-1]
    await loyalty("policy", "approve", digest, *desk)
    published = await loyalty("policy", "publish", digest, "--allow-retroactive")
    assert published.exit_code == 0, published

    words = ("member", "update", "card:2", "--unit", "market", "--birthday", "02-29", *desk)
    values = ("--set", "pets=2", "--set", "newsletter=true", "--set", 'town="12"')
    more = ("--set", "likes=[tea,figs]", "--add-segment", "family", "--household", "H-1")
    told = await loyalty(*words, *values, *more)
    assert told.stdout == "changed\n", told
    shown = await loyalty("member", "show", "card:2", *desk)
    for line in ("02-29", "pets   2", "True", "town   12", "tea, figs", "family", "H-1"):
        assert line in shown.stdout
    hidden = await loyalty("member", "show", "card:2")
    assert "pets" not in hidden.stdout
    consent = ("member", "consent", "card:2", "marketing", "--channel", "sms", "--grant")
    evidence = ("--wording", "2026-01", "--source", "form/9", "--unit", "market", *desk)
    agreed = await loyalty(*consent, *evidence)
    assert agreed.stdout == "recorded\n", agreed
    shown = await loyalty("member", "show", "card:2", *desk)
    assert "form/9" in shown.stdout
    wrong = await loyalty(*words, "--set", "pets=two")
    assert "ATTRIBUTE_TYPE" in wrong.stderr


VERBS = ("--verb", "profile", "--verb", "read", "--verb", "policy")


async def test_a_member_is_enrolled_once_and_agrees_to_the_terms(served: None) -> None:
    words = ("member", "enrol", "phone:+44 20 7946 0958", "--unit", "market", "--terms", "v3")
    first = await loyalty(*words)
    assert first.exit_code == 0, first
    assert "enrolled" in first.stdout
    there = await loyalty("member", "enrol", "phone:+442079460958", "--unit", "dining")
    assert "IDENTITY_TAKEN" in there.stderr
    found = await loyalty(
        "member", "enrol", "phone:+442079460958", "--unit", "dining", "--or-existing"
    )
    assert first.stdout.split()[1] == found.stdout.split()[1]
    assert "there before" in found.stdout


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "kind: SALE\nlines:\n  - {line_id: 1, net_minor_units: 3.50}\n",
            ["line 1: kind is 'SALE', expected DOCUMENT_KIND_SALE",
             "line 3: lines[0].net_minor_units is '3.50', expected a whole number"],
        ),
        (
            "document:\n  lines:\n  - {nett_minor_units: 3}\n",
            ["line 3: document.lines[0].nett_minor_units is '3'", "did you mean net_minor_units?"],
        ),
        ("- kind\n", ["expected a document"]),
        ("kind: [\n", ["line 2: not YAML"]),
        ("kind: a\nkind: b\n", ["line 2: key 'kind' is written twice"]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_document_is_told_in_the_words_of_its_file(
    text: str, told: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "basket.yaml"
    file.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(app, ["quote", str(file), "--unit", "market", "--token", "none"])
    assert result.exit_code == 2
    for part in told:
        assert part in result.output
