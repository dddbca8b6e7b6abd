"""PostDocument, and EarnPoints which is a document by the time it comes here."""

from typing import Final

import uuid_utils

import rules
from ledger.act import Act, Answer, member_of
from ledger.answers import add_balances, position_token
from ledger.core import refusals
from ledger.core.commands import Grant, PostDocument
from ledger.core.decide import decide
from ledger.core.decision import Outcome
from ledger.core.instant import Instant
from ledger.core.state import Account
from ledger.core.wire import nested, tag_of
from ledger.evaluation import award, facts_of, pinned_instant, pins_message, pins_of
from ledger.handlers import context
from ledger.lanes import DOCUMENT, account_of
from ledger.work import NO_FINGERPRINT, DocumentHead, Work
from loyalty.v1.events_pb2 import DocumentPosted
from loyalty.v1.ledger_service_pb2 import OUTCOME_SUPERSEDED, PostDocumentRequest, Posting
from loyalty.v1.types_pb2 import Pins as PinsMessage

_GRANTS: Final = tag_of(Posting, "grants")


def post_document(act: Act, work: Work) -> Answer:
    """State a document; the difference to what stood before is posted."""
    head = work.known.heads.get(act.document)
    stream = _stream(act, work, head)
    again = _posted_before(act, work, stream)
    if again is not None:
        return again
    at = context.occurred_at(act, work)
    account, due = work.advance(stream) if account_of(stream) else (work.account(stream), [])
    given = _award(act, work, head, at, tier=account.tier_at(at))
    command = _command(act, head, at, given if account_of(stream) else None)
    decision = decide(command, account, now=work.now(stream), ladder=work.policies.ladder)
    if decision.outcome is Outcome.SUPERSEDED:
        return _superseded(work, stream, account)
    where = work.record(stream, decision)
    facts = due + [fact.event for fact in decision.facts]
    posted = next(fact for fact in facts if isinstance(fact, DocumentPosted))
    work.register_head(act.document, DocumentHead(stream, posted))
    message = context.posting(command.entry_id, decision.account, facts, where)
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


def _award(
    act: Act, work: Work, head: DocumentHead | None, at: Instant, *, tier: str
) -> rules.Award:
    """Ask the rules: under the pins of a document that was final once, else under today's."""
    request = act.request
    assert isinstance(request, PostDocumentRequest)
    if head is not None and head.posted.pinned and head.posted.pins.policy_digest:
        pins = pins_of(head.posted.pins)
        policy = work.policies.pinned(pins.policy_digest)
        at = pinned_instant(pins.local_time)
        return award(policy, facts_of(request.document, request.origin, at), tier="", pins=pins)
    policy = work.policies.at(at)
    # A quantity that is no number was refused before.
    return award(policy, facts_of(request.document, request.origin, at), tier=tier)


def _command(
    act: Act, head: DocumentHead | None, at: Instant, given: rules.Award | None
) -> PostDocument:
    request = act.request
    assert isinstance(request, PostDocumentRequest)
    grants: tuple[Grant, ...] = () if given is None else given.grants
    return PostDocument(
        entry_id=str(uuid_utils.uuid7()),
        business_unit=request.origin.business_unit,
        document=request.document,
        origin=request.origin,
        business_date=request.origin.business_date,
        occurred_at=at,
        head=None if head is None else head.posted,
        pins=PinsMessage() if given is None else pins_message(given.pins),
        grants=grants,
    )


def _superseded(work: Work, stream: str, account: Account) -> Answer:
    """Nothing is recorded, not even the request: its content is not remembered."""
    where = work.append(stream, account.version, ())
    message = Posting(
        outcome=OUTCOME_SUPERSEDED,
        member_id=account.account_id,
        tier=account.tier,
        position=position_token(where.lane, where.next_pos),
    )
    add_balances(message, account)
    return Answer(Posting, message.SerializeToString(), replayed=False)
