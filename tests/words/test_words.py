"""Every story in words happens as its table says, and its history verifies."""

from pathlib import Path

import pytest

import tests.words.joining  # noqa: F401 - it knows more sentences
from tests.store.stories import verified
from tests.store.till import at, open_till
from tests.words.outcomes import difference
from tests.words.reading import Row, Story, stories
from tests.words.steps import Teller, iso

FOLDER = Path(__file__).resolve().parent
STORIES = [story for path in sorted(FOLDER.glob("*.md")) for story in stories(path)]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
async def test_it_happens_as_told(database: str, story: Story) -> None:
    async with open_till(database, now=iso(story.rows[0].when), approval_required=False) as till:
        await till.publish(story.policy)
        teller = Teller(till, story.policy)
        for row in story.rows:
            till.clock.set(max(till.clock.now(), at(iso(row.when))))
            await teller.tell(row.happens)
            assert await _differences(teller, row) == [], f"{row.when}: {row.happens}"
        assert await verified(till) == {}


async def _differences(teller: Teller, row: Row) -> list[str]:
    expected = any(clause.startswith("refused ") for clause in row.outcome)
    if teller.refusal is not None and not expected:
        return [f"refused: {teller.refusal}"]
    seen = [await difference(teller, clause) for clause in row.outcome]
    return [each for each in seen if each]


def test_no_story_has_a_row_that_nothing_is_said_of() -> None:
    """The last row of each says how it ends, and every refusal is expected by name."""
    assert [story.name for story in STORIES if not story.rows[-1].outcome] == []
    names = [story.name for story in STORIES]
    assert sorted(names) == sorted(set(names))
