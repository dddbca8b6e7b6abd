"""Plans: the rules of one context, and what is left to ask of each document in it.

A context is what many documents have in common (unit, channel, kind, tier …). Its plan folds those
answers into every condition and numbers the questions that are left, each once. The answers of a
document are a set of bits, and the bits name its stage: the rules that take part.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import NamedTuple

from rules.asking import Asking, asker, is_late
from rules.atoms import (
    LINE_ATOMS,
    Among,
    Atom,
    BasketFrom,
    Bought,
    Expression,
    InWindow,
    Predicate,
)
from rules.conditions import All, Node, Not, Test, asks_document, atoms, conjuncts, fold
from rules.counting import CompiledCounter, Metrics, counters_of
from rules.earning import CompiledRule, rules_of
from rules.lines import fits
from rules.model import ACTIVITIES, PolicyModel
from rules.predicates import Predicates
from rules.refusal import RulesRefusal
from rules.stacking import Groups
from rules.stage import REMEMBERED_MAX, Common, Stage, TakingPart
from rules.terms import Terms, UnitTerms
from rules.touching import touched_categories

_ANSWERS_MAX = 4 * REMEMBERED_MAX


class Context(NamedTuple):
    """What many documents have in common, so that a plan made for one serves them all."""

    unit: str
    currency_code: str
    channel: str
    kind: str
    tier: str | None
    store: str
    activity: str


Words = tuple[str, str, str, str, str | None, str, str]
"""A context in a document's own words."""


class Residue(NamedTuple):
    """What of a condition is left to ask in a context.

    Bits of `needed` must be set and bits of `forbidden` must not. `lines` are asked of each line;
    `mixed` hold questions for the document in alternatives, perhaps with some for lines.
    """

    needed: int
    forbidden: int
    lines: tuple[Node, ...]
    mixed: tuple[Node, ...]

    def holds(self, held: int) -> bool:
        """Say whether nothing that is plain already fails."""
        return held & self.needed == self.needed and not held & self.forbidden


