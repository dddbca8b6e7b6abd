"""What is generated from the models is current, and accepts what the language accepts."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from rules import check, load, model
from rules.meanings import meaning, purpose
from rules.model import Part
from rules.reference import reference
from rules.schema import policy_schema
from rules.shapes import keys_of
from tests.rules.test_checks import GOOD

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = {
    "good": GOOD,
    "harbour": (ROOT / "rules/programmes/harbour.yaml").read_text(encoding="utf-8"),
    **{
        path.stem: yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)["policy"]
        for path in sorted((ROOT / "tests/rules/cases").glob("*.yaml"))
    },
}
PARTS = [part for part in vars(model).values() if isinstance(part, type) and issubclass(part, Part)]


def test_the_committed_reference_is_current() -> None:
    assert reference() == (ROOT / "docs/policy-reference.md").read_text(encoding="utf-8"), (
        "write it anew: loyalty policy reference > docs/policy-reference.md"
    )


def test_the_committed_schema_is_current() -> None:
    committed = json.loads((ROOT / "docs/policy.schema.json").read_text(encoding="utf-8"))
    assert policy_schema() == committed, (
        "write it anew: loyalty policy schema > docs/policy.schema.json"
    )


@pytest.mark.parametrize("part", PARTS, ids=lambda part: str(part.__name__))
def test_every_key_says_what_it_means(part: type[Part]) -> None:
    assert part is Part or purpose(part)
    for key in keys_of(part):
        said = meaning(part, key.field)
        assert said.endswith("."), f"{part.__name__}.{key.field}"
        assert f"`{key.written}`" in reference()


def validator() -> Any:
    schema = policy_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


SCHEMA = validator()


@pytest.mark.parametrize("text", SAMPLES.values(), ids=SAMPLES.keys())
def test_a_policy_fits_the_schema_as_text_and_as_json(text: str) -> None:
    document = load(text)
    for form in (document.tree, json.loads(document.canonical)):
        assert [error.message for error in SCHEMA.iter_errors(form)] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("version: 1", "verison: 1"),
        ("kind: bonus", "kind: bonsu"),
        ("points: 10,", "points: 1.5,"),
        ("points: 10,", "point: 10,"),
        ("id: bonus,", "id: Bonus,"),
        ('"20.00 EUR"', '"20,00 EUR"'),
        ("role: spendable", "role: spendible"),
        ("zone: Europe/Berlin\n", 'zone: "Europe Berlin"\n'),
        ("2020-01-01T00:00:00Z", "2020-01-01"),
        ('factor: "1.5"', "factor: 1e3"),
        ("tier: [gold]", "tier: gold"),
        ("tier: [gold]", "window: {local_time: [9, 17]}"),
        ("tier: [gold]", "window: {local_time: ['09:00']}"),
        ("tier: [gold]", "window: {weekdays: [monday]}"),
        ("tier: [gold]", "first_purchase: on"),
    ],
)
def test_what_the_schema_refuses_the_check_refuses_too(old: str, new: str) -> None:
    assert old in GOOD
    document = load(GOOD.replace(old, new, 1))
    assert not SCHEMA.is_valid(document.tree)
    assert any(finding.severity == "error" for finding in check(document))
