"""The decisions: each has a number of its own, which its heading repeats."""

from collections import Counter
from pathlib import Path

DECISIONS = sorted((Path(__file__).resolve().parent.parent / "docs" / "decisions").glob("*.md"))


def test_every_decision_has_a_number_of_its_own() -> None:
    numbers = Counter(path.name[:4] for path in DECISIONS)
    assert [number for number, files in numbers.items() if files > 1] == []
    assert sorted(numbers) == [f"{number:04}" for number in range(1, len(DECISIONS) + 1)]


def test_the_heading_of_a_decision_repeats_its_number() -> None:
    headings = {path.name: path.read_text(encoding="utf-8").split("\n", 1)[0] for path in DECISIONS}
    assert [
        name for name, heading in headings.items() if not heading.startswith(f"# {name[:4]}: ")
    ] == []
