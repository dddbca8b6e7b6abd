"""What a document earns: the one evaluation behind awards, re-checks and explanations."""

from bisect import bisect_right
from dataclasses import dataclass

from rules.award import Award, Grant
from rules.facts import DocumentFacts, Instant, LineFacts, MemberFacts, Pins
from rules.lot_terms import pending_until
from rules.plan import LinePlan, Plan, Slot, Stage
from rules.policy import Policy
from rules.refusal import RulesRefusal
from rules.room import FREE, Room
from rules.rounding import round_signed
from rules.zones import DAY, wall_text

POINTS_MAX = 2**63 - 1


@dataclass(slots=True)
class Tally:
    """The sums of an evaluation, before rounding: one integer per slot, one bit per bonus."""

    stage: Stage
    sums: list[int]
    bonuses: int


Trace = list[tuple[LineFacts, int, LinePlan]]
"""Per line that can earn: its eligible minor units and what its plan did with them."""


def pin(policy: Policy, document: DocumentFacts, member: MemberFacts) -> Pins:
    """Resolve what the award depends on besides the amounts; RulesRefusal for unknown units."""
    at = document.occurred_at
    local = policy.terms.unit(document.business_unit).local
    offset = local.offset(at)
    wall = at + offset
    programme_day = policy.terms.zone.wall(at) // DAY
    tier = policy.terms.lowest_tier if member.tier is None else member.tier
    return Pins(
        policy.digest,
        tier,
        wall_text(local, wall, offset),
        local.day_text(wall // DAY),
        policy.terms.zone.day_text(programme_day)[:4],
        (),
    )


def evaluate(
    policy: Policy,
    document: DocumentFacts,
    member: MemberFacts,
    pins: Pins | None = None,
    room: Room = FREE,
) -> Award:
    """Award points to a document as it stands. Pure: equal arguments give an equal award.

    A cancelled document gets none; a pending one gets what it would get as final. `pins` from an
    earlier award of the same policy evaluate under them: they decide over `member`. RulesRefusal
    for a unit, category or currency the policy does not know.
    """
    if pins is None:
        pins = pin(policy, document, member)
    elif pins.policy_digest != policy.digest:
        raise ValueError(f"pinned policy {pins.policy_digest} is not {policy.digest}")
    if document.status == "CANCELLED":
        return Award(pins, ())
    found = tally(plan_of(policy, document, pins), document)
    return Award(pins, grants_of(policy, document, pins, found))


def plan_of(policy: Policy, document: DocumentFacts, pins: Pins) -> Plan:
    """Find the plan for the document's context."""
    return policy.plans.plan(
        (
            document.business_unit,
            document.currency_code,
            document.channel,
            document.kind,
            pins.tier,
        )
    )


def eligible_minor(line: LineFacts) -> int:
    """Give what of a line can earn: its net amount less what was paid with points."""
    net = line.net_minor
    if line.paid_with_points_minor:
        return max(0, net - line.paid_with_points_minor) if net > 0 else net
    return net


def tally(plan: Plan, document: DocumentFacts, trace: Trace | None = None) -> Tally:
    """Add up, over the lines, what each rule of the plan gives."""
    lines = document.lines
    stage = plan.stage(_thresholds_reached(plan, lines) if plan.thresholds else 0)
    sums = [0] * len(stage.slots)
    bonuses = stage.unasked
    plans = stage.lines
    by_line = stage.rounds_by_line
    for line in lines:
        eligible = eligible_minor(line) if line.paid_with_points_minor else line.net_minor
        key = stage.line_key(line.category, eligible) if stage.line_thresholds else line.category
        line_plan = plans.get(key) or stage.line_plan(key)
        if by_line:
            _add_rounded(sums, stage.slots, line_plan, eligible)
        else:
            for number, coefficient in line_plan.targets:
                sums[number] += eligible * coefficient
        if eligible > 0:
            bonuses |= line_plan.bonuses
        if trace is not None:
            trace.append((line, eligible, line_plan))
    return Tally(stage, sums, bonuses)


def _thresholds_reached(plan: Plan, lines: tuple[LineFacts, ...]) -> int:
    basket = sum(eligible_minor(line) for line in lines if plan.earns(line.category))
    return bisect_right(plan.thresholds, basket)


def _add_rounded(
    sums: list[int], slots: tuple[Slot, ...], line_plan: LinePlan, eligible: int
) -> None:
    for number, coefficient in line_plan.targets:
        slot, exact = slots[number], eligible * coefficient
        if slot.rounding_at == "line":
            exact = round_signed(slot.rounder, exact, slot.denominator) * slot.denominator
        sums[number] += exact


def wanted_points(found: Tally) -> list[int]:
    """Round each slot's sum to whole points; a sum below zero takes nothing from other rules."""
    slots = found.stage.slots
    if found.stage.floors_by_rule:
        return [
            total // slot.denominator if total > 0 else 0
            for slot, total in zip(slots, found.sums, strict=True)
        ]
    running: dict[str, tuple[int, int]] = {}
    wanted: list[int] = []
    for slot, total in zip(slots, found.sums, strict=True):
        exact = max(0, total)
        if slot.rounding_at != "transaction":
            wanted.append(slot.rounder(exact, slot.denominator))
            continue
        # Rounding the running total makes the rounded parts add up to the rounded sum.
        before, given = running.get(slot.currency, (0, 0))
        rounded = slot.rounder(before + exact, slot.denominator)
        running[slot.currency] = (before + exact, rounded)
        wanted.append(rounded - given)
    return wanted


def grants_of(
    policy: Policy, document: DocumentFacts, pins: Pins, found: Tally
) -> tuple[Grant, ...]:
    """Turn a tally into grants in the policy's order; rules that want nothing are left out."""
    stage = found.stage
    due = [
        (slot, wanted)
        for slot, wanted in zip(stage.slots, wanted_points(found), strict=True)
        if wanted
    ]
    bits = found.bonuses
    if bits:
        due += [
            (slot, slot.rule.points)
            for number, slot in enumerate(stage.bonuses)
            if bits >> number & 1
        ]
    moments: dict[int, tuple[Instant | None, Instant | None]] = {}
    grants: list[Grant] = []
    for slot, wanted in due:
        if wanted > POINTS_MAX:
            raise RulesRefusal("AMOUNT_TOO_LARGE", path="lines", value=str(wanted))
        lot = moments.get(slot.lot_terms)
        if lot is None:
            expiry, days = stage.lot_terms[slot.lot_terms]
            lot = moments[slot.lot_terms] = (
                pending_until(policy.terms.zone, document.occurred_at, days) if days else None,
                expiry.expires_at(document.occurred_at) if expiry else None,
            )
        window = pins.tier_window if slot.qualifying else ""
        grants.append(
            Grant(
                slot.rule_id,
                slot.currency,
                wanted,
                wanted,
                slot.funder,
                lot[0],
                lot[1],
                slot.qualifying,
                window,
            )
        )
    return tuple(grants)
