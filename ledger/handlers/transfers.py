"""TransferPoints, and the steps after it: each is an act of its own, about one account.

A transfer is a saga. That it was sent stands in the sender's stream; that it arrived in the
receiver's, or that it came back in the sender's, and both take the same key, so that only one can
be recorded; that the sender has let go is the last of its facts. Whoever continues it reads these
facts and takes the next step, so any number may, and after a crash at any point.
"""

from typing import NamedTuple

import uuid_utils

import rules
from ledger.act import Act, Answer
from ledger.core import refusals
from ledger.core.commands import (
    NO_TERMS,
    Command,
    CompleteTransfer,
    ReceivePoints,
    ReturnPoints,
    SendPoints,
    Speed,
    TransferTerms,
)
from ledger.core.events import AnyFact
from ledger.core.instant import Instant
from ledger.core.pools import contributed, require_contributor
from ledger.core.state import Account
from ledger.ends import with_ends
from ledger.handlers import context, parties
from ledger.handlers.carrying_out import carry_out
from ledger.handlers.members import require_unit
from ledger.handlers.merging import carry_strays
from ledger.keys import burn_thing
from ledger.known import Range
from ledger.lanes import account_of, account_stream
from ledger.policies import ask
from ledger.redirects import place_of
from ledger.transit import Transit, transit_of
from ledger.velocity import doer_of, speeds_of
from ledger.work import Work
from ledger.writes import AboutTransfer
from loyalty.v1.events_pb2 import (
    RETURN_CAUSE_CANCELLED,
    RETURN_CAUSE_DECLINED,
    RETURN_CAUSE_REFUSED,
    RETURN_CAUSE_TIMED_OUT,
    TRANSFER_KIND_CONTRIBUTION,
    TRANSFER_KIND_GIFT,
    TRANSFER_KIND_HOME,
    PointsBurned,
    ReturnCause,
    TransferKind,
)
from loyalty.v1.ledger_service_pb2 import TransferPointsRequest


def transfer_points(act: Act, work: Work) -> Answer:
    """Let points leave for another account."""
    request = act.request
    assert isinstance(request, TransferPointsRequest)
    at = context.occurred_at(act, work)
    require_unit(work, request.origin.business_unit, at)
    sides = _sides(request, act, work)
    work.advance(sides.sender)
    entry_id = str(uuid_utils.uuid7())
    currency = request.points.currency
    command = SendPoints(
        entry_id=entry_id,
        receiver_id=_receiver_id(request, work, sides),
        business_unit=request.origin.business_unit,
        currency=currency,
        points=request.points.amount,
        occurred_at=at,
        terms=_terms(request, work, sides, at),
        kind=sides.kind,
        speeds=_speeds(act, work, sides, currency),
    )
    return _answer(act, work, entry_id, _decide(work, sides.sender, command))


class _Sides(NamedTuple):
    """Streams of who sends and who receives, and what the transfer is between them."""

    sender: str
    receiver: str
    kind: TransferKind.ValueType


def _sides(request: TransferPointsRequest, act: Act, work: Work) -> _Sides:
    """Who takes part. Raises UnknownMember, UnknownPool, Malformed."""
    kind = _kind(request)
    sides = _Sides(parties.first_stream(act, work), parties.other_stream(act, work), kind)
    if sides.sender == sides.receiver:
        raise refusals.Malformed(field="receiver", value="the sender", expected="somebody else")
    return sides


def _receiver_id(request: TransferPointsRequest, work: Work, sides: _Sides) -> str:
    """To whom points are sent; out of a pool, whose they are of the receiver and who is part of it.

    What comes home under the name of a merged member arrives where they are now.
    """
    receiver = account_of(sides.receiver)
    if sides.kind != TRANSFER_KIND_HOME:
        return receiver
    left = contributed(work.account(sides.sender), request.points.currency)
    whose = parties.one_with(work.account(sides.receiver))
    enough = (each for each in whose if left.get(each, 0) >= request.points.amount)
    return next(enough, receiver)


