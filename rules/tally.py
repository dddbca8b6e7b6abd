"""Adding up, over the lines, what each rule of a stage gives; and rounding it to whole points."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import lcm
from typing import NamedTuple

from rules.asking import Asking
from rules.facts import MILLIONTHS, DocumentFacts, LineFacts
from rules.lines import signed_quantity
from rules.money import MINOR_DIGITS
from rules.plan import Plan
from rules.refusal import RulesRefusal
from rules.rounding import round_signed
from rules.stage import Cell, LineKey, LinePlan, Scale, Slot, Stage, Targets

Trace = list[tuple[LineFacts, int, LinePlan]]
"""Per line: its eligible minor units and what its plan did with them."""


Exact = tuple[int, int]
"""Numerator and denominator."""


class Scaling(NamedTuple):
    """What a document multiplies the amounts of each scale with, over one `denominator`.

    `missing` are the scales that want a rate which the document does not state.
    """

    factors: tuple[int, ...]
    denominator: int
    missing: frozenset[int]


_UNSCALED = Scaling((1,), 1, frozenset())


@dataclass(slots=True)
class Tally:
    """The sums of an evaluation before rounding.

    `sums` are integers by cell, over the slot's denominator and that of `scaling`; `rounded` are
    points by slot, where lines are rounded one by one. `bonuses` is one bit for each that is given
    once; `counts` says how often, in millionths, the others are. `nights` are the multipliers that
    fit some line of each base rule per night.
    """

    stage: Stage
    sums: list[int]
    bonuses: int
    scaling: Scaling = _UNSCALED
    rounded: dict[int, int] = field(default_factory=dict)
    counts: dict[int, int] = field(default_factory=dict)
    nights: dict[int, int] = field(default_factory=dict)


def tally(plan: Plan, stage: Stage, asking: Asking, trace: Trace | None = None) -> Tally:
    """Add up what the lines of a document give."""
    if not stage.simple or trace is not None:
        return _at_length(plan, stage, asking, trace)
    sums = [0] * len(stage.cells)
    bonuses = stage.unasked
    plans = stage.lines
    by_category = stage.by_category
    for line, eligible in zip(asking.document.lines, asking.eligible, strict=True):
        key: LineKey = line.category if by_category else stage.line_key(line, eligible)
        line_plan = plans.get(key) or stage.line_plan(
            key, line, eligible, earns=plan.earns(line.category)
        )
        for number, coefficient in line_plan.targets:
            sums[number] += eligible * coefficient
        if eligible > 0:
            bonuses |= line_plan.bonuses
    return Tally(stage, sums, bonuses)


def _at_length(plan: Plan, stage: Stage, asking: Asking, trace: Trace | None) -> Tally:
    """Go the long way: shares of payment, rates, quantities, nights, and rounding by line."""
    bonuses = stage.unasked
    nights: dict[int, int] = {}
    lines: Trace = []
    for line, eligible in zip(asking.document.lines, asking.eligible, strict=True):
        key = stage.line_key(line, eligible)
        line_plan = stage.lines.get(key) or stage.line_plan(
            key, line, eligible, earns=plan.earns(line.category)
        )
        lines.append((line, eligible, line_plan))
        if eligible > 0:
            bonuses |= line_plan.bonuses
            for base, multipliers in line_plan.nightly:
                nights[base] = nights.get(base, 0) | multipliers
    nightly = [stage.nights(base, raised) for base, raised in nights.items()]
    # Not before every plan is made: a plan may be the first to ask for a cell, or for a scale.
    found = Tally(stage, [0] * len(stage.cells), bonuses, scaling(stage, asking.document))
    found.nights = nights
    add = _add_rounded if stage.rounds_by_line else _add
    for line, eligible, line_plan in lines:
        add(found, line_plan.targets, eligible)
        if line_plan.quantities:
            add(found, line_plan.quantities, signed_quantity(line, eligible))
        for number in line_plan.counted if eligible > 0 else ():
            unit = stage.bonuses[number].rule.per_what == "unit"
            times = signed_quantity(line, eligible) if unit else MILLIONTHS
            found.counts[number] = found.counts.get(number, 0) + times
    for targets in nightly:
        add(found, targets, asking.document.nights)
    _scale_sums(found)
    if trace is not None:
        trace += lines
    return found


def _add(found: Tally, targets: Targets, amount: int) -> None:
    sums = found.sums
    for number, coefficient in targets:
        sums[number] += amount * coefficient


def _add_rounded(found: Tally, targets: Targets, amount: int) -> None:
    stage, scaling = found.stage, found.scaling
    for number, coefficient in targets:
        cell = stage.cells[number]
        slot = stage.slots[cell.slot]
        exact = amount * coefficient
        if slot.rounding_at != "line":
            found.sums[number] += exact
        elif exact:
            # Only here is a line scaled by itself: the others are, when they are added up.
            points = _rounded(stage, cell, exact * _factor(stage, scaling, cell), scaling)
            found.rounded[cell.slot] = found.rounded.get(cell.slot, 0) + points


def _rounded(stage: Stage, cell: Cell, exact: int, scaling: Scaling) -> int:
    slot, base = stage.slots[cell.slot], stage.slots[cell.base]
    denominator = slot.denominator * scaling.denominator * base.step
    points = round_signed(base.rounder, exact, denominator) * base.step
    if cell.share is None:
        return points
    return round_signed(slot.rounder, points * cell.share.numerator, cell.share.denominator)


def _factor(stage: Stage, scaling: Scaling, cell: Cell) -> int:
    """Give what a cell's amounts are multiplied with; RulesRefusal when its rate is missing."""
    if cell.scale in scaling.missing:
        code = stage.scales[cell.scale].code or ""
        raise RulesRefusal("RATE_MISSING", path="document.exchange_rates", value=code)
    return scaling.factors[cell.scale]


