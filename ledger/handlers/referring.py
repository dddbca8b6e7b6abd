"""CreateReferral, and what follows from it: rewards for who brought a member.

The new member's purchases are looked at after every act that posts some. The first that counts is
the cause of the reward. Returned, it counts no more, and the next purchase that does may be it;
until then it may become the cause again. With each change the reward's document is posted for who
brought the member, as RecordActivity would: in the same commit, under a key of its own.
"""

from typing import NamedTuple

import uuid_utils

import rules
from ledger.act import Act, Answer
from ledger.core import commands, refusals
from ledger.core.care import Referral
from ledger.core.closing import require_somebody
from ledger.core.counting import document_key
from ledger.core.decision import Decision, Outcome
from ledger.core.events import Fact
from ledger.core.evolve import evolve
from ledger.core.instant import DAY, Instant, to_datetime
from ledger.core.membership import require_not_closed
from ledger.core.state import Account
from ledger.handlers import context
from ledger.handlers.carrying_out import decided
from ledger.handlers.members import require_unit, told
from ledger.handlers.parties import other_stream
from ledger.handlers.versions import Stated, case_of, record
from ledger.keys import act_key, document_thing, key_thing
from ledger.lanes import account_of, account_stream
from ledger.redirects import owner_in, owner_stream, place_of, require_still
from ledger.referral_causes import REWARD_CHANNEL, REWARD_SOURCE, counts
from ledger.work import Work
from loyalty.v1.events_pb2 import DocumentPosted, ReferralCauseChanged
from loyalty.v1.member_service_pb2 import CreateReferralRequest
from loyalty.v1.types_pb2 import (
    DOCUMENT_KIND_ACTIVITY,
    DOCUMENT_STATUS_CANCELLED,
    DOCUMENT_STATUS_FINAL,
    Document,
    Origin,
)


def create_referral(act: Act, work: Work) -> Answer:
    """Record who brought a member."""
    request = act.request
    assert isinstance(request, CreateReferralRequest)
    at = context.occurred_at(act, work)
    unit = request.origin.business_unit
    require_unit(work, unit, at)
    policy = work.policies.at(at)
    terms = policy.model.referrals
    if terms is None:
        raise refusals.NoReferrals(version=policy.version)
    stream = context.member_stream(act, work)
    account, _ = work.advance(stream)
    _require_other(work, account, other_stream(act, work))
    command = commands.CreateReferral(
        referral_id=str(uuid_utils.uuid7()),
        business_unit=unit,
        referrer=account_of(other_stream(act, work)),
        reward_unit=terms.business_unit or unit,
        policy_digest=policy.digest,
        occurred_at=at,
    )
    decision = decided(work, stream, command)
    _require_in_time(terms, account, at)
    where = work.record(stream, decision)
    return context.register(act, work, where, told(work, stream))


def _require_other(work: Work, account: Account, stream: str) -> None:
    """Raise SelfReferral, or why the other one gets nothing."""
    referrer = work.other_account(stream)
    require_somebody(referrer)
    require_not_closed(referrer.account_id, referrer.membership)
    if referrer.account_id == account.account_id:
        raise refusals.SelfReferral(why="themselves")
    household = work.profile(account_stream(account.account_id)).household_code
    if household and household == work.profile(stream).household_code:
        raise refusals.SelfReferral(why="somebody of their own household")
    before = referrer.care.referral
    if before is not None and before.referrer == account.account_id:
        raise refusals.SelfReferral(why="the member whom they brought themselves")


def _require_in_time(terms: rules.Referrals, account: Account, at: Instant) -> None:
    """Raise ReferralTooLate."""
    joined = account.enrolled_at
    assert joined is not None, "a member has joined"
    if not rules.told_in_time(terms, enrolled_at=joined, at=at):
        limit = joined + terms.within_days * DAY
        raise refusals.ReferralTooLate(
            enrolled_time=to_datetime(joined).isoformat(), limit=to_datetime(limit).isoformat()
        )


class _Change(NamedTuple):
    """A purchase that counts now, or counts no more."""

    stream: str
    """Of the member who was brought."""
    referral: Referral
    posted: DocumentPosted
    document: str
    counts: bool