def _speeds(act: Act, work: Work, sides: _Sides, currency: str) -> tuple[Speed, ...]:
    """Limits of velocity: points leave nobody who puts them into a pool or takes them home."""
    if sides.kind != TRANSFER_KIND_GIFT:
        return ()
    return speeds_of(work, sides.sender, "transfer", doer_of(act), currency=currency)


def _kind(request: TransferPointsRequest) -> TransferKind.ValueType:
    """From where to where the points go. Raises Malformed for two pools."""
    if request.member.pool_id and request.receiver.pool_id:
        raise refusals.Malformed(
            field="receiver.pool_id",
            value=request.receiver.pool_id,
            expected="a member who put points in: they go from a pool to nobody else",
        )
    if request.receiver.pool_id:
        return TRANSFER_KIND_CONTRIBUTION
    return TRANSFER_KIND_HOME if request.member.pool_id else TRANSFER_KIND_GIFT


def _terms(request: TransferPointsRequest, work: Work, sides: _Sides, at: Instant) -> TransferTerms:
    """What the policy asks of both; of points that come home it asks nothing.

    Raises PoolNotOpen, NotPermittedInPool, and the policy's refusals.
    """
    if sides.kind == TRANSFER_KIND_HOME:
        return NO_TERMS
    gives, gets = work.account(sides.sender), work.account(sides.receiver)
    pooled = sides.kind == TRANSFER_KIND_CONTRIBUTION
    if pooled:
        require_contributor(gets, gives.account_id)
    policy = work.policies.at(at)
    since = gives.enrolled_at or 0
    facts = rules.TransferFacts(
        request.points.currency,
        request.points.amount,
        at,
        sender_since=since,
        receiver_since=since if pooled else gets.enrolled_at or 0,
        same_household=pooled or _same_household(work, sides),
        sent=_used(gives, "sent/"),
        received=_used(gets, "received/"),
    )
    found = ask(lambda: rules.transfer(policy, facts))
    return TransferTerms(
        fee=found.fee,
        fee_unit=found.fee_unit or request.origin.business_unit,
        limits=found.sender_limits,
        policy_digest=policy.digest,
        terms=found.id,
        accept_until=None if pooled else found.accept_until,
        draw_first=policy.terms.currencies[request.points.currency].draw_first,
    )


def _same_household(work: Work, sides: _Sides) -> bool:
    """Whether units told so of both members, or both are in one pool."""
    household = work.profile(sides.sender).household
    if household and household == work.profile(sides.receiver).household:
        return True
    theirs = work.account(sides.receiver).pooling.joined
    return any(pool in theirs for pool in work.account(sides.sender).pooling.joined)


def _used(account: Account, prefix: str) -> dict[tuple[str, str], int]:
    return {
        (name, period): used
        for (name, _, period), used in account.usage.items()
        if name.startswith(prefix)
    }


class _Step(NamedTuple):
    """What was recorded in one account's stream."""

    account: Account
    facts: list[AnyFact]
    where: Range


def accept_transfer(act: Act, work: Work) -> Answer:
    """Let points arrive because the receiver says so."""
    at = context.occurred_at(act, work)
    stream, transit = _of_receiver(act, work)
    transit.require_open(work.now(stream))
    step = _receive(work, stream, transit, _unit(act), at)
    return _answer(act, work, transit.sent.entry_id, step)


def decline_transfer(act: Act, work: Work) -> Answer:
    """Give points back because the receiver does not want them."""
    at = context.occurred_at(act, work)
    stream, transit = _of_receiver(act, work)
    transit.require_open(work.now(stream))
    step = _give_back(work, transit, _Reason(RETURN_CAUSE_DECLINED), _unit(act), at)
    # Whoever declines learns that it was recorded, and nothing of the sender's account.
    told = step._replace(account=work.account(stream), facts=[])
    return _answer(act, work, transit.sent.entry_id, told)


def cancel_transfer(act: Act, work: Work) -> Answer:
    """Give points back because the sender wants them after all."""
    at = context.occurred_at(act, work)
    stream = context.member_stream(act, work)
    transit = _transit(act, work)
    if place_of(account_stream(transit.sender_id), work) != stream:
        raise refusals.UnknownTransfer(transfer_id=transit.sent.entry_id)
    transit.require_open(work.now(stream))
    step = _give_back(work, transit, _Reason(RETURN_CAUSE_CANCELLED), _unit(act), at)
    return _answer(act, work, transit.sent.entry_id, step)


