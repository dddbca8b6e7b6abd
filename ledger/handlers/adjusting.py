"""AdjustPoints, ApproveAdjustment, RejectAdjustment: points by hand, by one person or by two."""

from typing import cast

import uuid_utils

import rules
from ledger.act import Act, Answer
from ledger.core import commands, refusals
from ledger.core.adjustments import proposal_of
from ledger.core.decide import decide
from ledger.core.decision import Outcome
from ledger.core.events import AnyFact
from ledger.core.instant import Instant, from_timestamp, to_datetime
from ledger.core.state import Account
from ledger.ends import with_ends
from ledger.evaluation import refund_terms
from ledger.handlers import context
from ledger.policies import ask
from ledger.work import Work
from loyalty.v1.ledger_service_pb2 import (
    OUTCOME_PROPOSED,
    AdjustPointsRequest,
    ApproveAdjustmentRequest,
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
    stated = _stated_end(request, work, stream)
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


def _decide(
    act: Act,
    work: Work,
    stream: str,
    command: commands.AdjustPoints | commands.ApproveAdjustment | commands.RejectAdjustment,
    entry_id: str,
    due: list[AnyFact],
) -> Answer:
    """Decide on an account that was advanced; `due` is what that recorded."""
    decision = decide(
        command,
        work.account(stream),
        now=work.now(stream),
        ladder=work.policies.ladder,
        ends=work.ends,
    )
    where = work.record(stream, decision)
    facts: list[AnyFact] = due + [fact.event for fact in decision.facts]
    message = context.posting(entry_id, with_ends(decision.account, work.ends), facts, where)
    if decision.outcome is Outcome.PROPOSED:
        message.outcome = OUTCOME_PROPOSED
    return context.register(act, work, where, message)


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


def _stated_end(request: AdjustPointsRequest, work: Work, stream: str) -> Instant | None:
    """When given points expire, as the request says. Raises Malformed for what has passed."""
    if not request.HasField("expire_time"):
        return None
    stated = from_timestamp(request.expire_time)
    now = work.now(stream)
    if stated <= now:
        raise refusals.Malformed(
            field="expire_time",
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
