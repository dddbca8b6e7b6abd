"""Why an award is what it is, derived again by the evaluation itself and never stored."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from rules.award import Benefit, CapUse, CounterNumber
from rules.blame import Blame
from rules.earning import CompiledRule
from rules.evaluation import Outcome, earns_nothing, evaluated, pins_for
from rules.facts import DocumentFacts, LineFacts, MemberFacts, Pins
from rules.lines import signed_quantity
from rules.policy import Policy
from rules.room import FREE, Room
from rules.splitting import Earned, Split, is_split, split_evaluated
from rules.stage import Slot
from rules.tally import Trace, exact_points
from rules.values import Title


@dataclass(frozen=True, slots=True)
class LineShare:
    """What a line gave to a rule: its eligible minor units, and the exact points of them.

    The nights of a stay belong to no line: `line_id` is empty then. `tier` is the one at which that
    part earned, where a document is split between tiers; a line at the threshold stands there for
    each.
    """

    line_id: str
    eligible_minor: int
    exact: Fraction
    tier: str = ""


@dataclass(frozen=True, slots=True)
class ExplainedRule:
    """A rule that took part. `rounding` says how and where `exact` became `wanted`.

    `cut_by` is the cap or budget that made `granted` less. A rule that grants a `benefit` gives no
    points.
    """

    rule: str
    kind: str
    currency: str
    lines: tuple[LineShare, ...]
    exact: Fraction
    rounding: str
    wanted: int
    granted: int
    cut_by: str = ""
    campaign: str = ""
    title: Title = ""
    benefit: str = ""


@dataclass(frozen=True, slots=True)
class SkippedRule:
    """A rule that took no part, and the first condition of it that was false, or who beat it."""

    rule: str
    condition: str
    title: Title = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Every rule of the policy, either among `rows` or among `skipped`, in policy order.

    `held_out` are the campaigns that the member gets nothing from. `uses` are the purses that were
    asked, `numbers` those that the document has in counters.
    """

    pins: Pins
    rows: tuple[ExplainedRule, ...]
    skipped: tuple[SkippedRule, ...]
    held_out: tuple[str, ...] = ()
    uses: tuple[CapUse, ...] = ()
    numbers: tuple[CounterNumber, ...] = ()
    benefits: tuple[Benefit, ...] = ()


def explain(
    policy: Policy,
    document: DocumentFacts,
    member: MemberFacts,
    pins: Pins | None = None,
    room: Room = FREE,
) -> Explanation:
    """Explain what `evaluate` answers to the same arguments; refuses as it does."""
    pins = pins_for(policy, document, member, pins)
    nothing = earns_nothing(document, pins)
    if nothing:
        rules = policy.plans.rules
        return Explanation(pins, (), tuple(SkippedRule(r.id, nothing, r.title) for r in rules))
    if is_split(pins):
        split = split_evaluated(policy, document, pins, room)
    else:
        split = _in_one(policy, document, pins, room)
    award = split.award
    rows = {row.rule: row for row in (*_rows(split), *_benefit_rows(split))}
    blame = _Blames(split)
    skipped = tuple(
        SkippedRule(rule.id, blame.of(rule), rule.title)
        for rule in policy.plans.rules
        if rule.id not in rows
    )
    out = (text.removeprefix("holdout:") for text in pins.predicates if text.startswith("holdout:"))
    return Explanation(
        pins,
        tuple(rows[rule.id] for rule in policy.plans.rules if rule.id in rows),
        skipped,
        tuple(out),
        award.uses,
        award.numbers,
        award.benefits,
    )


def _in_one(policy: Policy, document: DocumentFacts, pins: Pins, room: Room) -> Split:
    """Evaluate a document at its one tier, as a split with a single part."""
    trace: Trace = []
    done = evaluated(policy, document, pins, room, trace)
    part = Earned("", done, done.asking, done.found, trace)
    return Split((part,), trace, done.outcomes, done.award)


class _Blames:
    """Finds the part of a document that tells why a rule gave nothing."""

    def __init__(self, split: Split) -> None:
        self._first = Blame(split.parts[0].whole, split.trace)
        self._parts = [
            ({one.rule.id for one in part.whole.stage.rules}, Blame(part.whole, part.trace))
            for part in reversed(split.parts)
        ]

    def of(self, rule: CompiledRule) -> str:
        """Ask the tier before for what it alone decides, else the newest tier with that rule."""
        if rule.kind not in ("base", "multiplier"):
            return self._first.of(rule)
        asked = (blame for taking_part, blame in self._parts if rule.id in taking_part)
        return next(asked, self._parts[0][1]).of(rule)


