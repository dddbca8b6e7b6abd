"""The published cases of real programmes come out as published, under our policies of them."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from rules import check, load
from tests.conftest import SHARED
from tests.rules.programmes import answers
from tests.rules.programmes.answers import Answer
from tests.rules.programmes.facts import word
from tests.rules.programmes.published import FILES, HERE, Json, Trial, cases, source, trials

ASKED: dict[Callable[[Trial], Answer], str] = {
    answers.earned: (
        "MB-01 MB-02 MB-03 MB-04 MB-05 MB-06 MB-09 HY-01 HY-02 SL-01 SL-02 SL-03 SL-04 SL-05 "
        "SL-09 SB-03 SB-04 SB-05 SB-09 SE-01 SE-02 SE-03 SE-04 SE-07 SE-10 TC-01 TC-02 TC-03 "
        "TC-04 TC-05 TC-09 PB-01 PB-02 PB-03"
    ),
    answers.usable: "SL-08",
    answers.tier: "MB-07 MB-08 HY-03 HY-04 HY-05 SL-06 SB-06 SE-05",
    answers.valid_to: "HY-06 SE-06",
    answers.expires: "SB-01 SB-02 PB-04 PB-05",
    answers.expires_after: "MB-10 MB-11",
    answers.expired: "PB-08",
    answers.lapsed: "SB-07",
    answers.voucher_used: "TC-07",
    answers.redeemed: "HY-07 SL-07 SB-08 SE-08 SE-09 PB-06",
    answers.statement: "TC-06",
    answers.voucher_worth: "TC-08",
    answers.transferred: "MB-12 MB-13 MB-14 MB-15",
    answers.exchanged: "PB-07",
    answers.forfeited: "HY-08",
    answers.settled: "PB-09",
}
"""Which question each case puts."""
REASONS = {
    "MB-12": "LIMIT_REACHED",
    "MB-13": "NOT_A_STEP",
    "MB-14": "LIMIT_REACHED",
    "HY-07": "BELOW_MINIMUM",
    "SB-08": "UNKNOWN_REWARD",
    "SE-08": "BELOW_MINIMUM",
    "SE-09": "NOT_FOR_TIER",
    "PB-06": "BELOW_MINIMUM",
}
"""Why the rules refuse what a case says is refused."""
QUESTIONS = {case: question for question, ids in ASKED.items() for case in ids.split()}
POLICIES = [name for names in FILES.values() for name in names]


@pytest.fixture(scope="module")
def published() -> dict[str, Json]:
    if not (SHARED / "programmes" / "cases.json").is_file():
        pytest.skip(f"no cases at {SHARED.name}/ beside the project; set LOYALTY_SHARED")
    return cases(SHARED)


def plain(value: Any) -> Any:
    """Write numbers as fractions and names as ids, so that both sides can be compared."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    if value is None or isinstance(value, bool):
        return value
    try:
        return Fraction(value)
    except ValueError:
        return word(value)


def test_every_published_case_has_its_question(published: dict[str, Json]) -> None:
    assert set(QUESTIONS) == set(published)
    assert len(QUESTIONS) == sum(len(ids.split()) for ids in ASKED.values()) == 69


@pytest.mark.parametrize("case", sorted(QUESTIONS))
def test_a_published_case_gives_what_was_published(case: str, published: dict[str, Json]) -> None:
    asked = list(trials(published[case]))
    assert asked
    for trial in asked:
        answer = QUESTIONS[case](trial)
        found, wanted = plain(answer), plain(trial.expect)
        assert {key: found.get(key) for key in wanted} == wanted, f"{trial.day} {trial.choice}"
        if case in REASONS and not trial.expect["accepted"]:
            assert answer["reason"] == REASONS[case]


def test_what_is_left_open_is_chosen_by_the_policy(published: dict[str, Json]) -> None:
    for case in published.values():
        if case.get("open"):
            asked = list(trials(case))
            assert len(asked) == len(case["alternatives"])
            # Each choice is another policy, but for one that is as the file has it.
            assert len({trial.policy.digest for trial in asked}) == len(asked)


@pytest.mark.parametrize("name", POLICIES)
def test_the_policy_of_a_programme_passes_the_check_and_says_what_it_shows(name: str) -> None:
    text = source(name)
    assert text.startswith("# Shows: ")
    assert not [str(one) for one in check(load(text)) if one.severity == "error"]


def test_every_policy_file_is_asked() -> None:
    found = {path.stem for path in HERE.glob("*.yaml")}
    assert found == {*POLICIES, "alternatives"}
