"""AdjustPoints, ApproveAdjustment, RejectAdjustment, ExtendLot: points, and their ends, by hand."""

from typing import cast

import uuid_utils
from google.protobuf.timestamp_pb2 import Timestamp

import rules
from ledger.act import Act, Answer
from ledger.core import commands, refusals
from ledger.core.adjustments import proposal_of
from ledger.core.decision import Outcome
from ledger.core.events import AnyFact
from ledger.core.instant import Instant, from_timestamp, to_datetime
from ledger.core.people import OPERATOR
from ledger.core.state import Account, Drawn
from ledger.evaluation import refund_terms
from ledger.handlers import context
from ledger.handlers.carrying_out import carry_out, posting
from ledger.handlers.members import require_unit
from ledger.identities import Operator
from ledger.late_burns import expired_net
from ledger.policies import ask
from ledger.velocity import Doer, doer_of, speeds_of
from ledger.work import Work
from loyalty.v1.ledger_service_pb2 import (
    OUTCOME_PROPOSED,
    AdjustPointsRequest,
    ApproveAdjustmentRequest,
    ExtendLotRequest,
    RejectAdjustmentRequest,
)


def adjust_points(act: Act, work: Work) -> Answer:
    """Give or take points, or propose it."""
    request = act.request
    assert isinstance(request, AdjustPointsRequest)
    at = context.occurred_at(act, work)
    wish = rules.Wish(
        request.reason,
        request.origin.business_unit,
        request.points.currency,
        request.points.amount,
        at,
        request.funder,
    )
    policy = work.policies.at(at)
    ask(lambda: rules.adjustment(policy, wish))
    stream = context.member_stream(act, work)
    stated = _stated_end(request, work.now(stream))
    account, due = work.advance(stream)
    command = commands.AdjustPoints(
        entry_id=str(uuid_utils.uuid7()),
        business_unit=wish.business_unit,
        currency=wish.currency,
        points=wish.points,
        reason=wish.reason,
        note=request.note,
        actor=act.actor,
        occurred_at=at,
        terms=_terms(policy, wish, account, stated),
        refunds=refund_terms(policy, account.tier_at(at)),
        approver=act.approver,
        propose=request.propose,
        expires_at=stated,
        lot_id=request.lot_id,
        expired=_expired(work, stream, wish, request.lot_id),
        speeds=speeds_of(work, stream, "adjust", doer_of(act), currency=wish.currency),
    )
    return _decide(act, work, stream, command, command.entry_id, due)


def approve_adjustment(act: Act, work: Work) -> Answer:
    """Agree to what was proposed; it is decided under the policy of now."""
    request = act.request
    assert isinstance(request, ApproveAdjustmentRequest)
    at = context.occurred_at(act, work)
    stream, history = _history(act, work)
    unit = request.origin.business_unit
    proposed = proposal_of(history, request.adjustment_id, unit)
    account, due = work.advance(stream)
    wish = rules.Wish(
        proposed.reason, unit, proposed.currency, proposed.amount, at, proposed.funder
    )
    policy = work.policies.at(at)
    client, _, operator = proposed.actor.partition(OPERATOR)
    proposer = Doer(client, Operator(operator, b""), unit)
    stated = from_timestamp(proposed.expire_time) if proposed.HasField("expire_time") else None
    adjustment = commands.AdjustPoints(
        entry_id=str(uuid_utils.uuid7()),
        business_unit=unit,
        currency=proposed.currency,
        points=proposed.amount,
        reason=proposed.reason,
        note=proposed.note,
        actor=proposed.actor,
        occurred_at=at,
        terms=_terms(policy, wish, account, stated),
        refunds=refund_terms(policy, account.tier_at(at)),
        approver=act.actor,
        expires_at=stated,
        lot_id=proposed.lot_id,
        expired=_expired(work, stream, wish, proposed.lot_id),
        speeds=speeds_of(work, stream, "adjust", proposer, currency=wish.currency),
    )
    command = commands.ApproveAdjustment(adjustment, request.adjustment_id, history)
    return _decide(act, work, stream, command, adjustment.entry_id, due)


