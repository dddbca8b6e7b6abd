"""Adjustments: points are given or taken by hand, by one person, or by two from a limit on.

Whoever adjusts either names who agreed, or proposes and lets another person answer. Who is another
person is asked more strictly where that person makes a call: then the clients have to differ too.
"""

from collections.abc import Sequence

from ledger.core.clawbacks import Loss, claw_back
from ledger.core.commands import (
    AdjustPoints,
    ApproveAdjustment,
    ProposalFact,
    RejectAdjustment,
)
from ledger.core.decision import Draft, Outcome, check_points
from ledger.core.draws import write_life
from ledger.core.instant import (
    Instant,
    from_timestamp,
    optional_timestamp,
    to_datetime,
    to_timestamp,
    write_timestamp,
)
from ledger.core.people import operator_of, same_person
from ledger.core.refusals import (
    AdjustmentResolved,
    ApproverIsActor,
    ApproverMissing,
    Malformed,
    MoreThanExpired,
    UnknownAdjustment,
    UnknownLot,
)
from ledger.core.velocity import use_speeds
from loyalty.v1.events_pb2 import (
    AdjustmentMade,
    AdjustmentProposed,
    AdjustmentRejected,
    LotReinstated,
    PointsAdjusted,
)

POSTED = "POSTED"
REJECTED = "REJECTED"
EXPIRED = "EXPIRED"


def adjust(draft: Draft, command: AdjustPoints) -> Outcome:
    """Give or take points, or propose it.

    Raises Malformed, ApproverMissing, ApproverIsActor, UnknownLot, TooManyLots, PointsOverflow,
    ClawbackRefused.
    """
    _check(command)
    if command.approver:
        _require_another(command)
    agreed = command.terms.named and bool(command.approver)
    if abs(command.points) > command.terms.points_alone and not agreed:
        if not command.propose:
            raise ApproverMissing(
                points=abs(command.points),
                points_alone=command.terms.points_alone,
                named="yes" if command.terms.named else "no",
            )
        _propose(draft, command)
        return Outcome.PROPOSED
    _make(draft, command)
    return Outcome.POSTED


def approve(draft: Draft, command: ApproveAdjustment, *, now: Instant) -> None:
    """Let what was proposed happen.

    Raises UnknownAdjustment, AdjustmentResolved, ApproverIsActor, and what `adjust` raises.
    """
    proposed = _open_proposal(
        command.history, command.proposal_id, command.adjustment.business_unit, now=now
    )
    if same_person(proposed.actor, command.adjustment.approver):
        raise ApproverIsActor()
    _check(command.adjustment)
    _make(draft, command.adjustment, proposal_id=command.proposal_id, act=len(command.history))


def reject(draft: Draft, command: RejectAdjustment, *, now: Instant) -> None:
    """Turn a proposal down; whoever proposed it may do so. Raises as `approve`."""
    _open_proposal(command.history, command.proposal_id, command.business_unit, now=now)
    draft.record(
        AdjustmentRejected(
            entry_id=command.entry_id,
            proposal_id=command.proposal_id,
            business_unit=command.business_unit,
            actor=command.actor,
            note=command.note,
            act=len(command.history),
        )
    )


def proposal_of(
    history: Sequence[ProposalFact], proposal_id: str, business_unit: str
) -> AdjustmentProposed:
    """What was proposed. Raises UnknownAdjustment, for that of another unit too."""
    first = history[0] if history else None
    if not isinstance(first, AdjustmentProposed) or first.business_unit != business_unit:
        raise UnknownAdjustment(adjustment_id=proposal_id)
    return first


def _open_proposal(
    history: Sequence[ProposalFact], proposal_id: str, business_unit: str, *, now: Instant
) -> AdjustmentProposed:
    proposed = proposal_of(history, proposal_id, business_unit)
    for fact in history[1:]:
        outcome = POSTED if isinstance(fact, AdjustmentMade) else REJECTED
        raise AdjustmentResolved(
            adjustment_id=proposal_id, first_outcome=outcome, resolved_by=fact.entry_id
        )
    until = from_timestamp(proposed.valid_until_time)
    if until <= now:
        ended = to_datetime(until).isoformat().replace("+00:00", "Z")
        raise AdjustmentResolved(
            adjustment_id=proposal_id, first_outcome=EXPIRED, resolved_at=ended
        )
    return proposed