def _scale_sums(found: Tally) -> None:
    stage, scaling = found.stage, found.scaling
    if len(stage.scales) > 1:
        for number, cell in enumerate(stage.cells):
            if found.sums[number]:
                found.sums[number] *= _factor(stage, scaling, cell)


def scaling(stage: Stage, document: DocumentFacts) -> Scaling:
    """Work out what a document multiplies each scale with; the rates are those it states."""
    if len(stage.scales) == 1:
        return _UNSCALED
    exact = [_scale(scale, stage, document) for scale in stage.scales]
    denominator = lcm(*(below for _, below in exact))
    return Scaling(
        tuple(above * (denominator // below) for above, below in exact),
        denominator,
        frozenset(number for number, (above, _) in enumerate(exact) if above < 0),
    )


def _scale(scale: Scale, stage: Stage, document: DocumentFacts) -> Exact:
    """Give a scale as a fraction; one below zero wants a rate that the document does not state."""
    above, below = (1, 1) if scale.paid is None else paid_share(scale.paid, document)
    if scale.code is None:
        return above, below
    rate = next((rate for code, rate in document.rates if code == scale.code), None)
    if rate is None or rate <= 0:
        return -1, 1
    digits = MINOR_DIGITS[scale.code] - MINOR_DIGITS[stage.unit.currency_code]
    found = Fraction(above, below) * Fraction(10) ** digits / rate
    return found.numerator, found.denominator


def paid_share(kinds: frozenset[str], document: DocumentFacts) -> Exact:
    """Give the part of a document that was paid with these kinds of payment, at most all of it."""
    whole = part = 0
    for kind, minor in document.payments:
        whole += minor
        if kind in kinds:
            part += minor
    return (min(max(0, part), whole), whole) if whole > 0 else (0, 1)


def exact_points(found: Tally) -> list[Exact]:
    """Give each slot's points before its own rounding; they may be below zero."""
    stage, scale = found.stage, found.scaling.denominator
    plain = [0] * len(stage.slots)
    shared: dict[int, Fraction] = {}
    for cell, total in zip(stage.cells, found.sums, strict=True):
        slot = stage.slots[cell.slot]
        if cell.share is None:
            plain[cell.slot] += total
        elif total > 0:
            base = stage.slots[cell.base]
            points = base.rounder(total, slot.denominator * scale * base.step) * base.step
            shared[cell.slot] = shared.get(cell.slot, Fraction(0)) + points * cell.share
    exact: list[Exact] = []
    for number, slot in enumerate(stage.slots):
        numerator, denominator = plain[number], slot.denominator * scale
        if number in found.rounded:
            numerator = found.rounded[number] * denominator
        if number in shared:
            whole = Fraction(numerator, denominator) + shared[number]
            numerator, denominator = whole.numerator, whole.denominator
        exact.append((numerator, denominator))
    return exact


def wanted_points(found: Tally) -> list[int]:
    """Round each slot's sum to whole points; a sum below zero takes nothing from other rules."""
    slots = found.stage.slots
    if found.stage.floors_by_rule:
        return [
            total // slot.denominator if total > 0 else 0
            for slot, total in zip(slots, found.sums, strict=True)
        ]
    return rounded_points(slots, exact_points(found))


def rounded_points(slots: Sequence[Slot], exact_points: Sequence[Exact]) -> list[int]:
    """Round each slot's exact points as its currency says."""
    running: dict[str, tuple[int, int, int]] = {}
    wanted: list[int] = []
    for slot, (numerator, denominator) in zip(slots, exact_points, strict=True):
        if numerator <= 0:
            wanted.append(0)
            continue
        if slot.rounding_at != "transaction":
            wanted.append(slot.rounder(numerator, denominator * slot.step) * slot.step)
            continue
        # Rounding the running total makes the rounded parts add up to the rounded sum.
        before, over, given = running.get(slot.currency, (0, denominator, 0))
        common = lcm(over, denominator)
        total = before * (common // over) + numerator * (common // denominator)
        rounded = slot.rounder(total, common)
        running[slot.currency] = (total, common, rounded)
        wanted.append(rounded - given)
    return wanted


def bonus_points(found: Tally) -> list[tuple[Slot, int]]:
    """Give the bonuses with their points, in the order of evaluation."""
    given: list[tuple[Slot, int]] = []
    for number, slot in enumerate(found.stage.bonuses):
        if found.bonuses >> number & 1:
            given.append((slot, slot.rule.points))
        elif number in found.counts:
            times = found.counts[number] * slot.rule.points
            points = slot.rounder(times, MILLIONTHS)
            if points:
                given.append((slot, points))
    return given