class Plan:
    """The rules of one context with what is left to ask, and the stages of its documents."""

    def __init__(self, context: Context, book: "PlanBook") -> None:
        self.context = context
        self.terms = book.terms
        self.unit: UnitTerms = book.terms.unit(context.unit)
        if context.currency_code != self.unit.currency_code:
            raise RulesRefusal(
                "CURRENCY_MISMATCH",
                path="currency_code",
                value=context.currency_code,
                known=[self.unit.currency_code],
            )
        self._common = book.common
        self.expressions = book.predicates.expressions.compiled
        self.bits: dict[Atom, int] = {}
        self.earning: dict[str, bool] = {}
        self.rules = [
            (rule, residue)
            for rule in book.rules
            if (residue := self._residue(rule.condition)) is not None
        ]
        self.counters = [
            (counter, residue)
            for counter in book.counters
            if (residue := self._residue(counter.condition)) is not None
        ]
        self._number_questions()
        expressions = any(isinstance(atom, Expression) for atom in self.bits)
        grants = any(rule.kind == "grant" for rule, _ in self.rules)
        self.needs_time = expressions or any(isinstance(atom, InWindow) for atom in self.bits)
        self.needs_basket = (
            expressions
            or grants
            or book.metrics.asked
            or bool(self.thresholds)
            or bool(self.counters)
        )
        self._by_answers: dict[int, Stage] = {}
        self._stages: dict[tuple[tuple[str, Node | None], ...], Stage] = {}

    def _number_questions(self) -> None:
        """Decide how each question that is left is answered."""
        baskets = {atom: self.minor(atom) for atom in self.bits if isinstance(atom, _BASKETS)}
        self.thresholds = sorted(set(baskets.values()))
        self._reached = [
            sum(self.bits[atom] for atom, least in baskets.items() if least <= threshold)
            for threshold in (-1, *self.thresholds)
        ]
        self.predicates: dict[str, int] = {}
        self.questions: list[tuple[int, Callable[[Asking], bool]]] = []
        self.late: list[tuple[int, Callable[[Asking], bool]]] = []
        for atom, bit in self.bits.items():
            if isinstance(atom, Predicate):
                self.predicates[atom.text] = bit
            elif not isinstance(atom, _BASKETS):
                questions = self.late if is_late(atom, self.expressions) else self.questions
                questions.append((bit, asker(atom, self.expressions)))

    def minor(self, atom: BasketFrom | Bought) -> int:
        """Give the basket in minor units from which a threshold is reached."""
        if isinstance(atom, Bought):
            return 1
        return int(atom.amount.minor(self.unit.currency_code))

    def _residue(self, condition: Node) -> Residue | None:
        """Fold the context in; None when the condition cannot hold in it."""
        left = fold(condition, self.answer)
        if left is False:
            return None
        needed = forbidden = 0
        lines: list[Node] = []
        mixed: list[Node] = []
        for part in conjuncts(All(()) if left is True else left):
            if not asks_document(part):
                lines.append(part)
            elif isinstance(part, Test):
                needed |= self._bit(part.atom)
            elif isinstance(part, Not) and isinstance(part.part, Test):
                forbidden |= self._bit(part.part.atom)
            else:
                for atom in atoms(part):
                    if not isinstance(atom, LINE_ATOMS):
                        self._bit(atom)
                mixed.append(part)
        return Residue(needed, forbidden, tuple(lines), tuple(mixed))

    def _bit(self, atom: Atom) -> int:
        return self.bits.setdefault(atom, 1 << len(self.bits))

    def answer(self, atom: Atom) -> bool | None:
        """Answer what the context alone decides."""
        if isinstance(atom, Among):
            return getattr(self.context, atom.field) in atom.values
        if isinstance(atom, Bought):
            return True if self.context.activity else None
        if isinstance(atom, BasketFrom):
            return True if atom.amount.decimal == 0 else None
        return None

    def answer_of_document(self, held: int, atom: Atom) -> bool | None:
        """Answer what the context or the bits of a document decide; None for lines."""
        known = self.answer(atom)
        bit = self.bits.get(atom)
        return known if known is not None or bit is None else held & bit != 0

    def reached(self, basket: int) -> int:
        """Give the bits of the thresholds that a basket has reached."""
        return self._reached[bisect_right(self.thresholds, basket)]

    def earns(self, category: str) -> bool:
        """Say whether a category earns; RulesRefusal UNKNOWN_CATEGORY."""
        known = self.earning.get(category)
        if known is None:
            if len(self.earning) >= REMEMBERED_MAX:
                self.earning.clear()
            known = self.earning[category] = self.terms.earns(category)
        return known

    def counts(self, residue: Residue, held: int, asking: Asking) -> bool:
        """Say whether a counter counts a document: a line that earns must fit what it asks."""
        left = self.left(residue, held)
        if isinstance(left, bool):
            return left
        return any(
            eligible > 0 and self.earns(line.category) and fits(left, line, eligible, self.unit)
            for line, eligible in zip(asking.document.lines, asking.eligible, strict=True)
        )

    def left(self, residue: Residue, held: int) -> Node | bool:
        """Put a document's answers in: what is left is for its lines."""
        if not residue.holds(held):
            return False
        if not residue.lines and not residue.mixed:
            return True
        known = partial(self.answer_of_document, held)
        return fold(All((*residue.lines, *residue.mixed)), known)

    def stage(self, held: int) -> Stage:
        """Give the stage of a document by its answers."""
        found = self._by_answers.get(held)
        if found is None:
            if len(self._by_answers) >= _ANSWERS_MAX:
                self._by_answers.clear()
            found = self._by_answers[held] = self._stage(held)
        return found

    def _stage(self, held: int) -> Stage:
        """Find the stage of the rules that take part: many sets of answers come to the same."""
        parts: list[TakingPart] = []
        for rule, residue in self.rules:
            left = self.left(residue, held)
            if left is not False:
                parts.append(TakingPart(rule, None if left is True else left))
        key = tuple((part.rule.id, part.lines) for part in parts)
        found = self._stages.get(key)
        if found is None:
            if len(self._stages) >= REMEMBERED_MAX:
                self._stages.clear()
            found = self._stages[key] = Stage(self._common, self.unit, tuple(parts))
        return found


