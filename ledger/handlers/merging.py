"""MergeMembers, UnmergeMembers and the steps after them: each is an act on both accounts.

That a merge has begun stands in both streams; whoever continues it reads that, and takes the next
step. A step records in both accounts in one commit, which holds only if neither has moved: so any
number of processes may continue, after a crash at any point, and nothing is ever there twice.
"""

import uuid_utils

import rules
from ledger.act import Act, Answer
from ledger.core.closing import require_somebody
from ledger.core.commands import BeginMerge, ContinueMerge
from ledger.core.decision import Draft
from ledger.core.instant import Instant
from ledger.core.merging import Pair, begin, begin_undoing, carry, go_on, strays
from ledger.core.moving import Way
from ledger.core.state import Account
from ledger.handlers import context, parties, referring
from ledger.handlers.members import member_message, require_unit
from ledger.known import Range
from ledger.lanes import account_stream
from ledger.redirects import live_stream, place_of
from ledger.work import Work
from loyalty.v1.member_service_pb2 import (
    ContinueMergeRequest,
    MergeMembersRequest,
    UnmergeMembersRequest,
)


def merge_members(act: Act, work: Work) -> Answer:
    """Freeze an account that becomes part of another; the steps follow."""
    at = _occurred_at(act, work)
    source = context.named_stream(act, work)
    target = parties.other_stream(act, work)
    for stream in (source, target):
        require_somebody(work.account(stream))
    return _begun(act, work, source, target, at, undoing=False)


def unmerge_members(act: Act, work: Work) -> Answer:
    """Freeze both accounts of a merge that is undone; the steps follow."""
    at = _occurred_at(act, work)
    source = context.named_stream(act, work)
    # An account that was erased is nobody's with all that is part of it, and stays whole.
    require_somebody(work.account(place_of(source, work)))
    into = work.account(source).membership.leads_to
    target = account_stream(into) if into else source
    work.other_account(target)
    return _begun(act, work, source, target, at, undoing=True)


def continue_merge(act: Act, work: Work) -> Answer:
    """Take the next step of what is under way; one that was taken already changes nothing."""
    request = act.request
    assert isinstance(request, ContinueMergeRequest)
    source = context.named_stream(act, work)
    merging = work.account(source).merging
    if merging is not None and merging.step + 1 == request.step:
        take_step(act, work, source)
    return _answer(act, work, source)


def take_step(act: Act, work: Work, source: str) -> None:
    """Take the next step of a merge, or of its undoing, if the source of one is named."""
    account = work.account(source)
    merging = account.merging
    if merging is None or not is_source(account):
        return
    target = account_stream(merging.target)
    if work.other_account(target).merging is None:
        # Not known in the first round.
        return
    at = work.clock_now()
    policy = work.policies.at(at)
    ranks = rules.tier_ranks(policy)
    command = ContinueMerge(at, policy.digest, lambda tier: ranks.get(tier, 0))
    pair = _pair(work, source, target, at)
    now = max(work.now(source), work.now(target))
    go_on(pair, command, work.policies.ladder, now=now)
    _record(work, source, pair.source)
    _record(work, target, pair.target)
    if merging.undoing and work.account(source).merging is None:
        referring.look_again(act, work, source)


def is_source(account: Account) -> bool:
    """Whether an account is the one that goes, or comes back, in what is under way."""
    merging = account.merging
    return merging is not None and merging.source == account.account_id


def carry_strays(work: Work, stream: str, *, entry_id: str, unit: str, at: Instant) -> None:
    """Let points go home that came back where they were spent, while two accounts were one."""
    for owner in sorted(strays(work.account(stream))):
        home = live_stream(account_stream(owner), work)
        giver, taker = _draft(work, stream, at), _draft(work, home, at)
        now = max(work.now(stream), work.now(home))
        way = Way(giver, taker, entry_id, unit, frozenset({owner}))
        carry(way, work.policies.ladder, at=at, now=now)
        _record(work, stream, giver)
        _record(work, home, taker)


def _occurred_at(act: Act, work: Work) -> Instant:
    request = act.request
    assert isinstance(request, MergeMembersRequest | UnmergeMembersRequest)
    at = context.occurred_at(act, work)
    require_unit(work, request.origin.business_unit, at)
    return at


def _begun(act: Act, work: Work, source: str, target: str, at: Instant, *, undoing: bool) -> Answer:
    request = act.request
    assert isinstance(request, MergeMembersRequest | UnmergeMembersRequest)
    command = BeginMerge(
        merge_id=str(uuid_utils.uuid7()),
        business_unit=request.origin.business_unit,
        reason=request.reason,
        actor=act.actor,
        occurred_at=at,
    )
    pair = _pair(work, source, target, at)
    if undoing:
        begin_undoing(pair, command)
    else:
        begin(pair, command)
    _record(work, source, pair.source)
    _record(work, target, pair.target)
    return _answer(act, work, source)


def _pair(work: Work, source: str, target: str, at: Instant) -> Pair:
    return Pair(_draft(work, source, at), _draft(work, target, at))


def _draft(work: Work, stream: str, at: Instant) -> Draft:
    """A decision about an account that was advanced to now."""
    account, _ = work.advance(stream)
    return Draft(account, at=at, ends=work.ends)


def _record(work: Work, stream: str, draft: Draft) -> Range:
    return work.record(stream, draft.decision())


def _answer(act: Act, work: Work, source: str) -> Answer:
    account: Account = work.account(source)
    where = work.append(source, account.version, ())
    return context.register(act, work, where, member_message(account, where))
