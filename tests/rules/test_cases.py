"""Golden cases: policies and documents in `cases/*.yaml`, and the award that each must give.

A line is a list (category, net, paid with points) or a mapping; money is written in decimals of the
case's currency. `skipped` names conditions of rules without points, `refused` a refusal's reason.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

from rules import (
    FREE,
    Award,
    CapKey,
    CounterKey,
    DocumentFacts,
    LineFacts,
    MemberFacts,
    Policy,
    RulesRefusal,
    evaluate,
    explain,
    member_from_pins,
    parse_quantity,
)
from tests.rules.documents import NOON, document, instant, policy

FILES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
Case = dict[str, Any]


def cases() -> Iterator[Any]:
    for path in FILES:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
        compiled = policy(content["policy"])
        for case in content["cases"]:
            yield pytest.param(compiled, case, id=f"{path.stem}: {case['name']}")


CASES = list(cases())
GIVEN = [case for case in CASES if "refused" not in case.values[1]]
REFUSED = [case for case in CASES if "refused" in case.values[1]]


def line_of(number: int, line: Any, digits: int) -> LineFacts:
    if isinstance(line, list):
        line = dict(zip(("category", "net", "paid"), line, strict=False))
    minor = {key: int(Decimal(line.get(key, "0")).scaleb(digits)) for key in ("net", "paid")}
    parts = line.get("parts", {}).items()
    return LineFacts(
        str(number),
        line["category"],
        parse_quantity(line.get("quantity", "1")),
        minor["net"],
        minor["paid"],
        line.get("brand", ""),
        line.get("sku", ""),
        tuple((kind, int(Decimal(amount).scaleb(digits))) for kind, amount in parts),
    )


def facts(case: Case) -> DocumentFacts:
    digits = 0 if case.get("currency") == "JPY" else 2
    found = document(
        (),
        unit=case.get("unit", "a"),
        currency=case.get("currency", "EUR"),
        channel=case.get("channel", "pos"),
        kind=case.get("kind", "SALE"),
        status=case.get("status", "FINAL"),
        occurred=case.get("occurred", NOON),
    )
    payments = case.get("payments", {}).items()
    return found._replace(
        lines=tuple(line_of(n, line, digits) for n, line in enumerate(case.get("lines", ()), 1)),
        store=case.get("store", "1"),
        nights=int(case.get("nights", "0")),
        stays=int(case.get("stays", "0")),
        activity=case.get("activity", ""),
        payments=tuple((kind, int(Decimal(sum_).scaleb(digits))) for kind, sum_ in payments),
        coupons=tuple(case.get("coupons", ())),
        rates=tuple((code, Fraction(rate)) for code, rate in case.get("rates", {}).items()),
    )


def value_of(text: Any) -> Any:
    if isinstance(text, list):
        return tuple(text)
    if text in ("true", "false"):
        return text == "true"
    return int(text) if text.lstrip("-").isdigit() else text


def member_of(case: Case) -> MemberFacts:
    given = case.get("member", {})
    birthday = given.get("birthday")
    enrolled = given.get("enrolled")
    return MemberFacts(
        tier=case.get("tier"),
        attributes={name: value_of(text) for name, text in given.get("attributes", {}).items()},
        segments=frozenset(given.get("segments", ())),
        birthday=None if birthday is None else (int(birthday[:2]), int(birthday[3:])),
        enrolled_at=None if enrolled is None else instant(enrolled),
        member_id=given.get("id", ""),
    )


class CaseRoom:
    """What other documents have used, by the name of the purse or counter alone."""

    def __init__(self, room: Mapping[str, Mapping[str, str]]) -> None:
        self._used = room.get("used", {})
        self._had = room.get("had", {})
        self._numbers = room.get("numbers", {})

    def used(self, cap: CapKey) -> int:
        return int(self._used.get(cap.name, "0"))

    def had(self, cap: CapKey) -> int:
        return int(self._had.get(cap.name, "0"))

    def number(self, counter: CounterKey) -> int:
        return int(self._numbers.get(counter.counter, "1"))


def room_of(case: Case) -> CaseRoom:
    return CaseRoom(case.get("room", {}))


def points(award: Award) -> dict[str, int]:
    assert len({grant.rule for grant in award.grants}) == len(award.grants)
    return {grant.rule: grant.granted for grant in award.grants}


def whole(numbers: Mapping[str, str]) -> dict[str, int]:
    return {name: int(number) for name, number in numbers.items()}


def answer(compiled: Policy, case: Case) -> Award:
    return evaluate(compiled, facts(case), member_of(case), room=room_of(case))


@pytest.mark.parametrize(("compiled", "case"), GIVEN)
def test_the_award_is_the_one_written_down(compiled: Policy, case: Case) -> None:
    award = answer(compiled, case)
    assert points(award) == whole(case["award"])
    by_rule = {grant.rule: grant for grant in award.grants}
    for rule, text in case.get("expires", {}).items():
        assert by_rule[rule].expires_at == (None if text == "never" else instant(text))
    for rule, text in case.get("pending", {}).items():
        assert by_rule[rule].pending_until == instant(text)
    for rule, name in case.get("cut_by", {}).items():
        assert by_rule[rule].cut_by == name
    for rule, name in case.get("funder", {}).items():
        assert by_rule[rule].funder == name


@pytest.mark.parametrize(("compiled", "case"), GIVEN)
def test_what_comes_with_the_points_is_what_is_written_down(compiled: Policy, case: Case) -> None:
    award = answer(compiled, case)
    found = {
        "benefits": {one.rule: one.quantity for one in award.benefits},
        "uses": {f"{cap.name} {cap.period}".strip(): points for cap, _, points in award.uses},
        "numbers": {f"{key.counter} {key.period}".strip(): n for key, n in award.numbers},
        "metrics": {f"{m.name} {m.scope} {m.window}": m.amount for m in award.metrics},
    }
    for key, numbers in found.items():
        if key in case:
            assert numbers == whole(case[key]), key
    ends = {one.rule: one.expires_at for one in award.benefits}
    for rule, text in case.get("valid_until", {}).items():
        assert ends[rule] == instant(text)
    if "predicates" in case:
        assert list(award.pins.predicates) == case["predicates"]


@pytest.mark.parametrize(("compiled", "case"), GIVEN)
def test_an_award_evaluates_to_itself_under_its_pins(compiled: Policy, case: Case) -> None:
    award, room = answer(compiled, case), room_of(case)
    again = evaluate(compiled, facts(case), member_from_pins(award.pins), award.pins, room)
    assert again == award
    other = MemberFacts("another", segments=frozenset(("vip",)), member_id="somebody else")
    assert evaluate(compiled, facts(case), other, award.pins, room) == award


@pytest.mark.parametrize(("compiled", "case"), GIVEN)
def test_the_explanation_accounts_for_every_rule_and_every_point(
    compiled: Policy, case: Case
) -> None:
    award = answer(compiled, case)
    why = explain(compiled, facts(case), member_of(case), room=room_of(case))
    assert {row.rule: row.granted for row in why.rows if row.granted} == points(award)
    explained = [row.rule for row in why.rows] + [skip.rule for skip in why.skipped]
    assert sorted(explained) == sorted(rule.id for rule in compiled.model.earn)
    for row in why.rows:
        rounded_before = "at line" in row.rounding or "of rounded" in row.rounding
        exact = sum(share.exact for share in row.lines)
        assert not row.lines or rounded_before or exact == row.exact
    skipped = {skip.rule: skip.condition for skip in why.skipped}
    for rule, condition in case.get("skipped", {}).items():
        assert skipped[rule] == condition


@pytest.mark.parametrize(("compiled", "case"), REFUSED)
def test_what_cannot_be_evaluated_is_refused_by_name(compiled: Policy, case: Case) -> None:
    for ask in (evaluate, explain):
        with pytest.raises(RulesRefusal) as refused:
            ask(compiled, facts(case), member_of(case), room=FREE)
        assert refused.value.reason == case["refused"]