def reject_adjustment(act: Act, work: Work) -> Answer:
    """Turn down what was proposed."""
    request = act.request
    assert isinstance(request, RejectAdjustmentRequest)
    at = context.occurred_at(act, work)
    stream, history = _history(act, work)
    _, due = work.advance(stream)
    command = commands.RejectAdjustment(
        entry_id=str(uuid_utils.uuid7()),
        proposal_id=request.adjustment_id,
        business_unit=request.origin.business_unit,
        actor=act.actor,
        note=request.note,
        occurred_at=at,
        history=history,
    )
    return _decide(act, work, stream, command, command.entry_id, due)


def extend_lot(act: Act, work: Work) -> Answer:
    """Give a lot a later end."""
    request = act.request
    assert isinstance(request, ExtendLotRequest)
    at = context.occurred_at(act, work)
    require_unit(work, request.origin.business_unit, at)
    stream = context.member_stream(act, work)
    expires_at = _in_future("expire_time", request.expire_time, work.now(stream))
    _, due = work.advance(stream)
    command = commands.ExtendLot(
        entry_id=str(uuid_utils.uuid7()),
        lot_id=request.lot_id,
        business_unit=request.origin.business_unit,
        expires_at=expires_at,
        reason=request.reason,
        actor=act.actor,
        occurred_at=at,
    )
    return _decide(act, work, stream, command, command.entry_id, due)


def _expired(work: Work, stream: str, wish: rules.Wish, lot_id: str) -> tuple[Drawn, ...]:
    """What of a lot can come back, where points are given and a lot is named."""
    if not lot_id or wish.points < 0:
        return ()
    found = expired_net(work.expiries(stream), wish.currency)
    return tuple(drawn for drawn, _ in found if drawn.lot_id == lot_id)


def _decide(
    act: Act,
    work: Work,
    stream: str,
    command: commands.AdjustPoints
    | commands.ApproveAdjustment
    | commands.RejectAdjustment
    | commands.ExtendLot,
    entry_id: str,
    due: list[AnyFact],
) -> Answer:
    """Decide on an account that was advanced; `due` is what that recorded."""
    done = carry_out(work, stream, command)
    message = posting(work, entry_id, due, done)
    if done.outcome is Outcome.PROPOSED:
        message.outcome = OUTCOME_PROPOSED
    return context.register(act, work, done.where, message)


def _terms(
    policy: rules.Policy, wish: rules.Wish, account: Account, stated: Instant | None
) -> commands.AdjustmentTerms:
    """What the policy asks of an adjustment of an account."""
    terms = ask(lambda: rules.adjustment(policy, wish._replace(member_since=account.enrolled_at)))
    until = terms.proposed_until if stated is None else min(terms.proposed_until, stated)
    return commands.AdjustmentTerms(
        terms.funder,
        terms.points_alone,
        terms.named,
        until,
        terms.expires_at,
        terms.life,
        policy.digest,
    )


def _stated_end(request: AdjustPointsRequest, now: Instant) -> Instant | None:
    """When given points expire, as the request says. Raises Malformed for what has passed."""
    if not request.HasField("expire_time"):
        return None
    return _in_future("expire_time", request.expire_time, now)


def _in_future(field: str, stamp: Timestamp, now: Instant) -> Instant:
    stated = from_timestamp(stamp)
    if stated <= now:
        raise refusals.Malformed(
            field=field,
            value=to_datetime(stated).isoformat(),
            expected=f"a time after {to_datetime(now).isoformat()}",
        )
    return stated


def _history(act: Act, work: Work) -> tuple[str, tuple[commands.ProposalFact, ...]]:
    """(stream, facts in order) of the proposal that an act is about; empty when there is none."""
    acts = work.known.acts.get(act.thing)
    if not acts:
        return "", ()
    found = [acts[key] for key in sorted(acts)]
    facts = tuple(fact for _, fact in found)
    return found[0][0], cast(tuple[commands.ProposalFact, ...], facts)
