"""PostDocument, and EarnPoints which is a document by the time it comes here."""

from typing import Final, NamedTuple

import uuid_utils

import rules
from ledger.act import Act, Answer
from ledger.answers import add_balances, add_counted, position_token
from ledger.core import refusals
from ledger.core.commands import PostDocument
from ledger.core.counting import document_key
from ledger.core.decide import decide
from ledger.core.decision import Outcome
from ledger.core.instant import DAY, Instant, to_datetime
from ledger.core.state import Account
from ledger.core.wire import nested, tag_of
from ledger.ends import with_ends
from ledger.evaluation import (
    award,
    cap_limit,
    counts_of,
    facts_of,
    member_facts,
    pinned_instant,
    pins_message,
    pins_of,
    refund_terms,
)
from ledger.giving_back import kept, takes_back_by_line
from ledger.handlers import context
from ledger.known import DocumentHead
from ledger.ladders import standing_of
from ledger.lanes import DOCUMENT, account_of
from ledger.profile import Profile
from ledger.purses import changes
from ledger.receipts import language_of, receipt_lines
from ledger.room import LedgerRoom
from ledger.work import NO_FINGERPRINT, Work
from ledger.writes import member_of
from loyalty.v1.events_pb2 import DocumentPosted
from loyalty.v1.ledger_service_pb2 import OUTCOME_SUPERSEDED, PostDocumentRequest, Posting
from loyalty.v1.types_pb2 import Pins as PinsMessage

_GRANTS: Final = tag_of(Posting, "grants")
_NOTHING: Final = rules.Award(rules.Pins("", None, "", "", ""), ())


class _Case(NamedTuple):
    """A document's version, and what is known when it is to be decided."""

    request: PostDocumentRequest
    thing: str
    stream: str
    account: Account
    """Advanced to now; an empty one for a document without a member."""
    head: DocumentPosted | None
    at: Instant
    profile: Profile


class _Asked(NamedTuple):
    """What the rules said of it."""

    policy: rules.Policy
    given: rules.Award
    pins: PinsMessage


def post_document(act: Act, work: Work) -> Answer:
    """State a document; the difference to what stood before is posted."""
    head = work.known.heads.get(act.document)
    stream = _stream(act, work, head)
    again = _posted_before(act, work, stream)
    if again is not None:
        return again
    at = context.occurred_at(act, work)
    account, due = work.advance(stream) if account_of(stream) else (work.account(stream), [])
    assert isinstance(act.request, PostDocumentRequest)
    posted_before = None if head is None else head.posted
    case = _Case(
        act.request, act.document, stream, account, posted_before, at, work.profile(stream)
    )
    asked = _ask(case, work)
    command = _command(case, asked)
    decision = decide(
        command, account, now=work.now(stream), ladder=work.policies.ladder, ends=work.ends
    )
    if decision.outcome is Outcome.SUPERSEDED:
        return _superseded(work, stream, account)
    where = work.record(stream, decision)
    facts = due + [fact.event for fact in decision.facts]
    posted = next(fact for fact in facts if isinstance(fact, DocumentPosted))
    if posted.usages:
        _use_purses(case, work, posted)
    work.register_head(act.document, DocumentHead(stream, posted))
    shown = with_ends(decision.account, work.ends)
    message = context.posting(command.entry_id, shown, facts, where)
    if act.request.language:
        language = language_of(act.request.language)
        message.messages.extend(receipt_lines(asked.policy, posted, language))
    if posted.benefits or posted.numbers:
        add_counted(message, asked.policy, posted)
    answer = Answer(Posting, _with_grants(message, posted), replayed=False)
    return context.register_document(act, work, where, answer, is_first=head is None)


def _with_grants(message: Posting, posted: DocumentPosted) -> bytes:
    """Bytes of an answer with the grants of a version: never parsed here, so never made."""
    grants = [nested(_GRANTS, grant.SerializeToString()) for grant in posted.grants]
    return b"".join((message.SerializeToString(), *grants))


def _stream(act: Act, work: Work, head: DocumentHead | None) -> str:
    """Where the document belongs: to the member it names, or to the one it had before."""
    if act.identity is None and member_of(act.request) is None:
        return DOCUMENT + act.document.removeprefix("d/") if head is None else head.stream
    stream = context.member_stream(act, work)
    if head is not None and head.stream != stream:
        raise refusals.DocumentOfAnotherMember(document=act.document.removeprefix("d/"))
    return stream


