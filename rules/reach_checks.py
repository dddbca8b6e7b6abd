"""Publish checks of what the earn rules amount to: those that can never fire, or contradict."""

from collections.abc import Iterator
from itertools import combinations

from rules.earning import compile_rules
from rules.loading import PolicyDocument
from rules.model import BaseRule, EarnRule, MultiplierRule, PolicyModel, When
from rules.plan import touched_categories
from rules.refusal import Finding
from rules.terms import compile_terms


def rule_findings(document: PolicyDocument, model: PolicyModel) -> Iterator[Finding]:
    """Find rules that never fire, and multipliers that would not know their lots' terms."""
    return _Reach(document, model).findings()


class _Reach:
    """The rules with the categories that each of them can touch."""

    def __init__(self, document: PolicyDocument, model: PolicyModel) -> None:
        self._document = document
        self._model = model
        self._number = {rule.id: number for number, rule in enumerate(model.earn)}
        self._by_id: dict[str, EarnRule] = {rule.id: rule for rule in model.earn}
        compiled = compile_rules(model.earn)
        self._touched = touched_categories(compile_terms(model), compiled)
        self._bases = [self._by_id[rule.id] for rule in compiled if rule.kind == "base"]

    def findings(self) -> Iterator[Finding]:
        for rule in self._model.earn:
            if not self._touched[rule.id]:
                yield self._warn(rule, "can never fire: no earning category passes its conditions")
            elif isinstance(rule, BaseRule):
                yield from self._shadowed(rule)
            elif isinstance(rule, MultiplierRule):
                yield from self._multiplier(rule)

    def _warn(self, rule: EarnRule, message: str) -> Finding:
        return self._document.finding(("earn", self._number[rule.id]), message, warning=True)

    def _shadowed(self, rule: BaseRule) -> Iterator[Finding]:
        """Find a base rule all of whose lines an earlier one takes."""
        for other in self._bases:
            if other.id == rule.id:
                return
            if (
                other.currency == rule.currency
                and _covers(other.when, rule.when)
                and self._touched[rule.id] <= self._touched[other.id]
            ):
                yield self._warn(rule, f"can never fire: {other.id!r} comes first on every line")
                return

    def _multiplier(self, rule: MultiplierRule) -> Iterator[Finding]:
        if rule.factor == 1:
            yield self._warn(rule, "a factor of 1 adds nothing")
        bases = [
            base
            for base in self._bases
            if base.currency == rule.currency
            and _meet(base.when, rule.when)
            and self._touched[base.id] & self._touched[rule.id]
        ]
        if not bases:
            yield self._warn(rule, f"can never fire: no base rule gives {rule.currency!r} there")
        terms = self._model_terms(rule.currency)
        for key, own, default in (
            ("expiry", rule.expiry, terms[0]),
            ("pending_days", rule.pending_days, terms[1]),
        ):
            if own is None:
                yield from self._disagreement(rule, bases, key, default)

    def _model_terms(self, currency: str) -> tuple[str | None, int]:
        found = next(entry for entry in self._model.currencies if entry.id == currency)
        return found.expiry, found.pending_days

    def _disagreement(
        self, rule: MultiplierRule, bases: list[EarnRule], key: str, default: object
    ) -> Iterator[Finding]:
        """Find two base rules of one unit from which the multiplier would inherit two terms."""
        by_value: dict[object, list[EarnRule]] = {}
        for base in bases:
            stated = getattr(base, key)
            by_value.setdefault(default if stated is None else stated, []).append(base)
        for first, second in (
            (first, second)
            for one, other in combinations(by_value.values(), 2)
            for first in one
            for second in other
            if _meet(first.when, second.when)
        ):
            message = (
                f"raises {first.id!r} and {second.id!r}, which differ in {key!r}: "
                f"say its own {key!r}"
            )
            yield self._document.finding(("earn", self._number[rule.id]), message)
            return


def _meet(left: When, right: When) -> bool:
    """Say whether one document can satisfy both, as far as its unit, channel and kind go."""
    pairs = (
        (left.business_unit, right.business_unit),
        (left.channel, right.channel),
        (left.kind, right.kind),
        (left.tier, right.tier),
    )
    return all(not one or not other or set(one) & set(other) for one, other in pairs)


def _covers(wide: When, narrow: When) -> bool:
    """Say whether every document that satisfies `narrow` satisfies `wide` (lines aside)."""
    if wide.basket_min is not None or wide.line_min is not None:
        return False
    pairs = (
        (wide.business_unit, narrow.business_unit),
        (wide.channel, narrow.channel),
        (wide.kind, narrow.kind),
        (wide.tier, narrow.tier),
    )
    return all(not one or (other and set(other) <= set(one)) for one, other in pairs)
