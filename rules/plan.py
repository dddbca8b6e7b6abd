"""Plans: everything about an evaluation that does not depend on the amounts, worked out once.

A plan belongs to a context (unit, channel, kind, tier). Its stages say which rules take part at a
basket's size, and a stage's line plans say what a line of one category gives to which rule, as
integer coefficients. What is left for a document is to multiply, add and round.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from math import lcm

from rules.earning import CompiledRule, Context
from rules.lot_terms import ExpiryRule
from rules.money import Amount
from rules.refusal import RulesRefusal
from rules.rounding import ROUNDERS, Rounder
from rules.terms import Terms, UnitTerms
from rules.touching import touched_categories

_REMEMBERED_MAX = 4096


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a rule's points add up: a sum of integers over `denominator`.

    `lot_terms` numbers the pair of expiry and pending days in the stage, so that a document
    computes each pair's instants once.
    """

    rule: CompiledRule
    rule_id: str
    currency: str
    funder: str
    qualifying: bool
    denominator: int
    rounder: Rounder
    rounding_mode: str
    rounding_at: str
    lot_terms: int


@dataclass(frozen=True, slots=True)
class LinePlan:
    """What a line gives: (slot number, coefficient of its minor units), and bonuses it serves."""

    targets: tuple[tuple[int, int], ...]
    bonuses: int


_NOTHING = LinePlan((), 0)


