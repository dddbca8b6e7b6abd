"""Checks of what the earn rules amount to: those that can never fire, or contradict."""

from collections.abc import Iterable, Iterator
from itertools import combinations

from rules.checking.asked import (
    WORDS_OF,
    Asked,
    Bits,
    Reader,
    Within,
    asks_for_activity,
    can_meet,
    keys_said,
)
from rules.checking.impossible import contradictions
from rules.checking.subject import Findings, Subject
from rules.model import BaseRule, BonusRule, EarnRule, MultiplierRule, PointsRule, When
from rules.refusal import Finding

_OF_LINES = frozenset(
    {"category", "category_not", "brand", "brand_not", "sku", "sku_not", "line_min", "quantity_min"}
)
_OF_PURCHASES = frozenset({"kind", "payment", "nights_min", "basket_min", "first_purchase"})


def rule_findings(subject: Subject) -> Findings:
    """Find rules that never fire, and multipliers that would not know their lots' terms."""
    return _Reach(subject).findings()


class _Reach:
    """The rules with the documents and lines that each of them can be for."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._reader = Reader(subject)
        self._asked = {rule.id: self._reader.rule(rule) for rule in subject.model.earn}
        self._bases: dict[str, list[BaseRule]] = {}
        for rule in subject.points_rules:
            if isinstance(rule, BaseRule):
                self._bases.setdefault(rule.currency, []).append(rule)
        self._differing: dict[tuple[str, str], list[Bits]] = {}

    def findings(self) -> Findings:
        beaten = self._beaten()
        for rule in self._subject.model.earn:
            why = self._never(rule)
            if why:
                yield self._warn(rule, f"can never fire: {why}")
            elif rule.id in beaten:
                yield self._warn(rule, f"can never fire: {beaten[rule.id]}")
            elif isinstance(rule, MultiplierRule):
                yield from self._multiplier(rule)
            asks_payment = any(when.payment for when in self._subject.whens(rule))
            if isinstance(rule, BaseRule) and rule.paid_share and not asks_payment:
                message = "needs 'when.payment': on the share paid in which way?"
                yield self._subject.error((*self._subject.rule_place(rule), "paid_share"), message)

    def _warn(self, rule: EarnRule, message: str) -> Finding:
        return self._subject.warning(self._subject.rule_place(rule), message)

    def _never(self, rule: EarnRule) -> str:
        """Say why no line of any document passes a rule's conditions; "" when one may."""
        for key, bits in self._asked[rule.id].items():
            if not bits:
                return f"no {WORDS_OF[key]} passes its conditions"
        whens = self._subject.whens(rule)
        if any(map(asks_for_activity, whens)):
            why = _never_of_activity(rule, whens)
            if why:
                return why
        return contradictions(whens)

    def _beaten(self) -> dict[str, str]:
        """Find rules that another keeps out wherever they fit, and say which."""
        found: dict[str, str] = {}
        for bases in self._bases.values():
            for rule, other in self._covered(bases):
                found[rule.id] = f"{other.id!r} comes first on every line"
        combine = {group.id: group.combine for group in self._subject.model.groups}
        groups: dict[tuple[str, str], list[MultiplierRule]] = {}
        for rule in self._subject.points_rules:
            if isinstance(rule, MultiplierRule):
                groups.setdefault((rule.group, rule.currency), []).append(rule)
        for (group, _), boosts in groups.items():
            if combine[group] == "first":
                for rule, other in self._covered(boosts):
                    found[rule.id] = f"{other.id!r} comes first in group {group!r} on every line"
            elif combine[group] == "best_of":
                strongest = sorted(boosts, key=lambda boost: -boost.factor)
                for rule, other in self._covered(strongest):
                    found[rule.id] = f"{other.id!r} gives as much or more wherever it fits"
        return found

    def _covered(self, rules: Iterable[PointsRule]) -> Iterator[tuple[PointsRule, PointsRule]]:
        """Find the rules all of whose lines an earlier one takes, and that one."""
        wide: list[tuple[Within, PointsRule]] = []
        for rule in rules:
            asked = self._asked[rule.id]
            other = next((one for others, one in wide if others.holds(asked)), None)
            if other is not None:
                yield rule, other
            elif self._reader.exact(rule) and all(asked.values()):
                # What a covered rule would take, the one that covers it takes before.
                wide.append((Within(asked, self._reader.whole), rule))

    def _multiplier(self, rule: MultiplierRule) -> Findings:
        if rule.factor == 1:
            yield self._warn(rule, "a factor of 1 adds nothing")
        asked = self._asked[rule.id]
        raised = [
            number
            for number, base in enumerate(self._bases.get(rule.currency, ()))
            if can_meet(self._asked[base.id], asked)
        ]
        if not raised:
            yield self._warn(rule, f"can never fire: no base rule gives {rule.currency!r} there")
        for key, own in (("expiry", rule.expiry), ("pending_days", rule.pending_days)):
            if own is None:
                yield from self._disagreement(rule, raised, key)

    def _disagreement(self, rule: MultiplierRule, raised: list[int], key: str) -> Findings:
        """Find two base rules of one unit from which the multiplier would inherit two terms."""
        if not raised:
            return
        bases, differing = self._bases[rule.currency], self._pairs(rule.currency, key)
        all_raised = sum(1 << number for number in raised)
        for number in raised:
            others = differing[number] & all_raised
            if others:
                first, second = bases[number], bases[(others & -others).bit_length() - 1]
                message = (
                    f"raises {first.id!r} and {second.id!r}, which differ in {key!r}: "
                    f"say its own {key!r}"
                )
                yield self._subject.error(self._subject.rule_place(rule), message)
                return

    def _pairs(self, currency: str, key: str) -> list[Bits]:
        """Find for each base rule the later ones that it meets and whose terms are others."""
        known = self._differing.get((currency, key))
        if known is None:
            bases = self._bases[currency]
            default = getattr(self._subject.currencies[currency], key)
            stated = [getattr(base, key) for base in bases]
            values = [default if value is None else value for value in stated]
            asked = [_document_level(self._asked[base.id]) for base in bases]
            known = self._differing[currency, key] = [0] * len(bases)
            for one, other in combinations(range(len(bases)), 2):
                if values[one] != values[other] and can_meet(asked[one], asked[other]):
                    known[one] |= 1 << other
        return known


def _document_level(asked: Asked) -> Asked:
    """Forget what is asked of lines: two lines of one document may differ in it."""
    return {key: bits for key, bits in asked.items() if key not in ("category", "brand", "sku")}


def _never_of_activity(rule: EarnRule, whens: tuple[When, ...]) -> str:
    """Say why a rule that asks for an activity cannot fire: activities are no purchases."""
    if isinstance(rule, BaseRule | MultiplierRule):
        return "an activity has no lines that a base rule or a multiplier could count"
    if isinstance(rule, BonusRule) and rule.per != "transaction":
        return f"an activity has no lines, so there is nothing to give 'per: {rule.per}'"
    asked = frozenset[str]().union(*map(keys_said, whens))
    if asked & _OF_LINES:
        return f"an activity has no lines, which {min(asked & _OF_LINES)!r} asks"
    of_purchases = asked & _OF_PURCHASES
    if any(when.basket_min is not None and when.basket_min.decimal == 0 for when in whens):
        of_purchases -= {"basket_min"}
    return f"{min(of_purchases)!r} asks for a purchase, not an activity" if of_purchases else ""
