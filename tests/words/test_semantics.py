"""The page that says what the words mean names tests that exist, and every story."""

import re
from pathlib import Path

import pytest

from tests.words.test_words import STORIES

TESTS = Path(__file__).resolve().parent.parent
PAGE = (TESTS.parent / "docs" / "semantics.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (?!rule \||---)(.+?) \| (.+) \|$", re.MULTILINE)
NAMED = re.compile(r"`([a-z_/]+)::([^`]+)`")
ROWS = ROW.findall(PAGE)


def exists(where: str, name: str) -> bool:
    """Whether there is such a story, such a case of rules, or such a test."""
    if where == "words":
        return any(story.name.startswith(name) for story in STORIES)
    if where.startswith("rules/cases/"):
        cases = (TESTS / f"{where}.yaml").read_text(encoding="utf-8").splitlines()
        return f"  - name: {name}" in cases
    path = TESTS / f"{where}.py"
    return path.is_file() and f"def test_{name}(" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(("rule", "shown_by"), ROWS, ids=[rule for rule, _ in ROWS])
def test_a_rule_is_shown_by_tests_that_exist(rule: str, shown_by: str) -> None:
    named = NAMED.findall(shown_by)
    assert named, "nothing shows it"
    assert [f"{where}::{name}" for where, name in named if not exists(where, name)] == []


def test_every_story_shows_a_rule() -> None:
    named = [name for where, name in NAMED.findall(PAGE) if where == "words"]
    assert [
        story.name for story in STORIES if not any(story.name.startswith(n) for n in named)
    ] == []


def test_every_scenario_is_told() -> None:
    told = {story.name[:3] for story in STORIES if re.match(r"S\d\d", story.name)}
    assert sorted(told) == [f"S{number:02}" for number in range(1, 33)]


def test_what_does_not_exist_is_found() -> None:
    assert not exists("core/test_holds", "nobody_wrote_this")
    assert not exists("core/test_nothing", "held_points_cannot_be_spent")
    assert not exists("words", "S99")