class Stage:
    """The rules that take part in a context once the basket has reached some thresholds."""

    def __init__(self, plan: "Plan", rules: tuple[CompiledRule, ...]) -> None:
        self.plan = plan
        self.rules = rules
        self._bases = [rule for rule in rules if rule.kind == "base"]
        self._multipliers = [rule for rule in rules if rule.kind == "multiplier"]
        self.lot_terms: list[tuple[ExpiryRule | None, int]] = []
        dens = self._denominators()
        earned = (*self._bases, *self._multipliers)
        self.slots = tuple(self._slot(rule, dens[rule.id]) for rule in earned)
        self.bonuses = tuple(self._slot(rule, 1) for rule in rules if rule.kind == "bonus")
        self._slot_number = {slot.rule.id: number for number, slot in enumerate(self.slots)}
        # Bonuses that ask for no line at all: "basket_min: 0" and no line condition.
        self.unasked = sum(
            1 << number for number, slot in enumerate(self.bonuses) if _asks_for_no_line(slot.rule)
        )
        line_mins = {plan.minor(rule.line_min) for rule in rules if rule.line_min is not None}
        self.line_thresholds = tuple(sorted(line_mins))
        self.floors_by_rule = all(
            slot.rounding_at == "rule" and slot.rounder is ROUNDERS["floor"] for slot in self.slots
        )
        self.rounds_by_line = any(slot.rounding_at == "line" for slot in self.slots)
        self.lines: dict[str | tuple[str, int], LinePlan] = {}

    def _per(self, base: CompiledRule) -> int:
        assert base.per is not None, f"base rule {base.id} has a rate"
        return self.plan.minor(base.per)

    def _denominators(self) -> dict[str, int]:
        """Choose each slot's denominator so that every coefficient is a whole number."""
        dens = {base.id: self._per(base) for base in self._bases}
        for rule in self._multipliers:
            bases = [self._per(base) for base in self._bases if base.currency == rule.currency]
            dens[rule.id] = lcm(*bases) * rule.excess.denominator
        for name, currency in self.plan.terms.currencies.items():
            if currency.rounding_at == "transaction":
                # The running total of a document's rules needs one denominator for them all.
                ours = [r.id for r in (*self._bases, *self._multipliers) if r.currency == name]
                dens.update(dict.fromkeys(ours, lcm(*(dens[rule] for rule in ours))))
        return dens

    def _slot(self, rule: CompiledRule, denominator: int) -> Slot:
        currency = self.plan.terms.currencies[rule.currency]
        return Slot(
            rule=rule,
            rule_id=rule.id,
            currency=currency.id,
            funder=rule.funder or self.plan.unit.id,
            qualifying=currency.qualifying,
            denominator=denominator,
            rounder=ROUNDERS[currency.rounding_mode],
            rounding_mode=currency.rounding_mode,
            rounding_at=currency.rounding_at,
            lot_terms=self._lot_terms(rule),
        )

    def _lot_terms(self, rule: CompiledRule) -> int:
        """Number the rule's own terms, or its base rule's, or its currency's."""
        sources = [rule]
        if rule.kind == "multiplier":
            # Boosting points that are pending with points that are not would let the boost be
            # spent first; the publish check sees to it that all base rules agree.
            shared = (base for base in self._bases if self.plan.share_lines(base, rule))
            sources += islice(shared, 1)
        currency = self.plan.terms.currencies[rule.currency]
        expiry = next((s.expiry for s in sources if s.expiry is not None), currency.expiry)
        pending = next(
            (s.pending_days for s in sources if s.pending_days is not None), currency.pending_days
        )
        pair = (None if expiry is None else self.plan.terms.expiries[expiry], pending)
        if pair not in self.lot_terms:
            self.lot_terms.append(pair)
        return self.lot_terms.index(pair)

    def line_key(self, category: str, eligible: int) -> str | tuple[str, int]:
        """Name the line plan of a line with `eligible` minor units."""
        if not self.line_thresholds:
            return category
        return category, bisect_right(self.line_thresholds, eligible)

    def line_plan(self, key: str | tuple[str, int]) -> LinePlan:
        """Work out a line plan and remember it."""
        category, passed = (key, 0) if isinstance(key, str) else key
        if len(self.lines) >= _REMEMBERED_MAX:
            self.lines.clear()
        found = self.lines[key] = self._line_plan(category, self.line_thresholds[:passed])
        return found

    def _line_plan(self, category: str, reached: tuple[int, ...]) -> LinePlan:
        if not self.plan.earns(category):
            return _NOTHING

        def fits(rule: CompiledRule) -> bool:
            wanted = rule.line_min is None or self.plan.minor(rule.line_min) in reached
            return wanted and rule.wants_category(category)

        targets: list[tuple[int, int]] = []
        for currency in self.plan.terms.currencies:
            base = next((b for b in self._bases if b.currency == currency and fits(b)), None)
            if base is None:
                continue
            targets.append(self._target(base, base, Fraction(1)))
            boosts = [m for m in self._multipliers if m.currency == currency and fits(m)]
            targets += [
                self._target(rule, base, rule.excess)
                for rule in stacked(boosts, self.plan.combine)
                if rule.excess
            ]
        served = sum(1 << n for n, slot in enumerate(self.bonuses) if fits(slot.rule))
        return LinePlan(tuple(targets), served)

    def _target(self, rule: CompiledRule, base: CompiledRule, share: Fraction) -> tuple[int, int]:
        number = self._slot_number[rule.id]
        exact = base.points * share * self.slots[number].denominator / self._per(base)
        return number, int(exact)


def _asks_for_no_line(rule: CompiledRule) -> bool:
    nothing_to_buy = rule.basket_min is not None and rule.basket_min.decimal == 0
    return nothing_to_buy and not rule.category_tests and rule.line_min is None


def stacked(boosts: Iterable[CompiledRule], combine: Mapping[str, str]) -> list[CompiledRule]:
    """Pick the multipliers that count on one line: of each group the first, the best, or all."""
    groups: dict[str, list[CompiledRule]] = {}
    for rule in boosts:
        groups.setdefault(rule.group, []).append(rule)
    chosen: list[CompiledRule] = []
    for group, rules in groups.items():
        if combine[group] == "add_excess":
            chosen += rules
        elif combine[group] == "best_of":
            chosen.append(max(rules, key=lambda rule: rule.excess))
        else:
            chosen.append(rules[0])
    return chosen