_BASKETS = (BasketFrom, Bought)


class PlanBook:
    """The plans of a policy, each made when it is first asked for."""

    def __init__(self, terms: Terms, model: PolicyModel) -> None:
        self.terms = terms
        self.predicates = Predicates(
            {attribute.id: attribute.type for attribute in model.member_attributes},
            [counter.id for counter in model.counters],
            before_enrolment=model.documents.before_enrolment == "nothing",
        )
        self.rules = rules_of(model, self.predicates)
        self.counters: tuple[CompiledCounter, ...] = counters_of(model, self.predicates)
        self.metrics = Metrics(model.tiers)
        self._touched = touched_categories(terms, self.rules)
        self.common = Common(terms, Groups(model.groups), self._share_lines)
        conditions = [rule.condition for rule in self.rules]
        conditions += [counter.condition for counter in self.counters]
        asked = {atom for node in conditions for atom in atoms(node) if isinstance(atom, Among)}
        self._channels = _words(asked, "channel")
        self._kinds = _words(asked, "kind")
        self._tiers = _words(asked, "tier")
        self.stores = _alike(asked, "store")
        self._activities = frozenset((*ACTIVITIES, *model.activities))
        self.payments = frozenset(model.payments)
        self._by_context: dict[Context, Plan] = {}
        self._plans: dict[Words, Plan] = {}
        units = {unit.currency_code for unit in terms.units.values()}
        codes = {r.per.currency_code for r in self.rules if r.per and r.per.currency_code}
        self.rate_codes = frozenset(code for code in codes if units != {code})

    def plan(self, key: Words) -> Plan:
        """Give the plan for a document's own words; RulesRefusal."""
        plan = self._plans.get(key)
        if plan is None:
            context = self._context(self._known(Context(*key)))
            plan = self._by_context.get(context)
            if plan is None:
                if len(self._by_context) >= REMEMBERED_MAX:
                    self._by_context.clear()
                plan = self._by_context[context] = Plan(context, self)
            if len(self._plans) >= REMEMBERED_MAX:
                self._plans.clear()
            self._plans[key] = plan
        return plan

    def _known(self, key: Context) -> Context:
        """Refuse an activity nobody knows; one has no money, so it takes that of its unit."""
        if not key.activity:
            return key
        if key.activity not in self._activities:
            raise RulesRefusal(
                "UNKNOWN_ACTIVITY", path="activity", value=key.activity, known=self._activities
            )
        return key._replace(currency_code=self.terms.unit(key.unit).currency_code)

    def require_payments(self, payments: Iterable[tuple[str, int]]) -> None:
        """Refuse a kind of payment that the policy does not list, if it lists any."""
        for kind, _ in payments if self.payments else ():
            if kind not in self.payments:
                raise RulesRefusal(
                    "UNKNOWN_PAYMENT", path="payments", value=kind, known=self.payments
                )

    def _context(self, key: Context) -> Context:
        """Forget words no rule asks for: channels are the callers' own, and there is no end."""
        channel, kind = key.channel.lower(), key.kind.lower()
        return key._replace(
            channel=channel if channel in self._channels else "",
            kind=kind if kind in self._kinds else "",
            tier=key.tier if key.tier in self._tiers else None,
            store=self.stores.get(key.store, ""),
        )

    def _share_lines(self, base: CompiledRule, multiplier: CompiledRule) -> bool:
        touched = self._touched[base.id] & self._touched[multiplier.id]
        return base.currency == multiplier.currency and touched != 0


def _alike(asked: Iterable[Among], field: str) -> Mapping[str, str]:
    """Give for every word one that stands in the same lists: a rule may name hundreds of stores."""
    lists = [atom.values for atom in asked if atom.field == field]
    first: dict[tuple[bool, ...], str] = {}
    words = sorted(frozenset[str]().union(*lists))
    return {
        word: first.setdefault(tuple(word in values for values in lists), word) for word in words
    }


def _words(asked: Iterable[Among], field: str) -> frozenset[str]:
    return frozenset(word for atom in asked if atom.field == field for word in atom.values)
