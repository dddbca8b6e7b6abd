"""BurnPoints, HoldPoints, CaptureHold, ReleaseHold, ReverseEntry."""

from collections.abc import Callable
from typing import cast

import uuid_utils

import rules
from ledger.act import Act, Answer
from ledger.core import refusals
from ledger.core.closing import require_taking_part
from ledger.core.commands import (
    BurnFact,
    BurnPoints,
    CaptureHold,
    Command,
    HoldFact,
    HoldPoints,
    ReleaseHold,
    ReverseEntry,
)
from ledger.core.events import AnyFact
from ledger.core.instant import Instant
from ledger.core.pools import require_spender
from ledger.handlers import context, parties
from ledger.handlers.carrying_out import carry_out, posting
from ledger.handlers.merging import carry_strays
from ledger.keys import burn_thing
from ledger.lanes import account_of
from ledger.late_burns import live_then
from ledger.lateness import late_period
from ledger.policies import ask
from ledger.pricing import Price, price_of
from ledger.redirects import live_stream, require_still
from ledger.velocity import doer_of, speeds_of
from ledger.work import Work
from loyalty.v1.events_pb2 import BurnReversed, PointsBurned, ReversalReversed
from loyalty.v1.ledger_service_pb2 import (
    BurnPointsRequest,
    CaptureHoldRequest,
    HoldPointsRequest,
    ReleaseHoldRequest,
    ReverseEntryRequest,
)


def burn_points(act: Act, work: Work) -> Answer:
    """Spend points: so many, what some money costs, or the price of a reward."""
    request = act.request
    assert isinstance(request, BurnPointsRequest)
    at = context.occurred_at(act, work)
    stream, spender = _spender(request, act, work, at)
    entry_id = _new_entry_id()

    def command() -> Command:
        price = _price(request, work, spender or stream, at)
        return BurnPoints(
            entry_id,
            request.origin.business_unit,
            price.currency,
            price.points,
            price.value,
            at,
            price.terms,
            price.reward,
            price.benefit,
            # What expired of a pool does not say any more who had put it in.
            () if spender else live_then(work, stream, price, at),
            late_for=late_period(work, at),
            speeds=speeds_of(work, stream, "burn", doer_of(act), currency=price.currency),
            spender_id=account_of(spender),
        )

    return _decide_after_advance(act, work, stream, entry_id, command)


def hold_points(act: Act, work: Work) -> Answer:
    """Set points aside until a capture, a release, or the policy's time-out of the unit."""
    request = act.request
    assert isinstance(request, HoldPointsRequest)
    if work.known.acts.get(act.thing):
        raise refusals.HoldExists(hold_id=request.hold_id)
    at = context.occurred_at(act, work)
    stream, spender = _spender(request, act, work, at)
    unit = request.origin.business_unit
    policy = work.policies.at(at)
    terms = ask(lambda: rules.hold_terms(policy, unit))
    entry_id = _new_entry_id()

    def command() -> Command:
        price = _price(request, work, spender or stream, at)
        return HoldPoints(
            entry_id,
            request.hold_id,
            unit,
            price.currency,
            price.points,
            terms.expires_at(at),
            at,
            price.terms,
            speeds=speeds_of(work, stream, "hold", doer_of(act), currency=price.currency),
            spender_id=account_of(spender),
            points_expire=terms.points_expire,
        )

    return _decide_after_advance(act, work, stream, entry_id, command)


def _spender(
    request: BurnPointsRequest | HoldPointsRequest, act: Act, work: Work, at: Instant
) -> tuple[str, str]:
    """(stream with the points, stream of who spends them when they are a pool's, else empty)."""
    stream = context.member_stream(act, work)
    require_taking_part(work.account(stream))
    if not request.pool_id:
        return stream, ""
    pool = parties.pool_named(act, work)
    require_spender(work.account(pool), account_of(stream))
    # The price is that of the tier that time has left to who spends.
    work.advance(stream)
    return pool, stream


def _price(
    request: BurnPointsRequest | HoldPointsRequest, work: Work, stream: str, at: Instant
) -> Price:
    """What it costs a member of the tier that time has left."""
    tier = work.account(stream).tier_at(at) or None
    return price_of(request, work.policies.at(at), tier=tier, at=at)