class Plan:
    """The rules of one context, and its stages by the number of basket thresholds reached."""

    def __init__(self, context: Context, book: "PlanBook") -> None:
        self.terms = book.terms
        self.unit: UnitTerms = book.terms.unit(context.unit)
        if context.currency_code != self.unit.currency_code:
            raise RulesRefusal(
                "CURRENCY_MISMATCH",
                path="currency_code",
                value=context.currency_code,
                known=[self.unit.currency_code],
            )
        self.context = context
        self.combine = book.combine
        self.share_lines = book.share_lines
        self.rules = tuple(
            rule for rule in book.rules if all(test.holds(context) for test in rule.context_tests)
        )
        self.thresholds = tuple(sorted(set(filter(None, map(self.threshold, self.rules)))))
        self.earning: dict[str, bool] = {}
        self._stages: dict[int, Stage] = {}

    def threshold(self, rule: CompiledRule) -> int:
        """Give the eligible basket in minor units from which a rule counts."""
        if rule.basket_min is not None:
            return self.minor(rule.basket_min)
        # A bonus for a sale of which nothing is left would outlive the sale.
        return 1 if rule.kind == "bonus" else 0

    def minor(self, amount: Amount) -> int:
        """Give an amount in the unit's minor units; the publish check sees that it is whole."""
        return int(amount.minor(self.unit.currency_code))

    def earns(self, category: str) -> bool:
        """Say whether a category earns; RulesRefusal UNKNOWN_CATEGORY."""
        known = self.earning.get(category)
        if known is None:
            if len(self.earning) >= _REMEMBERED_MAX:
                self.earning.clear()
            known = self.earning[category] = self.terms.earns(category)
        return known

    def stage(self, passed: int) -> Stage:
        """Give the stage for a basket that has reached `passed` of the thresholds."""
        stage = self._stages.get(passed)
        if stage is None:
            reached = self.thresholds[passed - 1] if passed else 0
            rules = tuple(rule for rule in self.rules if self.threshold(rule) <= reached)
            stage = self._stages[passed] = Stage(self, rules)
        return stage


class PlanBook:
    """The plans of a policy, each made when it is first asked for."""

    def __init__(
        self, terms: Terms, rules: tuple[CompiledRule, ...], combine: Mapping[str, str]
    ) -> None:
        self.terms = terms
        self.rules = rules
        self.combine = combine
        self._touched = touched_categories(terms, rules)
        self._named = frozenset(word for rule in rules for word in rule.words)
        self._by_context: dict[Context, Plan] = {}
        self._plans: dict[tuple[str, str, str, str, str | None], Plan] = {}

    def plan(self, key: tuple[str, str, str, str, str | None]) -> Plan:
        """Give the plan for (unit, currency code, channel, kind, tier); RulesRefusal."""
        plan = self._plans.get(key)
        if plan is None:
            context = self._context(key)
            plan = self._by_context.get(context)
            if plan is None:
                plan = self._by_context[context] = Plan(context, self)
            if len(self._plans) >= _REMEMBERED_MAX:
                self._plans.clear()
            self._plans[key] = plan
        return plan

    def _context(self, key: tuple[str, str, str, str, str | None]) -> Context:
        """Forget words no rule asks for: channels are the callers' own, and there is no end."""
        unit, code, channel, kind, tier = key
        channel, kind = channel.lower(), kind.lower()
        return Context(
            unit=unit,
            currency_code=code,
            channel=channel if channel in self._named else "",
            kind=kind if kind in self._named else "",
            tier=tier if tier in self._named else None,
        )

    def share_lines(self, base: CompiledRule, multiplier: CompiledRule) -> bool:
        """Say whether a line could earn by both rules, as far as currency and category go."""
        touched = self._touched[base.id] & self._touched[multiplier.id]
        return base.currency == multiplier.currency and touched != 0