def continue_transfer(act: Act, work: Work) -> Answer:
    """Take the next step of a transfer, if there is one that nobody has to be asked about."""
    transit = _transit(act, work)
    now = work.clock_now()
    transit.require_due(now)
    return _answer(act, work, transit.sent.entry_id, _next(work, transit, now))


def _next(work: Work, transit: Transit, now: Instant) -> _Step:
    unit, until = transit.sent.business_unit, transit.accept_until
    if transit.outcome is not None:
        sender = place_of(account_stream(transit.sender_id), work)
        return _decide(work, sender, CompleteTransfer(transit.sent, now))
    if until is not None and transit.timed_out(now):
        return _give_back(work, transit, _Reason(RETURN_CAUSE_TIMED_OUT), unit, until)
    try:
        receiver = parties.stream_of(transit.sent.receiver_id, work)
        return _receive(work, receiver, transit, unit, now)
    except refusals.Refusal as refusal:
        if refusal.may_pass:
            raise
        return _give_back(work, transit, _Reason(RETURN_CAUSE_REFUSED, refusal.reason), unit, now)


class _Reason(NamedTuple):
    """Why points come back."""

    cause: ReturnCause.ValueType
    refusal: str = ""


def _of_receiver(act: Act, work: Work) -> tuple[str, Transit]:
    """The transfer that a request is about, which must be to the member it names."""
    stream = context.member_stream(act, work)
    transit = _transit(act, work)
    if parties.stream_of(transit.sent.receiver_id, work) != stream:
        raise refusals.UnknownTransfer(transfer_id=transit.sent.entry_id)
    return stream, transit


def _transit(act: Act, work: Work) -> Transit:
    request = act.request
    assert isinstance(request, AboutTransfer), "only what is about a transfer comes here"
    transit = transit_of(work.acts(act.thing))
    if transit is None:
        raise refusals.UnknownTransfer(transfer_id=request.transfer_id)
    return transit


def _receive(work: Work, stream: str, transit: Transit, unit: str, at: Instant) -> _Step:
    """Let points arrive. Raises what the receiver's account refuses them with."""
    sent = transit.sent
    limits: tuple[rules.PeriodLimit, ...] = ()
    if sent.terms:
        policy = work.policies.pinned(sent.policy_digest)
        limits = rules.receiver_limits(policy, sent.terms, at)
    return _decide(work, stream, ReceivePoints(sent, transit.sender_id, unit, at, limits))


def _give_back(work: Work, transit: Transit, why: _Reason, unit: str, at: Instant) -> _Step:
    sent, fee = transit.sent, None
    if sent.fee:
        burned = (fact for _, fact in work.acts(burn_thing(sent.entry_id)))
        fee = next((fact for fact in burned if isinstance(fact, PointsBurned)), None)
    command = ReturnPoints(sent, fee, why.cause, unit, at, why.refusal)
    sender = place_of(account_stream(transit.sender_id), work)
    step = _decide(work, sender, command)
    # The fee may have been of points whose owner was part of the sender's account then.
    carry_strays(work, sender, entry_id=sent.entry_id, unit=unit, at=at)
    account = work.account(sender)
    return _Step(account, step.facts, work.append(sender, account.version, ()))


def _decide(work: Work, stream: str, command: Command) -> _Step:
    _, due = work.advance(stream)
    done = carry_out(work, stream, command)
    return _Step(done.account, due + [fact.event for fact in done.facts], done.where)


def _answer(act: Act, work: Work, entry_id: str, step: _Step) -> Answer:
    shown = with_ends(step.account, work.ends)
    message = context.posting(entry_id, shown, step.facts, step.where)
    return context.register(act, work, step.where, message)


def _unit(act: Act) -> str:
    request = act.request
    assert isinstance(request, AboutTransfer), "only what is about a transfer comes here"
    return request.origin.business_unit
