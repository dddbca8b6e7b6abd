"""ClaimDocument and MoveDocument, and versions that name another member: a document moves.

It leaves where it was (its own stream, or a member's account, where all that it gave is taken back)
and arrives in an account, evaluated for that member as if it had been theirs when it happened. Both
sides are one act, under one entry.
"""

from typing import NamedTuple

import uuid_utils

import rules
from ledger.act import Act, Answer
from ledger.answers.postings import add_departure
from ledger.core import refusals
from ledger.core.commands import LeaveDocument
from ledger.core.decision import Decision, Outcome
from ledger.core.events import Fact
from ledger.core.evolve import evolve
from ledger.core.instant import Instant, from_timestamp, to_datetime, to_timestamp
from ledger.core.state import OWN
from ledger.evaluation import pinned_instant, refund_terms
from ledger.handlers import context, stating
from ledger.handlers.carrying_out import carry_out
from ledger.handlers.members import require_unit
from ledger.handlers.versions import Recorded, Stated, answer, case_of, record, use_purses
from ledger.keys import moved_key
from ledger.known import DocumentHead
from ledger.lanes import account_of
from ledger.receipt_codes import is_right
from ledger.redirects import owner_in, owner_stream, place_of, require_still
from ledger.work import Work
from loyalty.v1.events_pb2 import (
    ARRIVAL_CAUSE_CLAIMED,
    ARRIVAL_CAUSE_MOVED,
    CLAIM_CAUSE_NAMED,
    CLAIM_CAUSE_RECEIPT_CODE,
    CLAIM_CAUSE_STAFF,
    ClaimCause,
    DocumentArrival,
    DocumentClaimed,
    DocumentMovedOut,
)
from loyalty.v1.ledger_service_pb2 import (
    ClaimDocumentRequest,
    MoveDocumentRequest,
    PostDocumentRequest,
)


class Move(NamedTuple):
    """A document on its way to an account."""

    thing: str
    head: DocumentHead
    to_stream: str
    stated: Stated
    """The version as it arrives."""
    at: Instant
    """When it moves."""
    cause: ClaimCause.ValueType
    """How it is claimed, where it was nobody's."""
    key: str
    """Under which it is found from now on."""
    reason: str = ""
    owner: str = OWN
    """Whose it is from now on, where that account was merged into the one it goes to."""

    @property
    def same_version(self) -> bool:
        """Whether the version stood where it leaves."""
        return self.stated.document.version == self.head.posted.document.version


def claim_document(act: Act, work: Work) -> Answer:
    """Credit a document without a member to who shows its receipt's code."""
    request = act.request
    assert isinstance(request, ClaimDocumentRequest)
    at = context.occurred_at(act, work)
    require_unit(work, request.origin.business_unit, at)
    stream = context.member_stream(act, work)
    head = work.known.heads.get(act.document)
    if head is None:
        raise refusals.UnknownDocument(document=request.document)
    _check_code(act, work, head, request.document)
    if account_of(head.stream):
        raise _of_somebody(act, work, head, stream)
    check_claim_days(work, head, request.document)
    move = Move(
        act.document,
        head,
        stream,
        as_it_stands(head),
        at,
        CLAIM_CAUSE_RECEIPT_CODE,
        next_key(act.document, head),
        owner=owner_in(stream, context.named_stream(act, work)),
    )
    return _registered(act, work, move)


def move_document(act: Act, work: Work) -> Answer:
    """Let a document be another member's, by a decision of its unit's staff."""
    request = act.request
    assert isinstance(request, MoveDocumentRequest)
    at = context.occurred_at(act, work)
    require_unit(work, request.origin.business_unit, at)
    stream = context.member_stream(act, work)
    head = work.known.heads.get(act.document)
    if head is None or head.posted.business_unit != request.origin.business_unit:
        raise refusals.UnknownDocument(document=request.document)
    if _leaves(work, head) == stream:
        raise refusals.AlreadyTheirs(document=request.document)
    move = Move(
        act.document,
        head,
        stream,
        as_it_stands(head),
        at,
        CLAIM_CAUSE_STAFF,
        next_key(act.document, head),
        request.reason,
        owner_in(stream, context.named_stream(act, work)),
    )
    return _registered(act, work, move)


def named_by_version(
    act: Act, work: Work, request: PostDocumentRequest, head: DocumentHead, stream: str
) -> Answer:
    """Post a version that names another than whose document it was. Raises what a claim raises."""
    document = act.document.removeprefix("d/")
    if not account_of(head.stream):
        check_claim_days(work, head, document)
    elif not request.move:
        raise refusals.DocumentOfAnotherMember(document=document)
    move = Move(
        act.document,
        head,
        stream,
        stating.stated(act, request, head),
        context.document_time(act, work),
        CLAIM_CAUSE_NAMED,
        act.version_key,
        owner=owner_in(stream, context.named_stream(act, work)),
    )
    recorded = relocate(work, move, language=request.language)
    return context.register_document(act, work, recorded.where, answer(recorded), is_first=False)


