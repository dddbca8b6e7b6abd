"""Golden cases: policies and documents in `cases/*.yaml`, and the award that each must give."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from rules import Award, DocumentFacts, MemberFacts, Policy, evaluate, explain, member_from_pins
from tests.rules.documents import NOON, document, instant, policy

FILES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))


def cases() -> Iterator[Any]:
    for path in FILES:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
        compiled = policy(content["policy"])
        for case in content["cases"]:
            yield pytest.param(compiled, case, id=f"{path.stem}: {case['name']}")


CASES = list(cases())


def facts(case: dict[str, Any]) -> DocumentFacts:
    digits = 0 if case.get("currency") == "JPY" else 2
    return document(
        [
            (line[0], *(int(Decimal(amount).scaleb(digits)) for amount in line[1:]))
            for line in case["lines"]
        ],
        unit=case.get("unit", "a"),
        currency=case.get("currency", "EUR"),
        channel=case.get("channel", "pos"),
        kind=case.get("kind", "SALE"),
        status=case.get("status", "FINAL"),
        occurred=case.get("occurred", NOON),
    )


def points(award: Award) -> dict[str, int]:
    assert len({grant.rule for grant in award.grants}) == len(award.grants)
    return {grant.rule: grant.granted for grant in award.grants}


@pytest.mark.parametrize(("compiled", "case"), CASES)
def test_the_award_is_the_one_written_down(compiled: Policy, case: dict[str, Any]) -> None:
    award = evaluate(compiled, facts(case), MemberFacts(case.get("tier")))
    assert points(award) == {rule: int(number) for rule, number in case["award"].items()}
    by_rule = {grant.rule: grant for grant in award.grants}
    for rule, text in case.get("expires", {}).items():
        assert by_rule[rule].expires_at == (None if text == "never" else instant(text))
    for rule, text in case.get("pending", {}).items():
        assert by_rule[rule].pending_until == instant(text)


@pytest.mark.parametrize(("compiled", "case"), CASES)
def test_an_award_evaluates_to_itself_under_its_pins(
    compiled: Policy, case: dict[str, Any]
) -> None:
    award = evaluate(compiled, facts(case), MemberFacts(case.get("tier")))
    assert evaluate(compiled, facts(case), member_from_pins(award.pins)) == award
    assert evaluate(compiled, facts(case), MemberFacts("another"), award.pins) == award


@pytest.mark.parametrize(("compiled", "case"), CASES)
def test_the_explanation_accounts_for_every_rule_and_every_point(
    compiled: Policy, case: dict[str, Any]
) -> None:
    member = MemberFacts(case.get("tier"))
    award, why = evaluate(compiled, facts(case), member), explain(compiled, facts(case), member)
    assert {row.rule: row.granted for row in why.rows if row.granted} == points(award)
    explained = [row.rule for row in why.rows] + [skip.rule for skip in why.skipped]
    assert sorted(explained) == sorted(rule.id for rule in compiled.model.earn)
    for row in why.rows:
        assert (
            not row.lines
            or sum(share.exact for share in row.lines) == row.exact
            or (row.rounding.endswith("at line"))
        )
