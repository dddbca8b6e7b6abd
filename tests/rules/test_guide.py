"""The guides teach the language that exists: every example gives what stands below it."""

from pathlib import Path

import pytest

from rules import check, load
from tests.rules.guide import Claim, blocks, claims, outcome, policies

DOCS = Path(__file__).resolve().parents[2] / "docs"
ENGLISH, CHINESE = DOCS / "policy.md", DOCS / "policy.zh-CN.md"
GUIDES = (ENGLISH, CHINESE)


@pytest.mark.parametrize(
    "claim",
    [
        pytest.param(claim, id=f"{guide.name}: {claim.happens} gives {claim.gives}")
        for guide in GUIDES
        for claim in claims(guide)
    ],
)
def test_an_example_gives_what_the_guide_says(claim: Claim) -> None:
    assert sorted(outcome(claim).split(", ")) == sorted(claim.gives.split(", "))


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_every_policy_of_a_guide_passes_the_check(guide: Path) -> None:
    shown = list(policies(guide))
    assert len(shown) > 15
    for text in shown:
        found = [one for one in check(load(text)) if one.severity != "info"]
        assert all("must state the rate of EUR" in str(one) for one in found)


def test_both_guides_show_the_same_examples() -> None:
    assert blocks(ENGLISH) == blocks(CHINESE)


def test_a_claim_that_is_wrong_is_found() -> None:
    first = next(claims(ENGLISH))
    assert outcome(first) == first.gives
    dearer = Claim(first.policy, "food 31.00", first.gives)
    assert outcome(dearer) != dearer.gives