def follow(act: Act, work: Work) -> None:
    """Look at what an act has posted, and reward, or take back, where a referral is about it."""
    posted, work.posted = work.posted, []
    for head in posted:
        if head.posted.HasField("arrival") and head.posted.arrival.from_member_id:
            came_from = account_stream(head.posted.arrival.from_member_id)
            _look(act, work, came_from, head.posted, left=True)
        # What belongs to a member who was merged into this one is looked at when they part again.
        if account_of(head.stream) and not head.posted.owner_id:
            _look(act, work, head.stream, head.posted, left=False)


def _look(act: Act, work: Work, stream: str, posted: DocumentPosted, *, left: bool) -> None:
    """Change the cause if a version of a purchase, or that it left, does so."""
    referral = work.account(stream).care.referral
    if referral is None:
        return
    stated = posted.document
    document = document_key(posted.business_unit, stated.source, stated.document_id)
    if referral.counts and referral.cause != document:
        return
    now = not left and counts(referral, posted, work.policies.pinned)
    if now != referral.counts:
        _change(act, work, _Change(stream, referral, posted, document, now))


def look_again(act: Act, work: Work, stream: str) -> None:
    """Look at the purchase that counted before its member was merged, now that they have parted.

    It may have been returned meanwhile, or be somebody else's.
    """
    referral = work.account(stream).care.referral
    if referral is None or not referral.counts:
        return
    head = work.head(key_thing(referral.cause))
    if head is None:
        # Not known in the first round.
        return
    theirs = owner_stream(head) == stream
    if not (theirs and counts(referral, head.posted, work.policies.pinned)):
        _change(act, work, _Change(stream, referral, head.posted, referral.cause, counts=False))


def _change(act: Act, work: Work, change: _Change) -> None:
    version, refused = _reward(act, work, change)
    if work.wanted:
        # Decided again once it is known whom this is about.
        return
    at = context.occurred_at(act, work)
    fact = ReferralCauseChanged(
        referral_id=change.referral.referral_id,
        business_unit=change.posted.business_unit,
        document=change.document,
        counts=change.counts,
        reward_version=version,
        not_rewarded=refused,
        entry_id=change.posted.entry_id,
    )
    account = evolve(work.account(change.stream), fact)
    work.record(change.stream, Decision((Fact(fact, at),), account, Outcome.POSTED))


def _reward(act: Act, work: Work, change: _Change) -> tuple[int, str]:
    """Post the reward's document, or cancel it: its version, and why there is none.

    Whatever stands against it, the new member's own purchase is posted.
    """
    referral = change.referral
    thing = document_thing(referral.reward_unit, REWARD_SOURCE, referral.referral_id)
    head = work.head(thing) if referral.version else None
    theirs = account_stream(referral.referrer) if head is None else owner_stream(head)
    stream = place_of(theirs, work)
    if work.wanted or not (change.counts or head is not None):
        return 0, ""
    require_still(work.account(stream))
    terms = work.policies.pinned(referral.policy_digest).model.referrals
    assert terms is not None, "a referral is told under a policy that has them"
    version = referral.version + 1
    key = act_key(thing, version)
    case = case_of(
        work,
        _stated(referral, terms.activity, version, counts=change.counts),
        thing=thing,
        stream=stream,
        at=context.occurred_at(act, work),
        entry_id=str(uuid_utils.uuid7()),
        head=head,
        owner=owner_in(stream, theirs),
    )
    try:
        recorded = record(case, work, key=key)
    except refusals.Refusal as refused:
        return 0, refused.reason
    context.register_place(work, recorded.where, key)
    return version, ""


def _stated(referral: Referral, activity: str, version: int, *, counts: bool) -> Stated:
    """The reward as an activity of who brought the member."""
    document = Document(
        source=REWARD_SOURCE,
        document_id=referral.referral_id,
        version=version,
        kind=DOCUMENT_KIND_ACTIVITY,
        status=DOCUMENT_STATUS_FINAL if counts else DOCUMENT_STATUS_CANCELLED,
        activity=activity,
    )
    origin = Origin(business_unit=referral.reward_unit, channel=REWARD_CHANNEL)
    return Stated(document, referral.reward_unit, origin, follows=True)