def _posted_before(act: Act, work: Work, stream: str) -> Answer | None:
    """The first answer to this version, for ever. Raises DocumentConflict."""
    row = work.known.rows.get(act.version_key)
    if row is None or row.fingerprint == NO_FINGERPRINT:
        # A key that was only taken is not a version that was posted.
        return None
    if row.fingerprint != act.document_fingerprint or row.stream != stream:
        conflict = context.difference(work, row, act, ignore_member=row.stream == stream)
        raise refusals.DocumentConflict(**conflict)
    return context.answer_of(work, row, act)


def _ask(case: _Case, work: Work) -> _Asked:
    """Ask the rules: under the pins of a document that was final once, else under today's."""
    document, origin, head = case.request.document, case.request.origin, case.head
    # A quantity that is no number was refused before.
    if head is not None and head.pinned and head.pins.policy_digest:
        pins = pins_of(head.pins)
        policy = work.policies.pinned(pins.policy_digest)
        facts = facts_of(document, origin, pinned_instant(pins.local_time))
        room = _room(case, work, policy)
        given = _left(case, work, policy, facts, room) if takes_back_by_line(policy) else None
        if given is None:
            given = award(policy, facts, member=rules.NOBODY, pins=pins, room=room)
        return _Asked(policy, given, head.pins)
    policy = work.policies.at(case.at)
    if head is None:
        _check_lateness(policy, case.at, work.clock_now())
    facts = facts_of(document, origin, case.at)
    if not account_of(case.stream):
        # It gives nobody anything; what the rules refuse is refused all the same.
        award(policy, facts, member=rules.NOBODY)
        return _Asked(policy, _NOTHING, PinsMessage())
    member = member_facts(case.account, case.profile, at=case.at)
    room, standing = _room(case, work, policy), standing_of(case.account)
    given = award(policy, facts, member=member, room=room, standing=standing)
    return _Asked(policy, given, pins_message(given.pins, document.exchange_rates))


def _left(
    case: _Case, work: Work, policy: rules.Policy, facts: rules.DocumentFacts, room: LedgerRoom
) -> rules.Award | None:
    """What a later version keeps of the first final one; None: it is evaluated anew."""
    first = work.first_final(case.thing)
    if first is None or case.head is None:
        return None
    return kept(policy, first, facts, room=room, before=room.own)


def _room(case: _Case, work: Work, policy: rules.Policy) -> LedgerRoom:
    return LedgerRoom(
        case.account,
        _key(case),
        case.head,
        household=case.profile.household,
        purse_used=lambda stream: work.purse(stream).used,
        limit=lambda name: cap_limit(policy, name),
    )


def _key(case: _Case) -> str:
    document = case.request.document
    unit = case.request.origin.business_unit
    return document_key(unit, document.source, document.document_id)


def _check_lateness(policy: rules.Policy, at: Instant, now: Instant) -> None:
    """Refuse a new document that comes too late; a change of one may come whenever it happens."""
    days = policy.model.documents.lateness_days
    if days is not None and at < now - days * DAY:
        raise refusals.TooLate(
            occurred_time=to_datetime(at).isoformat(),
            limit=to_datetime(now - days * DAY).isoformat(),
        )


def _command(case: _Case, asked: _Asked) -> PostDocument:
    origin = case.request.origin
    return PostDocument(
        entry_id=str(uuid_utils.uuid7()),
        business_unit=origin.business_unit,
        document=case.request.document,
        origin=origin,
        business_date=origin.business_date,
        occurred_at=case.at,
        head=case.head,
        pins=asked.pins,
        grants=asked.given.grants,
        counts=counts_of(asked.given, household=case.profile.household),
        refunds=refund_terms(asked.policy, case.account.tier),
    )


def _use_purses(case: _Case, work: Work, posted: DocumentPosted) -> None:
    """Record in shared purses what the version changed; it stands in the same commit."""
    for stream, used in changes(posted, _key(case)):
        work.use_purse(stream, used, occurred_at=case.at)


def _superseded(work: Work, stream: str, account: Account) -> Answer:
    """Nothing is recorded, not even the request: its content is not remembered."""
    where = work.append(stream, account.version, ())
    message = Posting(
        outcome=OUTCOME_SUPERSEDED,
        member_id=account.account_id,
        tier=account.tier,
        position=position_token(where.lane, where.next_pos),
    )
    add_balances(message, with_ends(account, work.ends))
    return Answer(Posting, message.SerializeToString(), replayed=False)