class _Sum:
    """What the parts of a document gave to one rule."""

    def __init__(self, slot: Slot) -> None:
        self.slot = slot
        self.lines: list[LineShare] = []
        self.exact = Fraction(0)


def _rows(split: Split) -> Iterator[ExplainedRule]:
    outcomes = {outcome.slot.rule_id: outcome for outcome in split.outcomes}
    sums: dict[str, _Sum] = {}
    for part in split.parts:
        exact = exact_points(part.found)
        for number, lines in _shares(part).items():
            slot = part.whole.stage.slots[number]
            found = sums.setdefault(slot.rule_id, _Sum(slot))
            found.lines += lines
            found.exact += Fraction(*exact[number])
    for rule_id, found in sums.items():
        rounding = _rounding(found.slot)
        yield _row(found.slot, tuple(found.lines), found.exact, rounding, outcomes.get(rule_id))
    first = split.parts[0].whole
    for number, slot in enumerate(first.stage.bonuses):
        outcome = outcomes.get(slot.rule_id)
        if outcome is not None:
            times = Fraction(first.found.counts.get(number, 10**6), 10**6)
            points = slot.rule.points * times
            rounding = "none" if points.denominator == 1 else f"{slot.rounding_mode} at rule"
            yield _row(slot, (), points, rounding, outcome)


def _rounding(slot: Slot) -> str:
    base = ", of rounded base points" if slot.rule.on_rounded else ""
    mode = "whole" if slot.rule.whole else slot.rounding_mode
    return f"{mode} at {slot.rounding_at}{base}"


def _row(
    slot: Slot,
    lines: tuple[LineShare, ...],
    exact: Fraction,
    rounding: str,
    outcome: Outcome | None,
) -> ExplainedRule:
    return ExplainedRule(
        rule=slot.rule_id,
        kind=slot.rule.kind,
        currency=slot.currency,
        lines=lines,
        exact=exact,
        rounding=rounding,
        wanted=outcome.wanted if outcome else 0,
        granted=outcome.granted if outcome else 0,
        cut_by=outcome.cut_by if outcome else "",
        campaign=slot.campaign,
        title=slot.rule.title,
    )


def _benefit_rows(split: Split) -> Iterator[ExplainedRule]:
    titles = {part.rule.id: part.rule.title for part in split.parts[0].whole.stage.grants}
    for one in split.award.benefits:
        yield ExplainedRule(
            rule=one.rule,
            kind="grant",
            currency="",
            lines=(),
            exact=Fraction(0),
            rounding="none",
            wanted=0,
            granted=0,
            campaign=one.campaign,
            title=titles[one.rule],
            benefit=one.benefit,
        )


def _shares(part: Earned) -> dict[int, list[LineShare]]:
    """Give what each line of a part gave to each slot."""
    found: dict[int, list[LineShare]] = {}

    def add(line: LineFacts | None, eligible: int, cell: int, amount: int) -> None:
        slot, exact = _exact(part, cell, amount)
        name = line.line_id if line else ""
        found.setdefault(slot, []).append(LineShare(name, eligible, exact, part.tier))

    for line, eligible, line_plan in part.trace:
        for cell, coefficient in line_plan.targets:
            add(line, eligible, cell, eligible * coefficient)
        for cell, coefficient in line_plan.quantities:
            add(line, eligible, cell, signed_quantity(line, eligible) * coefficient)
    for base, multipliers in part.found.nights.items():
        for cell, coefficient in part.whole.stage.nights(base, multipliers):
            add(None, 0, cell, part.asking.document.nights * coefficient)
    return found


def _exact(part: Earned, number: int, amount: int) -> tuple[int, Fraction]:
    stage, scaling = part.whole.stage, part.found.scaling
    cell = stage.cells[number]
    denominator = stage.slots[cell.slot].denominator * scaling.denominator
    exact = Fraction(amount * scaling.factors[cell.scale], denominator)
    return cell.slot, exact if cell.share is None else exact * cell.share
