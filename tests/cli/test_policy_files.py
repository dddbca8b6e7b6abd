"""Policy files are judged, compared and explained on the command line, without a server."""

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from server.cli import app

ROOT = Path(__file__).resolve().parents[2]
HARBOUR = ROOT / "tests/policies/harbour.yaml"


def loyalty(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["policy", *arguments])


def edited(folder: Path, *edits: tuple[str, str]) -> str:
    text = HARBOUR.read_text(encoding="utf-8")
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    file = folder / "edited.yaml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_findings_are_printed_with_file_and_line_errors_first_and_counted(tmp_path: Path) -> None:
    file = edited(
        tmp_path,
        ("tier: [gold]", "tier: [golden]"),
        ("id: nine_months, months: 9", "id: nine_months, months: nine"),
    )
    result = loyalty("check", file)
    assert result.exit_code == 1
    flat = result.stdout.replace("\n", "")
    assert f"{file}:37: error: expiries[nine_months].months: expected a whole number" in flat
    assert f"{file}:94: error: earn[tier.gold].when.tier: unknown 'golden'" in flat
    assert flat.endswith("2 errors")


def test_what_a_good_policy_may_cost_is_noted() -> None:
    result = loyalty("check", str(HARBOUR))
    assert result.exit_code == 0
    assert ": note: business_units[market]: 100 USD earn at most 250 'point'" in (
        result.stdout.replace("\n", "")
    )
    assert "\n7 notes\n" in result.stdout


def test_a_difference_is_said_in_words_and_as_json(tmp_path: Path) -> None:
    file = edited(tmp_path, ("points: 1, per", "points: 2, per"))
    result = loyalty("diff", str(HARBOUR), file)
    assert result.exit_code == 1
    words = "earn[base.market].rate.points: 1 → 2: twice as many points for the same money"
    assert result.stdout == f"{words}\n"
    (change,) = json.loads(loyalty("diff", str(HARBOUR), file, "--json").stdout)
    assert change == {
        "path": "earn[base.market].rate.points",
        "before": "1",
        "after": "2",
        "text": words,
    }
    assert "2 倍" in loyalty("diff", str(HARBOUR), file, "--lang", "zh").stdout


def test_the_same_policy_has_no_difference() -> None:
    result = loyalty("diff", str(HARBOUR), str(HARBOUR))
    assert (result.exit_code, result.stdout) == (0, "")


def test_a_file_that_cannot_be_read_is_not_compared(tmp_path: Path) -> None:
    file = edited(tmp_path, ("version: 1", "verison: 1"))
    result = loyalty("diff", str(HARBOUR), file)
    assert result.exit_code != 0
    assert "'version' is missing" in result.stderr
    assert "loyalty policy check" in result.stderr


def test_schema_and_reference_are_printed_as_they_are_kept() -> None:
    schema = loyalty("schema").stdout
    assert schema == (ROOT / "docs/policy.schema.json").read_text(encoding="utf-8")
    reference = loyalty("reference").stdout
    assert reference == (ROOT / "docs/policy-reference.md").read_text(encoding="utf-8")
