"""Large policies that the language allows are judged and compiled in a moment."""

import json
from collections.abc import Callable
from time import process_time

import pytest
import yaml

from rules import NOBODY, check, compile_policy, evaluate, load
from rules.earning import compile_rules
from rules.lines import matcher
from rules.refusal import alternatives
from rules.terms import compile_terms
from rules.touching import touched_categories
from tests.rules.documents import document

RULES, UNITS = 1000, 500
CATEGORIES = ", ".join(f"c{number % 100}/d{number}" for number in range(4990))
# Alone each takes about a second, in a process full of other tests' objects several; comparing
# every rule with every category would take minutes.
SECONDS = 12.0


def policy(
    rule: Callable[[int], str],
    *,
    rules: int = RULES,
    units: int = UNITS,
    categories: str = CATEGORIES,
) -> str:
    unit_list = "".join(
        f'  - {{id: u{n}, zone: UTC, currency: EUR, point_value: "0.01 EUR"}}\n'
        for n in range(units)
    )
    return f"""schema: loyalty.policy/v1
programme: test
version: 1
effective_from: 2020-01-01T00:00:00Z
zone: UTC
currencies: [{{id: p, role: spendable}}]
business_units:
{unit_list}categories: [{categories}]
groups: [{{id: g}}]
earn:
{"".join(f"  - {rule(n)}{chr(10)}" for n in range(rules))}"""


def base(number: int, when: str, more: str = "") -> str:
    return (
        f"{{kind: base, id: r{number}, currency: p, {more}"
        f'rate: {{points: 1, per: "1.00 EUR"}}, when: {{{when}}}}}'
    )


def boost(number: int, when: str) -> str:
    return (
        f"{{kind: multiplier, id: m{number}, currency: p, group: g, factor: 2, when: {{{when}}}}}"
    )


