"""What a document earns: the one evaluation behind awards, re-checks and explanations."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from rules.asking import Asking
from rules.award import Award, Benefit, CapUse, CounterNumber, Grant, Metric
from rules.capping import Purses
from rules.facts import DocumentFacts, Instant, MemberFacts, Pins
from rules.lines import eligible_minor, fits
from rules.lot_terms import LotEnd, pending_until
from rules.plan import Plan
from rules.policy import Policy
from rules.predicates import BEFORE_ENROLMENT
from rules.refusal import RulesRefusal
from rules.room import FREE, Room
from rules.stage import Slot, Stage
from rules.tally import Tally, Trace, bonus_points, tally, wanted_points
from rules.zones import DAY, SECOND, wall_text

POINTS_MAX = 2**63 - 1
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - wall time has no zone
_FOR_EVER = LotEnd(None, None)
_WALL_TEXT = 19
"""Characters of 2026-05-01T12:00:00."""


def pin(policy: Policy, document: DocumentFacts, member: MemberFacts) -> Pins:
    """Resolve what the award depends on besides the amounts; RulesRefusal for unknown units."""
    at = document.occurred_at
    local, zone = policy.terms.unit(document.business_unit).local, policy.terms.zone
    offset = local.offset(at)
    wall = at + offset
    business_day = local.day_text(wall // DAY)
    programme_day = zone.day_text(zone.wall(at) // DAY)
    tier = policy.terms.lowest_tier if member.tier is None else member.tier
    since, rates = "", document.rates
    if policy.terms.pins_member_since and member.enrolled_at is not None:
        since = zone.day_text(zone.wall(member.enrolled_at) // DAY)
    if rates:
        rates = tuple(sorted(rate for rate in rates if rate[0] in policy.plans.rate_codes))
    return Pins(
        policy.digest,
        tier,
        wall_text(local, wall, offset),
        business_day,
        programme_day if policy.terms.counts_by_day else programme_day[:4],
        policy.plans.predicates.held(member, tier, occurred_at=at, local_day=wall // DAY),
        since,
        rates,
        member.claimed_at,
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
    earlier award of the same policy evaluate under them: they decide over `member`. `room` is what
    other documents have left of caps, budgets and counters. RulesRefusal for a unit, category or
    currency the policy does not know, and for a rate that is missing.
    """
    pins = pins_for(policy, document, member, pins)
    if earns_nothing(document, pins):
        return Award(pins, ())
    return evaluated(policy, document, pins, room).award


def pins_for(
    policy: Policy, document: DocumentFacts, member: MemberFacts, pins: Pins | None
) -> Pins:
    """Give the pins to evaluate under; ValueError for those of another policy."""
    if pins is None:
        return pin(policy, document, member)
    if pins.policy_digest != policy.digest:
        raise ValueError(f"pinned policy {pins.policy_digest} is not {policy.digest}")
    return pins


def earns_nothing(document: DocumentFacts, pins: Pins) -> str:
    """Say why no rule is asked at all; empty when the rules are."""
    if document.status == "CANCELLED":
        return "status"
    if BEFORE_ENROLMENT in pins.predicates:
        return "documents.before_enrolment"
    return ""


class Outcome(NamedTuple):
    """What a rule wanted and got."""

    slot: Slot
    wanted: int
    granted: int
    cut_by: str


@dataclass(slots=True)
class Evaluated:
    """An evaluation with all that led to its award."""

    plan: Plan
    asking: Asking
    held: int
    stage: Stage
    found: Tally
    outcomes: list[Outcome]
    award: Award


def evaluated(
    policy: Policy,
    document: DocumentFacts,
    pins: Pins,
    room: Room,
    trace: Trace | None = None,
) -> Evaluated:
    """Evaluate under pins, and keep what led to the award."""
    plan = plan_of(policy, document, pins)
    asking = _asking(policy, plan, document, pins, explained=trace is not None)
    document = asking.document
    held = plan.reached(asking.basket) if plan.thresholds else 0
    if plan.predicates:
        for text in pins.predicates:
            held |= plan.predicates.get(text, 0)
    for bit, holds in plan.questions:
        if holds(asking):
            held |= bit
    numbers = _numbers(policy, plan, asking, held, room) if plan.counters else ()
    for bit, holds in plan.late:
        if holds(asking):
            held |= bit
    stage = plan.stage(held)
    found = tally(plan, stage, asking, trace)
    outcomes, uses = _outcomes(policy, stage, found, document, room)
    metrics: tuple[Metric, ...] = ()
    if policy.plans.metrics.asked:
        counted = [one.counter.counter for one in numbers]
        day = programme_day(policy, document)
        metrics = policy.plans.metrics.of(document, asking.basket, counted, day)
    award = Award(
        pins,
        grants_of(policy, document, pins, stage, outcomes),
        uses,
        numbers,
        metrics,
        _benefits(policy, plan, stage, asking) if stage.grants else (),
    )
    return Evaluated(plan, asking, held, stage, found, outcomes, award)


def plan_of(policy: Policy, document: DocumentFacts, pins: Pins) -> Plan:
    """Find the plan for the document's context."""
    if document.payments:
        policy.plans.require_payments(document.payments)
    store = document.store
    return policy.plans.plan(
        (
            document.business_unit,
            document.currency_code,
            document.channel,
            document.kind,
            pins.tier,
            store if store in policy.plans.stores else "",
            document.activity,
        )
    )


