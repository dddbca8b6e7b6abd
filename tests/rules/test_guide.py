"""The guide teaches the language that exists: its example gives what it says."""

import re
from pathlib import Path

from rules import MemberFacts, evaluate
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
