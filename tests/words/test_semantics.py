"""The page that says what the words mean names tests that exist, and leaves nothing out."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import SHARED
from tests.words.test_words import STORIES

TESTS = Path(__file__).resolve().parent.parent
PAGE = (TESTS.parent / "docs" / "semantics.md").read_text(encoding="utf-8")
HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
ROW = re.compile(r"^\| (\d*) ?\| (?!rule \|)(.+?) \| (.+) \|$", re.MULTILINE)
NAMED = re.compile(r"`([a-z_/]+)::([^`]+)`")
SENTENCE = re.compile(r"(?<=[.!?])\*{0,2}\s+(?=[A-Z*`\"(\d])")


class Rule(NamedTuple):
    """A row of the page."""

    section: str
    number: int
    """Its place among the rules as they were laid down; 0: it follows from them."""
    words: str
    shown_by: str


def sections(text: str) -> dict[str, str]:
    """The parts of a page by their headings, in order."""
    _, *parts = HEADING.split(text)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def rules() -> Iterator[Rule]:
    """Every row of the page."""
    for section, text in sections(PAGE).items():
        for number, words, shown_by in ROW.findall(text):
            yield Rule(section, int(number or 0), words, shown_by)


RULES = list(rules())


def exists(where: str, name: str) -> bool:
    """Whether there is such a story, such a case of rules, or such a test."""
    if where == "words":
        return any(story.name.startswith(name) for story in STORIES)
    if where.startswith("rules/cases/"):
        cases = (TESTS / f"{where}.yaml").read_text(encoding="utf-8").splitlines()
        return f"  - name: {name}" in cases
    path = TESTS / f"{where}.py"
    return path.is_file() and f"def test_{name}(" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("rule", RULES, ids=[f"{rule.section}: {rule.words}" for rule in RULES])
def test_a_rule_is_shown_by_tests_that_exist(rule: Rule) -> None:
    named = NAMED.findall(rule.shown_by)
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


def test_rules_are_numbered_without_a_gap() -> None:
    numbered: dict[str, list[int]] = {}
    for rule in RULES:
        if rule.number:
            numbered.setdefault(rule.section, []).append(rule.number)
    assert {section: list(range(1, len(found) + 1)) for section, found in numbered.items()} == (
        numbered
    )


def shared(name: str) -> str:
    """A text of the folder beside the project."""
    path = SHARED / name
    if not path.is_file():
        pytest.skip(f"no {name} in {SHARED.name}/ beside the project; set LOYALTY_SHARED")
    return path.read_text(encoding="utf-8")


def sentences(text: str) -> list[str]:
    """The sentences of a text and of its lists."""
    parts = (" ".join(part.split()) for part in re.sub(r"\n\* ", "\n\n", text).split("\n\n"))
    return [each for part in parts if part for each in SENTENCE.split(part.removeprefix("* "))]


def counted() -> list[int]:
    """How many rules as they were laid down each section of the page has."""
    return [sum(r.section == name and r.number > 0 for r in RULES) for name in sections(PAGE)]


def test_every_sentence_that_lays_down_the_meaning_has_its_row() -> None:
    laid_down = sections(shared("design/semantics.md"))
    assert [len(sentences(text)) for text in laid_down.values()] == counted()[: len(laid_down)]


def test_every_history_that_has_bitten_others_has_its_row() -> None:
    parts = sections(shared("research/loyalty-systems.md"))
    histories = re.findall(
        r"^\d+\. ", parts["11. Acceptance histories worth fixing as tests"], re.M
    )
    complaints = re.findall(r"^\| \d+ \|", parts["4. What users complain of and ask for"], re.M)
    edges = re.findall(r"^- Edges: ", "".join(parts.values()), re.M)
    assert counted()[-3:] == [len(histories), len(complaints), len(edges)]


def test_every_scenario_that_was_worked_out_is_told() -> None:
    worked = re.findall(r"^## (S\d\d)", shared("design/scenarios.md"), re.M)
    assert set(worked) == {story.name[:3] for story in STORIES if re.match(r"S\d\d", story.name)}


def test_what_does_not_exist_is_found() -> None:
    assert not exists("core/test_holds", "nobody_wrote_this")
    assert not exists("core/test_nothing", "held_points_cannot_be_spent")
    assert not exists("words", "S99")