def _check(command: AdjustPoints) -> None:
    if not command.reason:
        raise Malformed(field="reason", value="", expected="a reason of the policy")
    check_points(abs(command.points))


def _require_another(command: AdjustPoints) -> None:
    """Refuse an approver who may be whoever adjusts: one client's word for both."""
    if not operator_of(command.actor):
        expected = "who adjusts: whoever agrees has to be another person"
        raise Malformed(field="origin.operator", value="", expected=expected)
    if operator_of(command.approver) == operator_of(command.actor):
        raise ApproverIsActor()


def _propose(draft: Draft, command: AdjustPoints) -> None:
    draft.record(
        AdjustmentProposed(
            entry_id=command.entry_id,
            business_unit=command.business_unit,
            currency=command.currency,
            amount=command.points,
            reason=command.reason,
            note=command.note,
            actor=command.actor,
            funder=command.terms.funder if command.points > 0 and not command.lot_id else "",
            lot_id=command.lot_id,
            expire_time=optional_timestamp(command.expires_at),
            valid_until_time=to_timestamp(command.terms.proposed_until),
            policy_digest=command.terms.policy_digest,
        )
    )


def _make(draft: Draft, command: AdjustPoints, *, proposal_id: str = "", act: int = 0) -> None:
    gives = command.points > 0
    usages = use_speeds(draft.tally.counting.usage, command.speeds, abs(command.points))
    draft.record(
        AdjustmentMade(
            entry_id=command.entry_id,
            business_unit=command.business_unit,
            currency=command.currency,
            amount=command.points,
            reason=command.reason,
            note=command.note,
            actor=command.actor,
            approver=command.approver,
            funder=command.terms.funder if gives and not command.lot_id else "",
            lot_id=command.lot_id,
            expire_time=optional_timestamp(command.expires_at),
            policy_digest=command.terms.policy_digest,
            proposal_id=proposal_id,
            act=act,
            usages=usages,
        )
    )
    if gives and command.lot_id:
        _reinstate(draft, command)
    elif gives:
        _give(draft, command)
    else:
        _take(draft, command)


def _give(draft: Draft, command: AdjustPoints) -> None:
    draft.check_lots(1)
    draft.check_room(command.currency, command.points)
    lot = PointsAdjusted(
        lot_id=f"{command.entry_id}.1",
        currency=command.currency,
        points=command.points,
        business_unit=command.business_unit,
        funder=command.terms.funder,
        earned_time=to_timestamp(command.occurred_at),
        available_after=draft.available(command.currency) + command.points,
        entry_id=command.entry_id,
    )
    _write_end(lot, command)
    draft.record(lot)


def _reinstate(draft: Draft, command: AdjustPoints) -> None:
    """Let expired points of one lot come back, with a new end."""
    expired = [drawn for drawn in command.expired if drawn.issuer == command.business_unit]
    points = sum(drawn.points for drawn in expired)
    if points < command.points:
        raise MoreThanExpired(lot_id=command.lot_id, expired=points, requested=command.points)
    draft.check_lots(1)
    draft.check_room(command.currency, command.points)
    first = expired[0]
    back = LotReinstated(
        lot_id=command.lot_id,
        currency=command.currency,
        points=command.points,
        business_unit=first.issuer,
        funder=first.funder,
        earned_time=to_timestamp(first.earned_at),
        available_after=draft.available(command.currency) + command.points,
        entry_id=command.entry_id,
        document=first.document,
        lot_version=first.seq,
    )
    _write_end(back, command)
    draft.record(back)


def _write_end(lot: PointsAdjusted | LotReinstated, command: AdjustPoints) -> None:
    """Write when points end: as it was stated, or as the policy says."""
    terms, stated = command.terms, command.expires_at
    end = terms.expires_at if stated is None else stated
    if end is not None:
        write_timestamp(lot.expire_time, end)
    if stated is None and terms.life is not None:
        write_life(lot.life, terms.life)
        lot.life.policy_digest = terms.policy_digest


def _take(draft: Draft, command: AdjustPoints) -> None:
    if command.lot_id and not any(
        lot.lot_id == command.lot_id and lot.currency == command.currency
        for lot in draft.tally.lots.items
    ):
        raise UnknownLot(lot_id=command.lot_id)
    loss = Loss("", command.currency, "", -command.points, command.lot_id)
    claw_back(draft, command, loss)