SHAPES: dict[str, Callable[[int], str]] = {
    "one category each": lambda n: base(n, f"category: [c{n % 100}/d{n}]"),
    "a family each": lambda n: base(n, f"category: [c{n % 100}/*], channel: [h{n}]"),
    "all but one category": lambda n: base(n, f"category_not: [c{n % 100}/d{n}], channel: [h{n}]"),
    "a unit each, raised by all": lambda n: (
        base(n, f"business_unit: [u{n}]", f"pending_days: {n}, ")
        if n < UNITS
        else boost(n, "channel: [web]")
    ),
    "half of them raise the other half": lambda n: (
        base(n, f"category: [c{n % 100}/*]")
        if n % 2
        else boost(n, f"category: [c{n // 2 % 100}/*], channel: [h{n}]")
    ),
    "no category there is": lambda n: base(n, f"category: [e{n}, f{n}, g{n}]"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_thousand_rules_over_five_thousand_categories_are_judged_in_a_moment(shape: str) -> None:
    document = load(policy(SHAPES[shape]))
    assert document.model is not None, document.findings
    began = process_time()
    found = check(document)
    if not any(finding.severity == "error" for finding in found):
        compile_policy(document)
    assert process_time() - began < SECONDS


def test_a_policy_with_many_errors_is_told_the_first_of_them() -> None:
    found = check(load(policy(SHAPES["no category there is"], categories="food")))
    assert len(found) == 200
    assert str(found[0]).startswith("earn[r0].when.category: 'e0' matches no category")


def test_ten_thousand_rules_are_refused_by_a_limit_and_not_by_the_clock() -> None:
    text = policy(lambda n: base(n, ""), rules=10_000, units=1, categories="food")
    as_json = json.dumps(yaml.load(text, Loader=yaml.CBaseLoader))
    for form, limit in (
        (text, "a policy file has at most 100000 keys and values"),
        (as_json, "earn: has more than 1000 entries"),
    ):
        began = process_time()
        assert limit in map(str, check(load(form)))
        assert process_time() - began < SECONDS


def test_thirty_rules_are_judged_before_anybody_notices() -> None:
    def rule(number: int) -> str:
        if number % 3 == 0:
            return base(number, f"category: [c{number}/*], tier: [gold]")
        return boost(number, f"channel: [h{number}], basket_min: '10.00', segment_any: [s]")

    text = policy(rule, rules=30, units=5)
    text = text.replace("groups:", "segments: [s]\ntiers: {ladder: [{id: gold}]}\ngroups:")
    document = load(text)
    check(document)
    began = process_time()
    check(document)
    assert process_time() - began < 0.3


def test_a_file_of_countless_parts_is_not_read_to_its_end() -> None:
    began = process_time()
    (found,) = check(load(f"x: [{'1,' * 480_000}1]"))
    assert str(found) == "a policy file has at most 100000 keys and values"
    assert process_time() - began < 1.0


def test_an_error_behind_many_warnings_still_refuses() -> None:
    def rule(number: int) -> str:
        if number == RULES - 1:
            return boost(number, "")
        return base(number, "", "pending_days: 3, " if number == RULES - 2 else "")

    found = check(load(policy(rule)))
    assert [one.severity for one in found].count("warning") > 900
    assert found[0].severity == "error"
    assert "differ in 'pending_days'" in str(found[0])


PATTERNS = ["food", "food/*", "food/fruit", "food/fruit/*", "food-too", "food0", "wine/*", "tea/*"]


@pytest.mark.parametrize("wanted", [[], *([one] for one in PATTERNS), PATTERNS[:2]])
@pytest.mark.parametrize("unwanted", [[], *([one] for one in PATTERNS)])
@pytest.mark.parametrize("unlisted", ["earn", "refuse"])
def test_a_rule_touches_the_categories_that_its_conditions_let_through(
    wanted: list[str], unwanted: list[str], unlisted: str
) -> None:
    document = load(
        policy(
            lambda n: base(n, f"category: {wanted}, category_not: {unwanted}"),
            rules=1,
            units=1,
            categories="food, food/fruit, food-too, food0, wine, {id: wine/red, earns: false}, tea",
        ).replace("groups:", f"unlisted_categories: {unlisted}\ngroups:")
    )
    assert document.model is not None, document.findings
    terms, rules = compile_terms(document.model), compile_rules(document.model.earn)
    (touched,) = touched_categories(terms, rules).values()
    asked = {*terms.categories, *({"any-other"} if unlisted == "earn" else ())}
    for pattern in (*wanted, *unwanted):
        asked.add(f"{pattern[:-1]}other" if pattern.endswith("/*") else pattern)
    known = {name for name in asked if unlisted == "earn" or terms.listed(name)}
    matches, matches_not = matcher(wanted), matcher(unwanted)
    through = {n for n in known if (not wanted or matches(n)) and not matches_not(n)}
    expected = {n for n in through if terms.earns(n)}
    assert touched.bit_count() == len(expected)


def test_what_could_have_been_meant_is_found_among_thousands() -> None:
    names = [f"{family}{number}" for family in ("coffee", "room", "tea") for number in range(3000)]
    began = process_time()
    for _ in range(20):
        assert "did you mean 'room1500'?" in alternatives("room15000", names)
    assert process_time() - began < SECONDS


def raised(count: int, factor: Callable[[int], str], combine: str) -> str:
    """A base rule and multipliers of one group."""

    def rule(number: int) -> str:
        if number == 0:
            return base(0, "")
        named = f"kind: multiplier, id: m{number}, currency: p, group: g"
        return f"{{{named}, factor: {factor(number)!r}}}"

    text = policy(rule, rules=count, units=1, categories="food")
    return text.replace("{id: g}", f"{{id: g, combine: {combine}}}")


@pytest.mark.parametrize("combine", ["product", "add_excess"])
def test_factors_without_a_handy_common_denominator_are_refused(combine: str) -> None:
    found = load(raised(RULES, lambda n: f"{10**9 - n}/{10**9 - n - 1}", combine))
    errors = [str(one) for one in check(found) if one.severity == "error"]
    assert len(errors) == 1
    assert "currencies[p]: 'm" in errors[0]
    assert "no common denominator of less than 8192 bits" in errors[0]


@pytest.mark.parametrize("combine", ["product", "add_excess"])
def test_what_is_allowed_of_them_delays_the_first_document_by_less_than_a_blink(
    combine: str,
) -> None:
    compiled = compile_policy(load(raised(250, lambda n: f"{10**9 - n}/{10**9 - n - 1}", combine)))
    facts = document(unit="u0")
    began = process_time()
    assert evaluate(compiled, facts, NOBODY).grants
    assert process_time() - began < 0.5


def test_a_thousand_ordinary_factors_are_not_refused() -> None:
    text = raised(RULES, lambda n: f"{1 + n % 9}.{n % 100:02}", "add_excess")
    assert not [one for one in check(load(text)) if one.severity == "error"]
