"""Stages: the rules that take part in a document, and what they make of each kind of line.

Everything that does not depend on amounts is worked out once, as integer coefficients. What is left
for a document is to multiply, add and round.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from math import lcm, prod
from typing import NamedTuple

from rules.atoms import LineFrom, LineWord, QuantityFrom
from rules.capping import CapTerms
from rules.conditions import Node, atoms
from rules.earning import CompiledRule
from rules.facts import MILLIONTHS, LineFacts, millionths
from rules.lines import fits
from rules.lot_terms import ExpiryRule
from rules.rounding import ROUNDERS, Rounder
from rules.stacking import Boost, Groups
from rules.terms import Terms, UnitTerms

REMEMBERED_MAX = 4096


class Common(NamedTuple):
    """What the stages of a policy have in common."""

    terms: Terms
    groups: Groups
    share_lines: Callable[[CompiledRule, CompiledRule], bool]
    """Whether a line could earn by a base rule and a multiplier, as far as categories go."""


class TakingPart(NamedTuple):
    """A rule that takes part, and what of its condition is left to ask of each line."""

    rule: CompiledRule
    lines: Node | None


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """Where a rule's points add up: a sum of integers over `denominator`.

    `lot_terms` numbers the pair of expiry and pending days in the stage, so that a document
    computes each pair's instants once. Points come in multiples of `step`.
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
    step: int
    lot_terms: int
    campaign: str
    caps: tuple[CapTerms, ...]


class Scale(NamedTuple):
    """What a document multiplies a base rule's amounts with: the share that was paid so, a rate."""

    paid: frozenset[str] | None
    code: str | None


PLAIN = Scale(None, None)


class Cell(NamedTuple):
    """One of a slot's sums.

    With `share`, it is of the points of the slot `base`, rounded as those are before they are
    shared.
    """

    slot: int
    scale: int
    share: Fraction | None
    base: int


Targets = tuple[tuple[int, int], ...]
"""(cell, coefficient)."""
LineKey = str | tuple[str, int] | tuple[str, str, str, int, int]
"""What tells lines apart: the category, and what else some rule asks for."""


@dataclass(frozen=True, slots=True, eq=False)
class LinePlan:
    """What a line gives: (cell, coefficient of its minor units), and bonuses it serves.

    `quantities` are (cell, coefficient of its millionths). `nightly` are the numbers of base rules
    per night that it lets earn, with the set of multipliers that fit it. `counted` are the bonuses
    per line and per unit that it serves.
    """

    targets: Targets
    bonuses: int
    quantities: Targets = ()
    nightly: tuple[tuple[int, int], ...] = ()
    counted: tuple[int, ...] = ()


NOTHING = LinePlan((), 0)


