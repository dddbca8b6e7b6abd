"""PostDocument, and EarnPoints which is a document by the time it comes here."""

from datetime import datetime

import uuid_utils

import rules
from ledger.act import Act, Answer
from ledger.answers.postings import add_balances, position_token
from ledger.awaited import BOOKING_WAITS, AwaitedRow
from ledger.core import refusals
from ledger.core.closing import require_member
from ledger.core.instant import to_datetime
from ledger.core.state import OWN
from ledger.ends import with_ends
from ledger.evaluation import pinned_instant
from ledger.handlers import context, moves, stating
from ledger.handlers.versions import Recorded, answer, ask_rules, case_of, record
from ledger.known import DocumentHead
from ledger.lanes import DOCUMENT, account_of
from ledger.redirects import owner_in, owner_stream, place_of, require_still
from ledger.rows import IdentityKey, KeyRow
from ledger.work import NO_FINGERPRINT, Work
from ledger.writes import member_of
from loyalty.v1.ledger_service_pb2 import OUTCOME_SUPERSEDED, PostDocumentRequest, Posting


def post_document(act: Act, work: Work) -> Answer:
    """State a document; the difference to what stood before is posted."""
    request = act.request
    assert isinstance(request, PostDocumentRequest)
    head = work.known.heads.get(act.document)
    place = None if head is None else _place(work, head)
    named = _named(act, work, request, head)
    again = _posted_before(act, work, head, named)
    if again is not None:
        return again
    stream = named or place or _own_stream(act)
    if head is not None and request.document.version <= head.posted.document.version:
        return _superseded(work, stream)
    if head is not None and stream != place:
        return moves.named_by_version(act, work, request, head, stream)
    if named is None and account_of(stream):
        require_still(work.account(stream))
    awaits = act.identity if named is None else None
    case = case_of(
        work,
        stating.stated(act, request, head, awaited_scheme=_awaited(awaits, head)),
        thing=act.document,
        stream=stream,
        at=context.document_time(act, work),
        entry_id=str(uuid_utils.uuid7()),
        head=head,
        owner=_owner(act, work, head, stream),
    )
    recorded = record(case, work, key=act.version_key, language=request.language)
    if awaits is not None:
        work.await_identity(AwaitedRow(act.document, *awaits, _awaited_until(work, recorded)))
    return context.register_document(
        act, work, recorded.where, answer(recorded), is_first=head is None
    )


def check_words(act: Act, work: Work) -> None:
    """Refuse what the rules refuse of a document, whoever's it is."""
    request, head = act.request, work.known.heads.get(act.document)
    assert isinstance(request, PostDocumentRequest)
    stated, at = stating.stated(act, request, head), context.document_time(act, work)
    nobodys = _own_stream(act)
    case = case_of(work, stated, thing=act.document, stream=nobodys, at=at, entry_id="", head=head)
    ask_rules(case, work)


def check_member(act: Act, work: Work) -> None:
    """Refuse who is not to get a document that is new to them."""
    request, head = act.request, work.known.heads.get(act.document)
    assert isinstance(request, PostDocumentRequest)
    named = _named(act, work, request, head)
    if named is not None and (head is None or named != _place(work, head)):
        require_member(work.account(named))


def _own_stream(act: Act) -> str:
    """Stream of a document that is nobody's."""
    return DOCUMENT + act.document.removeprefix("d/")


def _named(
    act: Act, work: Work, request: PostDocumentRequest, head: DocumentHead | None
) -> str | None:
    """Stream of the member that a version names; None where it names nobody who is known."""
    if act.identity is None:
        return None if member_of(request) is None else context.member_stream(act, work)
    known = work.known.identities.get(act.identity) is not None
    of_nobody = head is None or not account_of(head.stream)
    if request.unclaimed_if_unknown and of_nobody and not known:
        return None
    return context.member_stream(act, work)


def _place(work: Work, head: DocumentHead) -> str:
    """Stream in which a document's next version stands."""
    stream = owner_stream(head)
    return place_of(stream, work) if account_of(stream) else stream


def _owner(act: Act, work: Work, head: DocumentHead | None, stream: str) -> str:
    """Whose document it is, where that account was merged into the one it stands in."""
    if not account_of(stream):
        return OWN
    named = context.named_stream(act, work) if head is None else owner_stream(head)
    return owner_in(stream, named)


def _posted_before(
    act: Act, work: Work, head: DocumentHead | None, named: str | None
) -> Answer | None:
    """The first answer to this version, for ever. Raises DocumentConflict.

    It may name the member it was posted for, whoever has it now, or who has it now, or nobody.
    """
    row = work.known.rows.get(act.version_key)
    if row is None or row.fingerprint == NO_FINGERPRINT or head is None:
        # A key that was only taken is not a version that was posted.
        return None
    same_member = named is None or named == _place(work, head) or _still_nobodys(act, row)
    if not same_member and account_of(row.stream):
        same_member = named == place_of(row.stream, work)
    if row.fingerprint != act.document_fingerprint or not same_member:
        conflict = context.difference(work, row, act, ignore_member=same_member)
        raise refusals.DocumentConflict(**conflict)
    return context.answer_of(work, row, act)


def _still_nobodys(act: Act, row: KeyRow) -> bool:
    """Whether it named an identity that nobody had then, and the sender says that it may."""
    request = act.request
    assert isinstance(request, PostDocumentRequest)
    return request.unclaimed_if_unknown and not account_of(row.stream)


def _awaited(awaits: IdentityKey | None, head: DocumentHead | None) -> str:
    """Scheme of the identity that a document waits for: that it names now, or named before."""
    if awaits is not None:
        return awaits[0]
    return "" if head is None or account_of(head.stream) else head.posted.awaited_scheme


def _awaited_until(work: Work, recorded: Recorded) -> datetime:
    """Until when it waits: for as long as it can be claimed."""
    posted = recorded.posted
    at = pinned_instant(posted.pins.local_time)
    if not posted.pinned:
        return to_datetime(at + BOOKING_WAITS)
    policy = work.policies.pinned(posted.pins.policy_digest)
    return to_datetime(rules.claim_until(policy, at))


def _superseded(work: Work, stream: str) -> Answer:
    """Nothing is recorded, not even the request: its content is not remembered."""
    account, _ = work.advance(stream) if account_of(stream) else (work.account(stream), [])
    where = work.append(stream, account.version, ())
    message = Posting(
        outcome=OUTCOME_SUPERSEDED,
        member_id=account.account_id,
        tier=account.tier,
        position=position_token(where.lane, where.next_pos),
    )
    add_balances(message, with_ends(account, work.ends))
    return Answer(Posting, message.SerializeToString(), replayed=False)