def _asking(
    policy: Policy, plan: Plan, document: DocumentFacts, pins: Pins, *, explained: bool
) -> Asking:
    """Work out what the questions are put to; an explanation may ask them all."""
    unit = plan.unit
    eligible = [
        eligible_minor(line, unit) if line.paid_with_points_minor or line.parts else line.net_minor
        for line in document.lines
    ]
    if document.rates or pins.rates:
        # A rate that the first final version stated holds for all versions after it.
        pinned = {code for code, _ in pins.rates}
        others = (rate for rate in document.rates if rate[0] not in pinned)
        document = document._replace(rates=(*pins.rates, *others))
    asking = Asking(document, pins.predicates, eligible)
    if plan.needs_basket or explained:
        asking.earning = [
            minor if plan.earns(line.category) else 0
            for line, minor in zip(document.lines, eligible, strict=True)
        ]
        asking.basket = sum(asking.earning)
    if plan.needs_time or explained:
        asking.wall = _wall(pins.local_time)
        asking.programme_wall = policy.terms.zone.wall(document.occurred_at)
    return asking


def _wall(local_time: str) -> int:
    """Read the wall time of a pinned local time, without its offset."""
    fraction = local_time[_WALL_TEXT : _WALL_TEXT + 1] == "."
    moment = datetime.fromisoformat(local_time[: _WALL_TEXT + 7 if fraction else _WALL_TEXT])
    since = moment - _EPOCH
    return since.days * DAY + since.seconds * SECOND + since.microseconds


def programme_day(policy: Policy, document: DocumentFacts) -> int:
    """Give the document's day in the programme's zone."""
    return policy.terms.zone.wall(document.occurred_at) // DAY


def _numbers(
    policy: Policy, plan: Plan, asking: Asking, held: int, room: Room
) -> tuple[CounterNumber, ...]:
    """Ask for the document's number in every counter that counts it."""
    day = programme_day(policy, asking.document)
    keys = [
        counter.key(day) for counter, residue in plan.counters if plan.counts(residue, held, asking)
    ]
    numbers = [CounterNumber(key, room.number(key)) for key in keys]
    asking.numbers = {key.counter: number for key, number in numbers}
    return tuple(one for one in numbers if one.number > 0)


def _outcomes(
    policy: Policy, stage: Stage, found: Tally, document: DocumentFacts, room: Room
) -> tuple[list[Outcome], tuple[CapUse, ...]]:
    """Let the rules take what they want of caps and budgets, each after those before it."""
    due = [
        (slot, wanted)
        for slot, wanted in zip(stage.slots, wanted_points(found), strict=True)
        if wanted
    ]
    if found.bonuses or found.counts:
        due += bonus_points(found)
    for _, wanted in due:
        check_points(wanted)
    if not stage.capped:
        return [Outcome(slot, wanted, wanted, "") for slot, wanted in due], ()
    purses = Purses(room, programme_day(policy, document))
    outcomes = [Outcome(slot, wanted, *purses.take(wanted, slot.caps)) for slot, wanted in due]
    return outcomes, purses.uses()


def check_points(wanted: int) -> None:
    """Refuse points that nobody can mean. RulesRefusal."""
    if wanted > POINTS_MAX:
        raise RulesRefusal("AMOUNT_TOO_LARGE", path="lines", value=str(wanted))


def grants_of(
    policy: Policy,
    document: DocumentFacts,
    pins: Pins,
    stage: Stage,
    outcomes: list[Outcome],
) -> tuple[Grant, ...]:
    """Turn outcomes into grants in the policy's order; rules that get nothing are left out."""
    lots: dict[int, tuple[Instant | None, LotEnd]] = {}
    grants: list[Grant] = []
    for slot, wanted, granted, cut_by in outcomes:
        if not granted:
            continue
        lot = lots.get(slot.lot_terms)
        if lot is None:
            lot = lots[slot.lot_terms] = _lot(policy, document, pins, stage, slot.lot_terms)
        pending, end = lot
        grants.append(
            Grant(
                slot.rule_id,
                slot.currency,
                wanted,
                granted,
                slot.funder,
                pending,
                end.expires_at,
                slot.qualifying,
                pins.tier_window if slot.qualifying else "",
                slot.campaign,
                cut_by,
                end.life,
            )
        )
    return tuple(grants)


def _lot(
    policy: Policy, document: DocumentFacts, pins: Pins, stage: Stage, number: int
) -> tuple[Instant | None, LotEnd]:
    expiry, days = stage.lot_terms[number]
    at = document.occurred_at
    pending = pending_until(policy.terms.zone, at, days) if days else None
    if expiry is None:
        return pending, _FOR_EVER
    end = expiry.lot_end(
        at,
        released_at=pending,
        waits=document.status == "PENDING",
        member_since=pins.member_since,
        claimed_at=pins.claimed_at,
    )
    return pending, end


def _benefits(policy: Policy, plan: Plan, stage: Stage, asking: Asking) -> tuple[Benefit, ...]:
    """Give what rules grant besides points."""
    zone, found = policy.terms.zone, []
    day = programme_day(policy, asking.document)
    for rule, left in stage.grants:
        if left is None or any(
            eligible > 0 and fits(left, line, eligible, plan.unit)
            for line, eligible in zip(asking.document.lines, asking.earning, strict=True)
        ):
            # To the end of the last day, as an expiry in days is.
            expires_at = zone.instant((day + rule.valid_days + 1) * DAY)
            found.append(Benefit(rule.id, rule.benefit, rule.quantity, expires_at, rule.campaign))
    return tuple(found)
