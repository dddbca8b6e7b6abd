"""Why an award is what it is, derived again by the evaluation itself and never stored."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from rules.award import Benefit, CapUse, CounterNumber
from rules.blame import Blame
from rules.evaluation import Evaluated, Outcome, earns_nothing, evaluated, pins_for
from rules.facts import DocumentFacts, LineFacts, MemberFacts, Pins
from rules.lines import signed_quantity
from rules.policy import Policy
from rules.room import FREE, Room
from rules.stage import Slot
from rules.tally import Trace, exact_points, wanted_points
from rules.values import Title


@dataclass(frozen=True, slots=True)
class LineShare:
    """What a line gave to a rule: its eligible minor units, and the exact points of them.

    The nights of a stay belong to no line: `line_id` is empty then.
    """

    line_id: str
    eligible_minor: int
    exact: Fraction


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
    trace: Trace = []
    done = evaluated(policy, document, pins, room, trace)
    rows = {row.rule: row for row in (*_rows(done, trace), *_benefit_rows(done))}
    blame = Blame(done, trace)
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
        done.award.uses,
        done.award.numbers,
        done.award.benefits,
    )


def _rows(done: Evaluated, trace: Trace) -> Iterator[ExplainedRule]:
    outcomes = {outcome.slot.rule_id: outcome for outcome in done.outcomes}
    wanted = wanted_points(done.found)
    exact = exact_points(done.found)
    shares = _shares(done, trace)
    for number, slot in enumerate(done.stage.slots):
        if number in shares:
            lines = tuple(shares[number])
            row = Fraction(*exact[number])
            yield _row(slot, lines, row, _rounding(slot), wanted[number], outcomes)
    for number, slot in enumerate(done.stage.bonuses):
        outcome = outcomes.get(slot.rule_id)
        if outcome is not None:
            times = Fraction(done.found.counts.get(number, 10**6), 10**6)
            points = slot.rule.points * times
            rounding = "none" if points.denominator == 1 else f"{slot.rounding_mode} at rule"
            yield _row(slot, (), points, rounding, outcome.wanted, outcomes)


def _rounding(slot: Slot) -> str:
    base = ", of rounded base points" if slot.rule.on_rounded else ""
    return f"{slot.rounding_mode} at {slot.rounding_at}{base}"


def _row(
    slot: Slot,
    lines: tuple[LineShare, ...],
    exact: Fraction,
    rounding: str,
    wanted: int,
    outcomes: dict[str, Outcome],
) -> ExplainedRule:
    outcome = outcomes.get(slot.rule_id)
    return ExplainedRule(
        rule=slot.rule_id,
        kind=slot.rule.kind,
        currency=slot.currency,
        lines=lines,
        exact=exact,
        rounding=rounding,
        wanted=wanted,
        granted=outcome.granted if outcome else 0,
        cut_by=outcome.cut_by if outcome else "",
        campaign=slot.campaign,
        title=slot.rule.title,
    )


def _benefit_rows(done: Evaluated) -> Iterator[ExplainedRule]:
    titles = {part.rule.id: part.rule.title for part in done.stage.grants}
    for one in done.award.benefits:
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


def _shares(done: Evaluated, trace: Trace) -> dict[int, list[LineShare]]:
    """Give what each line gave to each slot."""
    found: dict[int, list[LineShare]] = {}

    def add(line: LineFacts | None, eligible: int, cell: int, amount: int) -> None:
        slot, exact = _exact(done, cell, amount)
        name = line.line_id if line else ""
        found.setdefault(slot, []).append(LineShare(name, eligible, exact))

    for line, eligible, line_plan in trace:
        for cell, coefficient in line_plan.targets:
            add(line, eligible, cell, eligible * coefficient)
        for cell, coefficient in line_plan.quantities:
            add(line, eligible, cell, signed_quantity(line, eligible) * coefficient)
    for base, multipliers in done.found.nights.items():
        for cell, coefficient in done.stage.nights(base, multipliers):
            add(None, 0, cell, done.asking.document.nights * coefficient)
    return found


def _exact(done: Evaluated, number: int, amount: int) -> tuple[int, Fraction]:
    cell, scaling = done.stage.cells[number], done.found.scaling
    denominator = done.stage.slots[cell.slot].denominator * scaling.denominator
    exact = Fraction(amount * scaling.factors[cell.scale], denominator)
    return cell.slot, exact if cell.share is None else exact * cell.share