def capture_hold(act: Act, work: Work) -> Answer:
    """Spend held points."""
    request = act.request
    assert isinstance(request, CaptureHoldRequest)
    stream = _place_of_hold(act.thing, work, request.hold_id)
    at = context.occurred_at(act, work)
    entry_id = _new_entry_id()

    def command() -> Command:
        return CaptureHold(
            entry_id=entry_id,
            hold_id=request.hold_id,
            business_unit=request.origin.business_unit,
            points=request.points,
            final=request.final,
            occurred_at=at,
            history=_hold_history(act.thing, work),
        )

    return _decide_after_advance(act, work, stream, entry_id, command)


def release_hold(act: Act, work: Work) -> Answer:
    """Give all held points back."""
    request = act.request
    assert isinstance(request, ReleaseHoldRequest)
    stream = _place_of_hold(act.thing, work, request.hold_id)
    at = context.occurred_at(act, work)
    entry_id = _new_entry_id()

    def command() -> Command:
        return ReleaseHold(
            entry_id=entry_id,
            hold_id=request.hold_id,
            business_unit=request.origin.business_unit,
            occurred_at=at,
            history=_hold_history(act.thing, work),
        )

    return _decide_after_advance(act, work, stream, entry_id, command)


def reverse_entry(act: Act, work: Work) -> Answer:
    """Take back a burn, a capture, or a reversal of one."""
    request = act.request
    assert isinstance(request, ReverseEntryRequest)
    found = _history(act.thing, work)
    if found is None:
        raise refusals.UnknownEntry(entry_id=request.entry_id)
    if isinstance(found[0][1], BurnReversed | ReversalReversed):
        burn = _history(burn_thing(found[0][1].burn_entry_id), work)
        assert burn is not None, "a reversal's burn is looked up with it"
        found = burn
    # A burn belongs to the account that burned, whatever that is part of now.
    stream = live_stream(found[0][0], work)
    at = context.occurred_at(act, work)
    entry_id = _new_entry_id()
    command = ReverseEntry(
        entry_id=entry_id,
        target_entry_id=request.entry_id,
        business_unit=request.origin.business_unit,
        points=request.points,
        grace_until=rules.reversal_grace_until(work.policies.at(at), work.now(stream)),
        occurred_at=at,
        history=cast(tuple[BurnFact, ...], tuple(fact for _, fact in found)),
        accounts=tuple(account_of(where) for where, _ in found),
    )
    _, due = work.advance(stream)
    done = carry_out(work, stream, command)
    carry_strays(work, stream, entry_id=entry_id, unit=request.origin.business_unit, at=at)
    account = work.account(stream)
    done = done._replace(account=account, where=work.append(stream, account.version, ()))
    return context.register(act, work, done.where, posting(work, entry_id, due, done))


def _decide_after_advance(
    act: Act, work: Work, stream: str, entry_id: str, command: Callable[[], Command]
) -> Answer:
    """Advance first: what time has decided may resolve the very hold the command is about."""
    _, due = work.advance(stream)
    done = carry_out(work, stream, command())
    message = posting(work, entry_id, due, done)
    for fact, _ in done.facts:
        if isinstance(fact, PointsBurned):
            message.late_for.extend(fact.late_for)
    return context.register(act, work, done.where, message)


def _place_of_hold(thing: str, work: Work, hold_id: str) -> str:
    """Stream of the account where a hold is: the last that touched it. Raises UnknownHold."""
    found = _history(thing, work)
    if found is None:
        raise refusals.UnknownHold(hold_id=hold_id)
    stream = found[-1][0]
    require_still(work.other_account(stream))
    return stream


def _history(thing: str, work: Work) -> list[tuple[str, AnyFact]] | None:
    """(stream, fact) of all that touched a hold or burn, in order; None when there is none."""
    acts = work.known.acts.get(thing)
    return [acts[key] for key in sorted(acts)] if acts else None


def _hold_history(thing: str, work: Work) -> tuple[HoldFact, ...]:
    found = _history(thing, work)
    assert found is not None, "a hold that was found cannot vanish"
    return cast(tuple[HoldFact, ...], tuple(fact for _, fact in found))


def _new_entry_id() -> str:
    return str(uuid_utils.uuid7())