class Stage:
    """The rules that take part once the document's conditions are known."""

    def __init__(self, common: Common, unit: UnitTerms, rules: tuple[TakingPart, ...]) -> None:
        self.terms = common.terms
        self.groups = common.groups
        self._share_lines = common.share_lines
        self.unit = unit
        self.rules = rules
        self._left = {part.rule.id: part.lines for part in rules}
        self.bases = [part.rule for part in rules if part.rule.kind == "base"]
        self.multipliers = [part.rule for part in rules if part.rule.kind == "multiplier"]
        self.grants = tuple(part for part in rules if part.rule.kind == "grant")
        self.scales = [PLAIN]
        self.lot_terms: list[tuple[ExpiryRule | None, int]] = []
        dens = self._denominators()
        earned = (*self.bases, *self.multipliers)
        self.slots = tuple(self._slot(rule, dens[rule.id]) for rule in earned)
        bonuses = [part for part in rules if part.rule.kind == "bonus"]
        self.bonuses = tuple(self._slot(part.rule, 1) for part in bonuses)
        self._numbers = {slot.rule_id: number for number, slot in enumerate(self.slots)}
        self.cells = [Cell(number, 0, None, number) for number in range(len(self.slots))]
        self._cell_numbers = {cell: number for number, cell in enumerate(self.cells)}
        # What no line is asked for is given as soon as the rule takes part.
        self.unasked = self._unasked(bonuses)
        self._per_line = [
            n for n, part in enumerate(bonuses) if part.rule.per_what != "transaction"
        ]
        self._served = [
            n
            for n, part in enumerate(bonuses)
            if part.rule.per_what == "transaction" and part.lines is not None
        ]
        self._learn_words()
        self.lines: dict[LineKey, LinePlan] = {}
        self._nights: dict[tuple[int, int], Targets] = {}
        self._decide_path()

    def _unasked(self, bonuses: Sequence[TakingPart]) -> int:
        return sum(
            1 << number
            for number, part in enumerate(bonuses)
            if part.lines is None and part.rule.per_what == "transaction"
        )

    def _learn_words(self) -> None:
        """Find out what tells lines apart here, so that equal lines share a plan."""
        asked = {atom for part in self.rules if part.lines for atom in atoms(part.lines)}
        code = self.unit.currency_code
        self.line_thresholds = sorted(
            {int(atom.amount.minor(code)) for atom in asked if isinstance(atom, LineFrom)}
        )
        self.quantities = sorted({a.quantity for a in asked if isinstance(a, QuantityFrom)})
        self._millionths = [millionths(quantity) for quantity in self.quantities]
        words = [atom for atom in asked if isinstance(atom, LineWord)]
        self.brands = frozenset(w for a in words if a.field == "brand" for w in a.values)
        self.skus = frozenset(w for a in words if a.field == "sku" for w in a.values)
        self.by_category = not (self.line_thresholds or self.quantities or words)
        self._by_threshold = not (self.quantities or words)

    def _decide_path(self) -> None:
        """Find out which short cuts an evaluation may take."""
        scaled = any(rule.paid is not None or self._foreign(rule) for rule in self.bases)
        self.rounds_by_line = any(slot.rounding_at == "line" for slot in self.slots)
        measured = any(rule.per is None for rule in self.bases)
        rounded = any(rule.on_rounded for rule in self.multipliers)
        self.simple = not (scaled or self.rounds_by_line or measured or rounded or self._per_line)
        self.floors_by_rule = self.simple and all(
            slot.rounding_at == "rule" and slot.rounder is ROUNDERS["floor"] and slot.step == 1
            for slot in self.slots
        )
        self.capped = any(slot.caps for slot in (*self.slots, *self.bonuses))

    # --- exact numbers ------------------------------------------------------------------

    def _foreign(self, base: CompiledRule) -> str | None:
        """Name the money a rule counts in where it is not the unit's."""
        code = base.per.currency_code if base.per else None
        return None if code == self.unit.currency_code else code

    def points_per(self, base: CompiledRule) -> Fraction:
        """Give a base rule's points per minor unit, per millionth of quantity, or per night."""
        if base.per is not None:
            # An amount in another money is counted in its own minor units; the rate comes later.
            return base.points / base.per.minor(self._foreign(base) or self.unit.currency_code)
        if base.per_quantity is not None:
            return base.points / (base.per_quantity * MILLIONTHS)
        return Fraction(base.points, base.per_nights or 1)

    def _denominators(self) -> dict[str, int]:
        """Choose each slot's denominator so that every coefficient is a whole number."""
        dens = {base.id: self.points_per(base).denominator for base in self.bases}
        common = {
            currency: lcm(*(dens[base.id] for base in self.bases if base.currency == currency))
            for currency in {rule.currency for rule in self.multipliers}
        }
        for rule in self.multipliers:
            dens[rule.id] = common[rule.currency] * self._share_denominator(rule)
        for name, currency in self.terms.currencies.items():
            if currency.rounding_at == "transaction":
                # The running total of a document's rules needs one denominator for them all.
                ours = [r.id for r in (*self.bases, *self.multipliers) if r.currency == name]
                dens.update(dict.fromkeys(ours, lcm(*(dens[rule] for rule in ours))))
        return dens

    def _share_denominator(self, rule: CompiledRule) -> int:
        """Give a denominator of every share that a multiplier's group may leave it."""
        group = self.groups[rule.group]
        limit = 1 if group.max_factor is None else group.max_factor.denominator
        if group.combine in ("first", "best_of"):
            return lcm(rule.factor.denominator, limit)
        ours = (
            other.factor.denominator
            for other in self.multipliers
            if other.group == rule.group and other.currency == rule.currency
        )
        return lcm(prod(ours) if group.combine == "product" else lcm(*ours), limit)

    # --- slots --------------------------------------------------------------------------

    def _slot(self, rule: CompiledRule, denominator: int) -> Slot:
        currency = self.terms.currencies[rule.currency]
        mode, at = currency.rounding_mode, currency.rounding_at
        if rule.whole:
            # What is not whole is not earned, so that there is nothing to carry to other rules.
            mode, at = "floor", "line" if at == "line" else "rule"
        return Slot(
            rule=rule,
            rule_id=rule.id,
            currency=currency.id,
            funder=rule.funder or self.unit.funder,
            qualifying=currency.qualifying,
            denominator=denominator,
            rounder=ROUNDERS[mode],
            rounding_mode=mode,
            rounding_at=at,
            step=rule.points if rule.whole else 1,
            lot_terms=self._lot_terms(rule),
            campaign=rule.campaign,
            caps=rule.caps,
        )

    def _lot_terms(self, rule: CompiledRule) -> int:
        """Number the rule's own terms, or its base rule's, or its currency's."""
        sources = [rule]
        if rule.kind == "multiplier":
            # Boosting points that are pending with points that are not would let the boost be
            # spent first; the publish check sees to it that all base rules agree.
            shared = (base for base in self.bases if self._share_lines(base, rule))
            sources += islice(shared, 1)
        currency = self.terms.currencies[rule.currency]
        expiry = next((s.expiry for s in sources if s.expiry is not None), currency.expiry)
        pending = next(
            (s.pending_days for s in sources if s.pending_days is not None), currency.pending_days
        )
        pair = (None if expiry is None else self.terms.expiries[expiry], pending)
        if pair not in self.lot_terms:
            self.lot_terms.append(pair)
        return self.lot_terms.index(pair)

    # --- lines --------------------------------------------------------------------------

    def line_key(self, line: LineFacts, eligible: int) -> LineKey:
        """Say what of a line decides which plan it has."""
        if self.by_category:
            return line.category
        passed = bisect_right(self.line_thresholds, eligible)
        if self._by_threshold:
            return line.category, passed
        return (
            line.category,
            line.brand if line.brand in self.brands else "",
            line.sku if line.sku in self.skus else "",
            passed,
            bisect_right(self._millionths, millionths(line.quantity)) if self._millionths else 0,
        )

    def line_plan(self, key: LineKey, line: LineFacts, eligible: int, *, earns: bool) -> LinePlan:
        """Work out the plan of a line and of all that are like it, and remember it."""
        if len(self.lines) >= REMEMBERED_MAX:
            self.lines.clear()
        found = self._line_plan(line, eligible) if earns else NOTHING
        self.lines[key] = found
        return found

    def fits(self, rule: CompiledRule, line: LineFacts, eligible: int) -> bool:
        """Say whether a line passes what the rule asks of lines."""
        return fits(self._left[rule.id], line, eligible, self.unit)

    def base_of(self, currency: str, line: LineFacts, eligible: int) -> CompiledRule | None:
        """Find the base rule that a line earns a currency by."""
        ours = (base for base in self.bases if base.currency == currency)
        return next((base for base in ours if self.fits(base, line, eligible)), None)

    def multipliers_of(self, currency: str, line: LineFacts, eligible: int) -> list[CompiledRule]:
        """Find the multipliers of a currency that fit a line, in the order of evaluation."""
        ours = (rule for rule in self.multipliers if rule.currency == currency)
        return [rule for rule in ours if self.fits(rule, line, eligible)]

    def _line_plan(self, line: LineFacts, eligible: int) -> LinePlan:
        targets: list[tuple[int, int]] = []
        quantities: list[tuple[int, int]] = []
        nightly: list[tuple[int, int]] = []
        for currency in self.terms.currencies:
            base = self.base_of(currency, line, eligible)
            if base is None:
                continue
            raised = self.multipliers_of(currency, line, eligible)
            if base.per_nights is not None:
                nightly.append((self._numbers[base.id], self._set_of(raised)))
                continue
            into = quantities if base.per is None else targets
            into += self._targets(base, self.groups.stack(raised).boosts)
        served = sum(
            1 << n for n in self._served if self.fits(self.bonuses[n].rule, line, eligible)
        )
        counted = (n for n in self._per_line if self.fits(self.bonuses[n].rule, line, eligible))
        return LinePlan(tuple(targets), served, tuple(quantities), tuple(nightly), tuple(counted))

    def _set_of(self, multipliers: list[CompiledRule]) -> int:
        return sum(1 << self._numbers[rule.id] for rule in multipliers)

    def nights(self, base_number: int, multipliers: int) -> Targets:
        """Give what each night of the stay is worth, raised by a set of multipliers."""
        known = self._nights.get((base_number, multipliers))
        if known is None:
            raised = [m for m in self.multipliers if multipliers >> self._numbers[m.id] & 1]
            boosts = self.groups.stack(raised).boosts
            targets = self._targets(self.slots[base_number].rule, boosts)
            known = self._nights[base_number, multipliers] = tuple(targets)
        return known

    def _targets(self, base: CompiledRule, boosts: Sequence[Boost]) -> Iterator[tuple[int, int]]:
        each = self.points_per(base)
        scale = self._scale(base)
        yield self._target(self._cell(base, scale), each)
        for rule, share in boosts:
            if rule.on_rounded:
                yield self._target(self._cell(rule, scale, share, base), each)
            else:
                yield self._target(self._cell(rule, scale), each * share)

    def _target(self, cell: int, exact: Fraction) -> tuple[int, int]:
        return cell, int(exact * self.slots[self.cells[cell].slot].denominator)

    def _scale(self, base: CompiledRule) -> int:
        scale = Scale(base.paid, self._foreign(base))
        if scale not in self.scales:
            self.scales.append(scale)
        return self.scales.index(scale)

    def _cell(
        self,
        rule: CompiledRule,
        scale: int,
        share: Fraction | None = None,
        base: CompiledRule | None = None,
    ) -> int:
        cell = Cell(self._numbers[rule.id], scale, share, self._numbers[(base or rule).id])
        number = self._cell_numbers.get(cell)
        if number is None:
            number = self._cell_numbers[cell] = len(self.cells)
            self.cells.append(cell)
        return number
