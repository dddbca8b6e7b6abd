"""Why a rule gave nothing: its first condition that was false, or the rule that beat it."""

from functools import partial

from rules.asking import asker
from rules.atoms import LINE_ATOMS, Atom, BasketFrom, Bought, Predicate
from rules.conditions import Node, conjuncts, first_false
from rules.earning import CompiledRule
from rules.evaluation import Evaluated
from rules.facts import LineFacts
from rules.lines import answer_of_line, fits
from rules.tally import Trace
from rules.terms import UnitTerms

_Line = tuple[LineFacts, int]


def _of_line(line: _Line, unit: UnitTerms, atom: Atom) -> bool | None:
    return answer_of_line(atom, *line, unit)


class Blame:
    """Explains one evaluation."""

    def __init__(self, done: Evaluated, trace: Trace) -> None:
        self._done = done
        self._plan = done.plan
        lines = ((line, eligible) for line, eligible, _ in trace)
        self._lines = [one for one in lines if done.plan.earns(one[0].category)]
        self._left = {part.rule.id: part.lines for part in done.stage.rules}

    def of(self, rule: CompiledRule) -> str:
        """Say why a rule without a row has none."""
        if rule.id in self._left:
            return self._of_lines(rule, self._left[rule.id])
        path = first_false(rule.condition, self._answer)
        if path is not None:
            return path
        # Its lines alone decide between alternatives, and none was left to be asked.
        return "when"

    def _answer(self, atom: Atom) -> bool | None:
        """Answer a question to the document; a rule that the plan dropped has no bits for its."""
        known = self._plan.answer_of_document(self._done.held, atom)
        if known is not None or isinstance(atom, LINE_ATOMS):
            return known
        asking = self._done.asking
        if isinstance(atom, Predicate):
            return atom.text in asking.predicates
        if isinstance(atom, Bought | BasketFrom):
            return asking.basket >= self._plan.minor(atom)
        return asker(atom, self._plan.expressions)(asking)

    def _of_lines(self, rule: CompiledRule, asked: Node | None) -> str:
        points = rule.kind in ("base", "multiplier")
        left = [(line, eligible) for line, eligible in self._lines if points or eligible > 0]
        if not left:
            return "no eligible line"
        unit = self._plan.unit
        for part in conjuncts(asked) if asked else ():
            passing = [one for one in left if fits(part, *one, unit)]
            if not passing:
                return first_false(part, partial(_of_line, left[0], unit)) or "when"
            left = passing
        if rule.kind == "base":
            return self._beaten_base(rule, left)
        if rule.kind == "multiplier":
            return self._beaten_multiplier(rule, left)
        return "it comes to no whole point"

    def _beaten_base(self, rule: CompiledRule, lines: list[_Line]) -> str:
        taken = (self._done.stage.base_of(rule.currency, *one) for one in lines)
        names = dict.fromkeys(base.id for base in taken if base is not None)
        return f"base rule {next(iter(names))!r} comes first"

    def _beaten_multiplier(self, rule: CompiledRule, lines: list[_Line]) -> str:
        stage = self._done.stage
        raised = [one for one in lines if stage.base_of(rule.currency, *one) is not None]
        if not raised:
            return "no base points to raise"
        for line in raised:
            stack = stage.groups.stack(stage.multipliers_of(rule.currency, *line))
            if rule.id in stack.beaten:
                return stack.beaten[rule.id]
        return "a factor of 1 adds nothing" if rule.factor == 1 else "no base points to raise"
