"""Publish checks of what the earn rules amount to: those that can never fire, or contradict.

Rules are compared in pairs, so what a rule asks for is held as sets of bits: a pair costs a few
operations on whole numbers, however many units, words and categories the two rules name.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

from rules.earning import compile_rules
from rules.loading import PolicyDocument
from rules.model import EarnRule, MultiplierRule, PolicyModel, When
from rules.refusal import Finding
from rules.terms import compile_terms
from rules.touching import Bits, touched_categories

_ANY: Bits = -1
"""The set of everything, those included that have no number yet."""


def rule_findings(document: PolicyDocument, model: PolicyModel) -> Iterator[Finding]:
    """Find rules that never fire, and multipliers that would not know their lots' terms."""
    return _Reach(document, model).findings()


class _Asked(NamedTuple):
    """The documents a rule is for, as sets of bits."""

    units: Bits
    channels: Bits
    kinds: Bits
    tiers: Bits

    def meets(self, other: "_Asked") -> bool:
        """Say whether one document can satisfy both, as far as its unit, channel and kind go."""
        return (
            self.units & other.units != 0
            and self.channels & other.channels != 0
            and self.kinds & other.kinds != 0
            and self.tiers & other.tiers != 0
        )

    def lies_within(self, wide: "_Asked") -> bool:
        """Say whether every document that satisfies this satisfies `wide`."""
        return (
            self.units & wide.units == self.units
            and self.channels & wide.channels == self.channels
            and self.kinds & wide.kinds == self.kinds
            and self.tiers & wide.tiers == self.tiers
        )


class _Numbers:
    """Gives every word its bit."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def bits(self, words: tuple[str, ...]) -> Bits:
        found = 0
        for word in words:
            found |= 1 << self._numbers.setdefault(word, len(self._numbers))
        return found if words else _ANY


class _Reach:
    """The rules with the documents and the categories that each of them can touch."""

    def __init__(self, document: PolicyDocument, model: PolicyModel) -> None:
        self._document = document
        self._model = model
        self._number = {rule.id: number for number, rule in enumerate(model.earn)}
        compiled = compile_rules(model.earn)
        self._touched = touched_categories(compile_terms(model), compiled)
        numbers = _Numbers()
        self._asked = {rule.id: _asked(rule.when, numbers) for rule in model.earn}
        by_id: dict[str, EarnRule] = {rule.id: rule for rule in model.earn}
        self._bases: dict[str, list[EarnRule]] = {entry.id: [] for entry in model.currencies}
        for rule in compiled:
            if rule.kind == "base":
                self._bases[rule.currency].append(by_id[rule.id])
        self._terms = {
            entry.id: {"expiry": entry.expiry, "pending_days": entry.pending_days}
            for entry in model.currencies
        }
        self._differing: dict[tuple[str, str], list[Bits]] = {}

    def findings(self) -> Iterator[Finding]:
        shadowed = self._shadowed()
        for rule in self._model.earn:
            if not self._touched[rule.id]:
                yield self._warn(rule, "can never fire: no earning category passes its conditions")
            elif rule.id in shadowed:
                other = shadowed[rule.id]
                yield self._warn(rule, f"can never fire: {other!r} comes first on every line")
            elif isinstance(rule, MultiplierRule):
                yield from self._multiplier(rule)

    def _warn(self, rule: EarnRule, message: str) -> Finding:
        return self._document.finding(("earn", self._number[rule.id]), message, warning=True)

    def _shadowed(self) -> dict[str, str]:
        """Find the base rules all of whose lines an earlier one takes, and that one's id."""
        found: dict[str, str] = {}
        for bases in self._bases.values():
            wide: list[tuple[Bits, _Asked, str]] = []
            for rule in bases:
                touched, asked = self._touched[rule.id], self._asked[rule.id]
                for others, condition, other in wide:
                    if touched & others == touched and asked.lies_within(condition):
                        found[rule.id] = other
                        break
                else:
                    # What a shadowed rule would take, the one that shadows it takes before.
                    if rule.when.basket_min is None and rule.when.line_min is None:
                        wide.append((touched, asked, rule.id))
        return found

    def _multiplier(self, rule: MultiplierRule) -> Iterator[Finding]:
        if rule.factor == 1:
            yield self._warn(rule, "a factor of 1 adds nothing")
        touched, asked = self._touched[rule.id], self._asked[rule.id]
        raised = [
            number
            for number, base in enumerate(self._bases[rule.currency])
            if self._touched[base.id] & touched and self._asked[base.id].meets(asked)
        ]
        if not raised:
            yield self._warn(rule, f"can never fire: no base rule gives {rule.currency!r} there")
        for key, own in (("expiry", rule.expiry), ("pending_days", rule.pending_days)):
            if own is None:
                yield from self._disagreement(rule, raised, key)

    def _disagreement(self, rule: MultiplierRule, raised: list[int], key: str) -> Iterator[Finding]:
        """Find two base rules of one unit from which the multiplier would inherit two terms."""
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
                yield self._document.finding(("earn", self._number[rule.id]), message)
                return

    def _pairs(self, currency: str, key: str) -> list[Bits]:
        """Find for each base rule the later ones that it meets and whose terms are others."""
        known = self._differing.get((currency, key))
        if known is None:
            bases, default = self._bases[currency], self._terms[currency][key]
            stated = [getattr(base, key) for base in bases]
            values = [default if value is None else value for value in stated]
            asked = [self._asked[base.id] for base in bases]
            known = self._differing[currency, key] = [0] * len(bases)
            for one, other in combinations(range(len(bases)), 2):
                if values[one] != values[other] and asked[one].meets(asked[other]):
                    known[one] |= 1 << other
        return known


def _asked(when: When, numbers: _Numbers) -> _Asked:
    return _Asked(
        numbers.bits(when.business_unit),
        numbers.bits(when.channel),
        numbers.bits(when.kind),
        numbers.bits(when.tier),
    )
