"""Refunds by line: what a document keeps of its points when lines of it were given back."""

from collections.abc import Iterable, Mapping

from rules.award import Award, CapUse, Grant
from rules.evaluation import Evaluated, evaluate, evaluated
from rules.facts import NOBODY, DocumentFacts
from rules.lines import eligible_minor
from rules.policy import Policy
from rules.room import RecordedRoom
from rules.tally import Trace
from rules.terms import UnitTerms

_Eligible = Mapping[str, int]
"""Eligible minor units by line id."""


def pro_rata(
    policy: Policy, *, first: DocumentFacts, award: Award, now: DocumentFacts
) -> Award | None:
    """Give what a document keeps of the award of its first final version, line by line.

    Each rule keeps `floor(granted * remaining / original)`: original is what its lines could earn
    in the first final version, remaining what is left of those very lines. A rule's lines are
    those that gave to it; all that earn, for a bonus that asks for no line. So thresholds, caps and
    multipliers are not asked again: a bonus shrinks with its basket and does not fall. Because each
    version is reckoned from the first, three returns of a third take what one return takes.

    Numbers, metrics and benefits are those of what is left. None when something else happened than
    giving back (a new line, or a dearer one): then the document is evaluated anew.
    """
    room = _recorded(award)
    left = evaluate(policy, now, NOBODY, award.pins, room)
    if now.status == "CANCELLED" or not award.grants:
        return left
    unit = policy.terms.unit(first.business_unit)
    before, after = _eligible(first, unit), _eligible(now, unit)
    if not _only_given_back(before, after):
        return None
    trace: Trace = []
    lines = _lines_of_rules(evaluated(policy, first, award.pins, room, trace), trace)
    kept = [_kept(grant, lines[grant.rule], before, after) for grant in award.grants]
    grants = tuple(grant for grant in kept if grant.granted)
    return left._replace(grants=grants, uses=tuple(_uses(policy, award, grants)))


def _recorded(award: Award) -> RecordedRoom:
    return RecordedRoom(
        {use.cap: use.others for use in award.uses},
        {(one.counter.counter, one.counter.period): one.number for one in award.numbers},
    )


def _eligible(document: DocumentFacts, unit: UnitTerms) -> _Eligible:
    return {line.line_id: eligible_minor(line, unit) for line in document.lines}


def _only_given_back(before: _Eligible, after: _Eligible) -> bool:
    """Say whether every line is one of those before, and no further from nothing than it was."""
    return all(
        min(0, before.get(line, 0)) <= eligible <= max(0, before.get(line, 0))
        for line, eligible in after.items()
    )


def _lines_of_rules(done: Evaluated, trace: Trace) -> Mapping[str, list[str]]:
    """Name the lines that gave to each rule."""
    stage = done.stage
    everything = [line.line_id for line, _, _ in trace if done.plan.earns(line.category)]
    found: dict[str, list[str]] = {slot.rule_id: [] for slot in stage.slots}
    for number, slot in enumerate(stage.bonuses):
        found[slot.rule_id] = list(everything) if stage.unasked >> number & 1 else []
    for line, eligible, line_plan in trace:
        rules = {stage.cells[cell].slot for cell, _ in (*line_plan.targets, *line_plan.quantities)}
        for base, multipliers in line_plan.nightly:
            cells = stage.nights(base, multipliers)
            rules |= {stage.cells[cell].slot for cell, _ in cells}
        for number in sorted(rules):
            found[stage.slots[number].rule_id].append(line.line_id)
        if eligible <= 0:
            continue
        for number, slot in enumerate(stage.bonuses):
            if line_plan.bonuses >> number & 1 or number in line_plan.counted:
                found[slot.rule_id].append(line.line_id)
    return found


def _kept(grant: Grant, lines: Iterable[str], before: _Eligible, after: _Eligible) -> Grant:
    ours = set(lines)
    original = sum(before[line] for line in ours)
    remaining = sum(after.get(line, 0) for line in ours)
    if original <= 0 or remaining >= original:
        # What was given for no money, as on an activity, is not given back with money.
        return grant
    share = max(0, remaining)
    return grant._replace(
        wanted=grant.wanted * share // original, granted=grant.granted * share // original
    )


def _uses(policy: Policy, award: Award, grants: Iterable[Grant]) -> Iterable[CapUse]:
    granted = {grant.rule: grant.granted for grant in grants}
    for use in award.uses:
        users = (
            rule.id
            for rule in policy.plans.rules
            if any(cap.name == use.cap.name for cap in rule.caps)
        )
        yield use._replace(points=sum(granted.get(rule, 0) for rule in users))
