"""Adding up, over many documents of one stage, what each of its rules gives.

The coefficients are the stage's own line plans, so a line means here what it means in
`rules.tally`. Left to the row engine are stages whose base rules scale amounts by a document's
payments or rates, and documents whose amounts could pass what an int64 holds.
"""

from collections.abc import Iterator
from fractions import Fraction
from math import lcm
from typing import NamedTuple

import numpy as np

from rules.facts import MILLIONTHS, LineFacts, millionths
from rules.plan import Plan
from rules.sets.arrays import (
    EXACT_MAX,
    ROUNDINGS,
    Bounds,
    Flags,
    Ints,
    classes,
    combined,
    none,
    round_signed,
    signatures,
)
from rules.sets.chunk import Chunk
from rules.stage import Cell, LinePlan, Slot, Stage, Targets

_SIZE_MAX = 2**50
"""A line of more is not added up here: the sums of sizes must fit too."""


class Wish(NamedTuple):
    """What a slot wants for some documents; `position` is its place in the order of evaluation."""

    slot: Slot
    position: int
    documents: Ints
    points: Ints


class Block:
    """The documents of one stage, with their lines side by side."""

    def __init__(self, chunk: Chunk, plan: Plan, stage: Stage, documents: Ints) -> None:
        self.chunk = chunk
        self.plan = plan
        self.stage = stage
        self.documents = documents
        self.nights = chunk.nights[documents]
        self.bounds = Bounds(chunk.lines.bounds.counts[documents])
        self.lines = chunk.lines.bounds.lines_of(documents)
        self.eligible = chunk.eligible[self.lines]
        size = np.abs(chunk.lines.quantity[self.lines])
        self.quantity = np.sign(self.eligible) * size
        self._classify()

    def _classify(self) -> None:
        """Give lines that are alike one plan."""
        stage, lines = self.stage, self.chunk.lines
        columns = [lines.category.codes[self.lines]]
        if not stage.by_category:
            columns.append(np.searchsorted(stage.line_thresholds, self.eligible, side="right"))
            least = [-millionths(-one) for one in stage.quantities]
            columns.append(np.searchsorted(least, lines.quantity[self.lines], side="right"))
            if stage.brands:
                columns.append(lines.words("brand").codes[self.lines])
            if stage.skus:
                columns.append(lines.words("sku").codes[self.lines])
        first, self.kind = classes(combined(columns, len(self.lines)))
        self.plans = [self._plan_of(int(self.lines[place])) for place in first]

    def _plan_of(self, number: int) -> LinePlan:
        lines, eligible = self.chunk.lines, int(self.chunk.eligible[number])
        category = lines.category.texts[int(lines.category.codes[number])]
        line = LineFacts(
            "",
            category,
            Fraction(int(lines.quantity[number]), MILLIONTHS),
            int(lines.net[number]),
            brand=self._word("brand", number) if self.stage.brands else "",
            sku=self._word("sku", number) if self.stage.skus else "",
        )
        key = self.stage.line_key(line, eligible)
        known = self.stage.lines.get(key)
        if known is None:
            earns = self.plan.earns(category)
            known = self.stage.line_plan(key, line, eligible, earns=earns)
        return known

    def _word(self, name: str, number: int) -> str:
        column = self.chunk.lines.words(name)
        return column.texts[int(column.codes[number])]

    def having(self, flags: list[bool]) -> Flags:
        """Say which documents have a line above zero of certain kinds."""
        return self.bounds.any(np.array(flags, dtype=np.bool_)[self.kind] & (self.eligible > 0))


def is_for_sets(stage: Stage) -> bool:
    """Say whether no base rule scales amounts by what a document says besides."""
    money = (None, stage.unit.currency_code)
    return all(
        base.paid is None and (base.per is None or base.per.currency_code in money)
        for base in stage.bases
    )


