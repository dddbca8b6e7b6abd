"""The guide teaches the language that exists: its example compiles and no key is left out."""

import re
from pathlib import Path

from pydantic import BaseModel

from rules import MemberFacts, evaluate, model
from tests.rules.documents import document, policy

GUIDE = (Path(__file__).resolve().parents[2] / "docs/policy.md").read_text(encoding="utf-8")


def test_the_first_policy_gives_what_the_guide_says() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    compiled = policy(example)
    sale = document((("food", 21000),), unit="shop")
    for tier, expected in (
        ("basic", {"base": 210, "status": 210, "big_basket": 50}),
        ("gold", {"base": 210, "status": 210, "gold": 210, "big_basket": 50}),
    ):
        grants = evaluate(compiled, sale, MemberFacts(tier)).grants
        assert {grant.rule: grant.granted for grant in grants} == expected


def test_every_key_of_the_language_is_in_the_guide() -> None:
    parts = [
        part
        for part in vars(model).values()
        if isinstance(part, type) and issubclass(part, BaseModel) and part is not BaseModel
    ]
    keys = {field.alias or name for part in parts for name, field in part.model_fields.items()}
    missing = sorted(key for key in keys if f"`{key}`" not in GUIDE and f"{{{key}" not in GUIDE)
    assert set(missing) <= {"mode", "at", "per"}
    assert "`{mode, at}`" in GUIDE
    assert "`{points, per}`" in GUIDE