def relocate(work: Work, move: Move, *, language: str = "") -> Recorded:
    """Let a document leave where it is, and arrive. Raises what a version raises."""
    entry_id = str(uuid_utils.uuid7())
    from_account = account_of(_leaves(work, move.head))
    left = _leave(work, move, entry_id) if from_account else _claim(work, move, entry_id)
    posted = move.head.posted
    fixed = posted.pinned or move.same_version
    case = case_of(
        work,
        move.stated,
        thing=move.thing,
        stream=move.to_stream,
        at=pinned_instant(posted.pins.local_time) if fixed else move.at,
        entry_id=entry_id,
        arrival=DocumentArrival(
            cause=ARRIVAL_CAUSE_MOVED if from_account else ARRIVAL_CAUSE_CLAIMED,
            from_member_id=from_account,
            same_version=move.same_version,
            claim_time=None if from_account else to_timestamp(move.at),
        ),
        was=posted,
        owner=move.owner,
    )
    recorded = record(case, work, key=move.key, language=language)
    if from_account:
        add_departure(recorded.message, from_account, [fact.event for fact in left])
    return recorded


def _leaves(work: Work, head: DocumentHead) -> str:
    """Stream that a document leaves: where its owner's things are now."""
    stream = owner_stream(head)
    return place_of(stream, work) if account_of(stream) else stream


def _leave(work: Work, move: Move, entry_id: str) -> tuple[Fact, ...]:
    """Take back in the account that a document leaves what it gave there."""
    stream, posted = _leaves(work, move.head), move.head.posted
    require_still(work.account(stream))
    account, _ = work.advance(stream)
    policy = (
        work.policies.pinned(posted.pins.policy_digest)
        if posted.pinned
        else work.policies.at(move.at)
    )
    command = LeaveDocument(
        entry_id,
        move.stated.business_unit,
        move.stated.key,
        posted,
        account_of(move.to_stream),
        move.at,
        refund_terms(policy, account.tier),
        move.reason,
        owner_in(stream, owner_stream(move.head)),
        "" if move.head.stream == stream else account_of(move.head.stream),
    )
    facts = carry_out(work, stream, command).facts
    left = next(fact.event for fact in facts if isinstance(fact.event, DocumentMovedOut))
    use_purses(work, left, document=move.stated.key, at=move.at)
    return facts


def _claim(work: Work, move: Move, entry_id: str) -> tuple[Fact, ...]:
    """End a document's own stream: it is somebody's from now on."""
    stream = move.head.stream
    claimed = DocumentClaimed(
        entry_id=entry_id,
        business_unit=move.stated.business_unit,
        document=move.stated.key,
        version=move.head.posted.document.version,
        member_id=account_of(move.to_stream),
        cause=move.cause,
        claim_time=to_timestamp(move.at),
    )
    if move.head.posted.awaited_scheme:
        work.await_no_more(move.thing)
    facts = (Fact(claimed, move.at),)
    account = evolve(work.account(stream), claimed)
    work.record(stream, Decision(facts, account, Outcome.POSTED))
    return facts


def _registered(act: Act, work: Work, move: Move) -> Answer:
    """Move, and register the request and where the document is found from now on."""
    recorded = relocate(work, move)
    given = answer(recorded)
    return context.register_move(act, work, recorded.where, given, key=move.key)


def as_it_stands(head: DocumentHead) -> Stated:
    """The newest version of a document, as it was stated."""
    posted = head.posted
    taken = posted.taken_back_at if posted.HasField("taken_back_at") else None
    return Stated(posted.document, posted.business_unit, posted.origin, taken, posted.receipt_hash)


def next_key(thing: str, head: DocumentHead) -> str:
    """Key under which the newest version is found once it has moved."""
    return moved_key(head.key, thing, head.posted.document.version)


def _check_code(act: Act, work: Work, head: DocumentHead, document: str) -> None:
    """Raise TooManyGuesses, WrongReceiptCode."""
    now = work.clock_now()
    work.guesses.check(act.document, act.receipt_hash, now)
    if not is_right(head.posted.receipt_hash, act.receipt_hash):
        work.guesses.wrong(act.document, act.receipt_hash, now)
        raise refusals.WrongReceiptCode(document=document)


def _of_somebody(act: Act, work: Work, head: DocumentHead, stream: str) -> refusals.Refusal:
    """Why a document that has a member cannot be claimed; nothing tells whose it is."""
    document = act.document.removeprefix("d/")
    for _, fact in work.known.acts.get(act.thing, {}).values():
        assert isinstance(fact, DocumentClaimed), "a claim's key stands for nothing else"
        claimed_at = to_datetime(from_timestamp(fact.claim_time))
        return refusals.AlreadyClaimed(
            document=document, entry_id=fact.entry_id, claimed_time=claimed_at.isoformat()
        )
    if _leaves(work, head) == stream:
        return refusals.AlreadyTheirs(document=document)
    return refusals.DocumentOfAnotherMember(document=document)


def check_claim_days(work: Work, head: DocumentHead, document: str) -> None:
    """Raise ClaimTooLate for a document that nobody can claim any more; a booking still can be."""
    if not head.posted.pinned:
        return
    pins = head.posted.pins
    policy = work.policies.pinned(pins.policy_digest)
    until = rules.claim_until(policy, pinned_instant(pins.local_time))
    if work.clock_now() >= until:
        raise refusals.ClaimTooLate(document=document, limit=to_datetime(until).isoformat())
