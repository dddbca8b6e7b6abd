"""Why an award is what it is, derived again by the evaluation itself and never stored."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from rules.award import Award
from rules.earning import CompiledRule
from rules.evaluation import (
    Tally,
    Trace,
    grants_of,
    pin,
    plan_of,
    tally,
    wanted_points,
)
from rules.facts import DocumentFacts, MemberFacts, Pins
from rules.plan import Plan, Slot
from rules.policy import Policy


@dataclass(frozen=True, slots=True)
class LineShare:
    """What a line gave to a rule: its eligible minor units, and the exact points of them."""

    line_id: str
    eligible_minor: int
    exact: Fraction


@dataclass(frozen=True, slots=True)
class ExplainedRule:
    """A rule that took part. `rounding` says how and where `exact` became `wanted`."""

    rule: str
    kind: str
    currency: str
    lines: tuple[LineShare, ...]
    exact: Fraction
    rounding: str
    wanted: int
    granted: int


@dataclass(frozen=True, slots=True)
class SkippedRule:
    """A rule that took no part, and the first condition of it that was false."""

    rule: str
    condition: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Every rule of the policy, either among `rows` or among `skipped`, in policy order."""

    pins: Pins
    rows: tuple[ExplainedRule, ...]
    skipped: tuple[SkippedRule, ...]


def explain(
    policy: Policy, document: DocumentFacts, member: MemberFacts, pins: Pins | None = None
) -> Explanation:
    """Explain what `evaluate` answers to the same arguments; refuses as it does."""
    pins = pin(policy, document, member) if pins is None else pins
    if document.status == "CANCELLED":
        all_skipped = tuple(SkippedRule(rule.id, "status") for rule in policy.plans.rules)
        return Explanation(pins, (), all_skipped)
    plan = plan_of(policy, document, pins)
    trace: Trace = []
    found = tally(plan, document, trace)
    award = Award(pins, grants_of(policy, document, pins, found))
    rows = {row.rule: row for row in _rows(document, found, trace, award)}
    skipped = (
        SkippedRule(rule.id, _first_false(rule, plan, found, trace))
        for rule in policy.plans.rules
        if rule.id not in rows
    )
    ordered = (rows[rule.id] for rule in policy.plans.rules if rule.id in rows)
    return Explanation(pins, tuple(ordered), tuple(skipped))


def _rows(
    document: DocumentFacts, found: Tally, trace: Trace, award: Award
) -> Iterator[ExplainedRule]:
    granted = {grant.rule: grant.granted for grant in award.grants}
    wanted = wanted_points(found)
    for number, slot in enumerate(found.stage.slots):
        shares = tuple(_shares(number, slot, trace))
        if shares:
            exact = Fraction(found.sums[number], slot.denominator)
            yield _row(slot, shares, exact, wanted[number], granted.get(slot.rule.id, 0))
    for number, slot in enumerate(found.stage.bonuses):
        if found.bonuses >> number & 1:
            points = slot.rule.points
            yield _row(slot, (), Fraction(points), points, granted[slot.rule.id])


def _row(
    slot: Slot, lines: tuple[LineShare, ...], exact: Fraction, wanted: int, granted: int
) -> ExplainedRule:
    rounding = f"{slot.rounding_mode} at {slot.rounding_at}" if lines else "none"
    rule = slot.rule
    return ExplainedRule(rule.id, rule.kind, slot.currency, lines, exact, rounding, wanted, granted)


def _shares(number: int, slot: Slot, trace: Trace) -> Iterator[LineShare]:
    for line, eligible, line_plan in trace:
        for target, coefficient in line_plan.targets:
            if target == number:
                exact = Fraction(eligible * coefficient, slot.denominator)
                yield LineShare(line.line_id, eligible, exact)


def _first_false(rule: CompiledRule, plan: Plan, found: Tally, trace: Trace) -> str:
    """Name the first condition of a rule without a row that is false."""
    for test in rule.context_tests:
        if not test.holds(plan.context):
            return test.name
    if rule not in found.stage.rules:
        return "when.basket_min"
    return _first_false_of_lines(rule, plan, trace)


def _first_false_of_lines(rule: CompiledRule, plan: Plan, trace: Trace) -> str:
    least = None if rule.line_min is None else plan.minor(rule.line_min)
    left = [(line.category, eligible) for line, eligible, _ in trace if plan.earns(line.category)]
    if rule.kind == "bonus":
        left = [(category, eligible) for category, eligible in left if eligible > 0]
    if not left:
        return "no eligible line"
    for test in rule.category_tests:
        left = [(category, eligible) for category, eligible in left if test.holds(category)]
        if not left:
            return test.name
    if least is not None and all(eligible < least for _, eligible in left):
        return "when.line_min"
    if rule.kind == "base":
        return "another base rule comes first"
    return "no base points to raise, or another of its group is stronger"
