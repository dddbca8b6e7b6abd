"""One document at two tiers: a part of what it can earn at the tier before, the rest at the new.

The order that reaches a tier may be divided at the threshold. Where, is pinned as predicates
"split:<minor units>:<tier>": up to so much of the basket earns at that tier, the rest at the pinned
one, so that every later version of the document is divided in the same place.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from rules.asking import Asking
from rules.award import Award, Grant
from rules.capping import Purses
from rules.evaluation import (
    Evaluated,
    Outcome,
    check_points,
    evaluated,
    grants_of,
    plan_of,
    programme_day,
)
from rules.facts import DocumentFacts, LineFacts, Pins
from rules.lines import eligible_minor
from rules.policy import Policy
from rules.room import Room
from rules.stage import Slot
from rules.tally import (
    Exact,
    Tally,
    Trace,
    bonus_points,
    exact_points,
    rounded_points,
    tally,
)

SPLIT = "split:"


class Stretch(NamedTuple):
    """The part of the basket up to `until` minor units, None for all of it, and its tier."""

    until: int | None
    tier: str | None


class _Part(NamedTuple):
    """A line as far as it lies in a stretch."""

    line: LineFacts
    eligible: int


class Earned(NamedTuple):
    """What earned at one tier: the whole document as that tier has it, and the stretch's tally.

    `asking` and `trace` are of the stretch's own lines.
    """

    tier: str
    whole: Evaluated
    asking: Asking
    found: Tally
    trace: Trace


class Split(NamedTuple):
    """A divided evaluation with all that led to its award. `trace` is the first tier's, of all."""

    parts: tuple[Earned, ...]
    trace: Trace
    outcomes: list[Outcome]
    award: Award


def is_split(pins: Pins) -> bool:
    """Say whether the pins divide their document."""
    return any(text.startswith(SPLIT) for text in pins.predicates)


def split_text(until: int, tier: str) -> str:
    """Write a stretch as it is pinned."""
    return f"{SPLIT}{until}:{tier}"


def stretches_of(pins: Pins) -> tuple[Stretch, ...]:
    """Read the stretches of a document, the lowest tier first."""
    pinned = [text.split(":", 2) for text in pins.predicates if text.startswith(SPLIT)]
    below = sorted((int(until), tier) for _, until, tier in pinned)
    return (*(Stretch(until, tier) for until, tier in below), Stretch(None, pins.tier))


def split_award(policy: Policy, document: DocumentFacts, pins: Pins, room: Room) -> Award:
    """Award a divided document.

    Conditions look at the whole document, under each tier in turn. Base rules and multipliers add
    up what each part gives and round it once; bonuses, nights, counters and benefits are those of
    the tier before. Discount lines belong to the last part, a line at the threshold to both.
    """
    return split_evaluated(policy, document, pins, room, explained=False).award


def split_evaluated(
    policy: Policy, document: DocumentFacts, pins: Pins, room: Room, *, explained: bool = True
) -> Split:
    """Evaluate a divided document, and keep what led to the award."""
    stretches = stretches_of(pins)
    traces: list[Trace] = [[] for _ in stretches]
    wholes = [
        evaluated(policy, document, pins._replace(tier=tier), room, trace if explained else None)
        for (_, tier), trace in zip(stretches, traces, strict=True)
    ]
    first = wholes[0]
    dealt = _divided(first, stretches)
    parts = tuple(
        _earned(whole, lines, tier or "", with_nights=whole is first, explained=explained)
        for (_, tier), whole, lines in zip(stretches, wholes, dealt, strict=True)
    )
    wants = _wants(policy, parts)
    wants += [(slot, first, points) for slot, points in bonus_points(first.found)]
    purses = Purses(room, programme_day(policy, document))
    outcomes: list[Outcome] = []
    grants: list[Grant] = []
    for slot, part, points in wants:
        check_points(points)
        outcomes.append(Outcome(slot, points, *purses.take(points, slot.caps)))
        grants += grants_of(policy, document, pins, part.stage, outcomes[-1:])
    given = first.award
    award = Award(pins, tuple(grants), purses.uses(), given.numbers, given.metrics, given.benefits)
    return Split(parts, traces[0], outcomes, award)


def _earned(
    whole: Evaluated, lines: list[_Part], tier: str, *, with_nights: bool, explained: bool
) -> Earned:
    """Add up what a stretch gives."""
    trace: Trace = []
    asking = _asking(whole.asking, lines, with_nights=with_nights)
    found = tally(whole.plan, whole.stage, asking, trace if explained else None)
    return Earned(tier, whole, asking, found, trace)


def _wants(policy: Policy, parts: tuple[Earned, ...]) -> list[tuple[Slot, Evaluated, int]]:
    """Add up what each rule gives to all parts, and round it."""
    exact: dict[str, tuple[Slot, Evaluated, Exact]] = {}
    for part in parts:
        slots = part.whole.stage.slots
        for slot, points in zip(slots, exact_points(part.found), strict=True):
            known = exact.get(slot.rule_id)
            if known is None:
                exact[slot.rule_id] = (slot, part.whole, points)
            else:
                exact[slot.rule_id] = (known[0], known[1], _sum(known[2], points))
    places = {rule.id: place for place, rule in enumerate(policy.plans.rules)}
    due = sorted(exact.values(), key=lambda each: _place(each[0], places))
    wanted = rounded_points([slot for slot, _, _ in due], [points for _, _, points in due])
    return [
        (slot, part, points) for (slot, part, _), points in zip(due, wanted, strict=True) if points
    ]


def _place(slot: Slot, places: Mapping[str, int]) -> tuple[bool, int]:
    """Order as every evaluation does: base rules, then multipliers, each as the policy has them."""
    return slot.rule.kind != "base", places[slot.rule_id]


def basket_of(policy: Policy, document: DocumentFacts, pins: Pins) -> int:
    """Give the minor units of a document that can earn."""
    plan = plan_of(policy, document, pins)
    return sum(
        eligible_minor(line, plan.unit) for line in document.lines if plan.earns(line.category)
    )


def _sum(left: Exact, right: Exact) -> Exact:
    whole = Fraction(*left) + Fraction(*right)
    return whole.numerator, whole.denominator


def _divided(whole: Evaluated, stretches: tuple[Stretch, ...]) -> list[list[_Part]]:
    """Deal the lines out to the stretches, in the document's order."""
    dealt: list[list[_Part]] = [[] for _ in stretches]
    passed, plan = 0, whole.plan
    for line, eligible in zip(whole.asking.document.lines, whole.asking.eligible, strict=True):
        if eligible <= 0:
            dealt[-1].append(_Part(line, eligible))
            continue
        counts = eligible if plan.earns(line.category) else 0
        left = eligible
        for number, stretch in enumerate(stretches):
            takes = left if stretch.until is None else min(left, max(0, stretch.until - passed))
            if not counts and stretch.until is not None:
                takes = 0
            if takes:
                share = line.quantity * Fraction(takes, eligible)
                dealt[number].append(_Part(line._replace(quantity=share), takes))
                left -= takes
                passed += takes if counts else 0
    return dealt


def _asking(whole: Asking, parts: list[_Part], *, with_nights: bool) -> Asking:
    """Put the same questions to a part: its lines, and the whole document's answers."""
    document = whole.document._replace(lines=tuple(part.line for part in parts))
    if not with_nights:
        document = document._replace(nights=0)
    asking = Asking(document, whole.predicates, [part.eligible for part in parts])
    asking.basket, asking.numbers = whole.basket, whole.numbers
    asking.wall, asking.programme_wall = whole.wall, whole.programme_wall
    return asking