class StageTally:
    """Tallies a block. `outsized` are its documents that only exact integers without end can do."""

    def __init__(self, block: Block) -> None:
        self._block = block
        self._stage = block.stage
        self._nightly = list(self._nights())
        self._sums: dict[int, Ints] = {}
        """By cell: exact numerators over the slot's denominator, or points rounded by line."""
        self._by_slot: dict[int, list[tuple[Cell, Ints]]] = {}
        self.outsized = self._outsized()
        self._fits = ~self.outsized if self.outsized.any() else None

    def wishes(self) -> Iterator[Wish]:
        """Give what each slot wants, in the order of evaluation."""
        for by_kind, values in self._measures():
            for cell, coefficients in by_kind.items():
                each = values * coefficients[self._block.kind]
                self._gather(cell, self._block.bounds.total(self._line_rounded(cell, each)))
        for rows, targets in self._nightly:
            for cell, coefficient in targets:
                points = np.zeros(len(self._block.documents), dtype=np.int64)
                points[rows] = self._line_rounded(cell, self._block.nights[rows] * coefficient)
                self._gather(cell, points)
        yield from self._earned()
        yield from self._bonuses()

    # --- sums ---------------------------------------------------------------------------

    def _measures(self) -> Iterator[tuple[dict[int, Ints], Ints]]:
        """Give what lines are measured by, with the coefficients of each kind of line by cell."""
        plans = self._block.plans
        yield _by_cell([plan.targets for plan in plans]), self._block.eligible
        if any(plan.quantities for plan in plans):
            yield _by_cell([plan.quantities for plan in plans]), self._block.quantity

    def _gather(self, cell: int, amounts: Ints) -> None:
        known = self._sums.get(cell)
        self._sums[cell] = amounts if known is None else known + amounts

    def _line_rounded(self, number: int, exact: Ints) -> Ints:
        cell = self._stage.cells[number]
        slot = self._stage.slots[cell.slot]
        if slot.rounding_at != "line":
            return exact
        base = self._stage.slots[cell.base]
        rounded = ROUNDINGS[base.rounding_mode]
        points = round_signed(rounded, exact, slot.denominator * base.step) * base.step
        if cell.share is None:
            return points
        rounding = ROUNDINGS[slot.rounding_mode]
        return round_signed(rounding, points * cell.share.numerator, cell.share.denominator)

    def _nights(self) -> Iterator[tuple[Ints, Targets]]:
        """Give which documents earn what by the night."""
        block, plans = self._block, self._block.plans
        for base in sorted({base for plan in plans for base, _ in plan.nightly}):
            raised = [dict(plan.nightly).get(base) for plan in plans]
            earns = block.having([one is not None for one in raised])
            every = 0
            for one in raised:
                every |= one or 0
            bits = [1 << n for n in range(every.bit_length()) if every >> n & 1]
            held = [block.having([bool((one or 0) & bit) for one in raised]) for bit in bits]
            first, kind = signatures([earns, *held], len(block.documents))
            for number, row in enumerate(first.tolist()):
                if earns[row]:
                    fit = sum(bit for bit, flags in zip(bits, held, strict=True) if flags[row])
                    yield np.flatnonzero(kind == number), self._stage.nights(base, fit)

    # --- how large it may become --------------------------------------------------------

    def _outsized(self) -> Flags:
        """Find the documents of which some number might not fit."""
        block, stage, plans = self._block, self._stage, self._block.plans
        bonus = max((slot.rule.points for slot in stage.bonuses), default=0)
        counts = bonus if any(plan.counted for plan in plans) else 0
        measures = (
            (_most(one for plan in plans for one in plan.targets), block.eligible),
            (max(counts, _most(one for plan in plans for one in plan.quantities)), block.quantity),
        )
        # Three kinds of amounts may meet in one sum: each is allowed a third of what fits.
        room = EXACT_MAX // (3 * self._factor())
        nightly = _most(one for _, targets in self._nightly for one in targets)
        largest = max((slot.denominator * slot.step for slot in stage.slots), default=1)
        if max(largest, nightly, *(most for most, _ in measures), counts * MILLIONTHS) >= room:
            return ~none(len(block.documents))
        outsized = block.nights > room // max(1, nightly)
        for most, values in measures:
            # A bonus for each line counts a line as one.
            sizes = block.bounds.total(np.minimum(np.abs(values) + MILLIONTHS, _SIZE_MAX))
            outsized |= sizes > min(_SIZE_MAX - 1, room // max(1, most))
        return outsized

    def _factor(self) -> int:
        """Bound what rounding multiplies a sum with."""
        stage = self._stage
        dens = [slot.denominator for slot in stage.slots]
        shares = [cell.share for cell in stage.cells if cell.share is not None]
        factor = 2 * (len(stage.slots) + 1)
        if shares:
            largest = max(share.numerator for share in shares)
            factor *= lcm(*dens, *(share.denominator for share in shares)) * largest
        return factor

    # --- whole points -------------------------------------------------------------------

    def _earned(self) -> Iterator[Wish]:
        running: dict[str, tuple[Ints, Ints]] = {}
        for n in sorted(self._sums):
            cell = self._stage.cells[n]
            self._by_slot.setdefault(cell.slot, []).append((cell, self._sums[n]))
        for number, slot in enumerate(self._stage.slots):
            exact = self._exact(number, slot)
            if exact is None:
                continue
            numerator, denominator = exact
            if slot.rounding_at == "line":
                points = np.maximum(numerator, 0)
            elif slot.rounding_at == "rule":
                rounding = ROUNDINGS[slot.rounding_mode]
                points = rounding(np.maximum(numerator, 0), denominator * slot.step) * slot.step
            else:
                before, given = running.get(slot.currency, (np.int64(0), np.int64(0)))
                total = before + np.maximum(numerator, 0)
                rounded = ROUNDINGS[slot.rounding_mode](total, denominator)
                running[slot.currency] = (total, rounded)
                points = rounded - given
            yield from self._wish(slot, number, points)

    def _exact(self, number: int, slot: Slot) -> tuple[Ints, int] | None:
        """Add up a slot's cells over one denominator; None when no line reaches it."""
        mine = self._by_slot.get(number)
        if not mine:
            return None
        if len(mine) == 1 and mine[0][0].share is None and slot.rounding_at != "transaction":
            return mine[0][1], slot.denominator
        denominator = self._denominator(slot)
        total = np.zeros(len(self._block.documents), dtype=np.int64)
        for cell, exact in mine:
            if slot.rounding_at == "line":
                total += exact
            elif cell.share is None:
                total += exact * (denominator // slot.denominator)
            else:
                base = self._stage.slots[cell.base]
                rounding = ROUNDINGS[base.rounding_mode]
                divisor = slot.denominator * base.step
                points = rounding(np.maximum(exact, 0), divisor) * base.step
                total += points * int(cell.share * denominator)
        return total, denominator

    def _denominator(self, slot: Slot) -> int:
        """Give the slot's, or one for all shares; a running total needs the same for its rules."""
        stage = self._stage
        slots = [slot]
        if slot.rounding_at == "transaction":
            slots = [other for other in stage.slots if other.currency == slot.currency]
        shares = [
            cell.share.denominator
            for cell in stage.cells
            if cell.share is not None and stage.slots[cell.slot] in slots
        ]
        return lcm(*(one.denominator for one in slots), *shares)

    def _bonuses(self) -> Iterator[Wish]:
        block, stage = self._block, self._stage
        for number, slot in enumerate(stage.bonuses):
            position = len(stage.slots) + number
            if slot.rule.per_what != "transaction":
                counted = np.array([number in plan.counted for plan in block.plans], dtype=np.bool_)
                fits = counted[block.kind] & (block.eligible > 0)
                each = block.quantity if slot.rule.per_what == "unit" else np.int64(MILLIONTHS)
                times = block.bounds.total(np.where(fits, each, 0))
                rounding = ROUNDINGS[slot.rounding_mode]
                points = rounding(times * slot.rule.points, MILLIONTHS)
            else:
                given = block.having([bool(plan.bonuses >> number & 1) for plan in block.plans])
                if stage.unasked >> number & 1:
                    given = ~none(len(block.documents))
                points = given * np.int64(slot.rule.points)
            yield from self._wish(slot, position, points)

    def _wish(self, slot: Slot, position: int, points: Ints) -> Iterator[Wish]:
        wanted = points != 0
        rows = np.flatnonzero(wanted if self._fits is None else wanted & self._fits)
        if len(rows):
            yield Wish(slot, position, self._block.documents[rows], points[rows])


def _by_cell(plan_targets: list[Targets]) -> dict[int, Ints]:
    found: dict[int, Ints] = {}
    for kind, targets in enumerate(plan_targets):
        for cell, coefficient in targets:
            if cell not in found:
                found[cell] = np.zeros(len(plan_targets), dtype=np.int64)
            found[cell][kind] += coefficient
    return found


def _most(targets: Iterator[tuple[int, int]]) -> int:
    """Give the largest sum of coefficients that any amount might be multiplied with."""
    return max((abs(coefficient) for _, coefficient in targets), default=0)
