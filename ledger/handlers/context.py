"""What every handler does the same way: find the member, answer a retry, register an answer."""

from collections.abc import Iterable
from typing import Any, Final

from ledger.act import Act, Answer
from ledger.answers.postings import add_balances, add_movements, position_token
from ledger.core import refusals
from ledger.core.events import AnyFact
from ledger.core.instant import CLOCKS_DIFFER_BY, SECOND, Instant, from_timestamp, to_datetime
from ledger.core.state import Account
from ledger.differences import HIDDEN, first_difference, hidden_difference
from ledger.keys import act_key
from ledger.known import Range
from ledger.lanes import account_stream
from ledger.redirects import live_stream
from ledger.rows import KeyRow
from ledger.work import NO_FINGERPRINT, Work
from ledger.writes import (
    ABOUT_ERASURE,
    ABOUT_MEMBER,
    ABOUT_PERIODS,
    ABOUT_POLICY,
    ABOUT_POOL,
    CODES,
    AnswerMessage,
    WriteRequest,
    member_of,
)
from loyalty.v1.audit_service_pb2 import Period
from loyalty.v1.ledger_service_pb2 import (
    OUTCOME_POSTED,
    OUTCOME_REPLAYED,
    OUTCOME_VALIDATED,
    Posting,
)
from loyalty.v1.member_service_pb2 import (
    ErasureCertificate,
    Member,
    Pool,
    UpdateMemberRequest,
)
from loyalty.v1.programme_service_pb2 import Policy
from loyalty.v1.types_pb2 import MemberRef

MINUTE: Final = 60 * SECOND
_TYPES: Final = {code: kind for kind, code in CODES.items()}
_ANSWERS: Final[dict[type[WriteRequest], type[AnswerMessage]]] = {
    **dict.fromkeys(CODES, Posting),
    **dict.fromkeys(ABOUT_POLICY, Policy),
    **dict.fromkeys(ABOUT_PERIODS, Period),
    **dict.fromkeys(ABOUT_MEMBER, Member),
    **dict.fromkeys(ABOUT_POOL, Pool),
    **dict.fromkeys(ABOUT_ERASURE, ErasureCertificate),
}


def document_time(act: Act, work: Work) -> Instant:
    """As `occurred_at`, of a document: the policy may let it lie somewhat ahead."""
    found = work.policies.find(work.clock_now())
    minutes = 0 if found is None else found.compiled.model.documents.ahead_minutes
    return occurred_at(act, work, ahead=minutes * MINUTE)


def occurred_at(act: Act, work: Work, *, ahead: int = 0) -> Instant:
    """When it happened: as stated, else now. Raises OccurredInFuture."""
    request: Any = act.request
    origin, now = request.origin, work.clock_now()
    if not origin.HasField("occurred_time"):
        return now
    at = from_timestamp(origin.occurred_time)
    if at > now + CLOCKS_DIFFER_BY + ahead:
        raise refusals.OccurredInFuture(
            occurred_time=to_datetime(at).isoformat(), now=to_datetime(now).isoformat()
        )
    return at


def replay(act: Act, work: Work) -> Answer | None:
    """The first answer, when this request was recorded before. Raises RequestConflict."""
    row = work.known.rows.get(act.key)
    if row is None:
        return None
    if row.fingerprint != act.fingerprint:
        conflict = difference(work, row, act, ignore_member=False)
        raise refusals.RequestConflict(**conflict)
    return answer_of(work, row, act)


def answer_of(work: Work, row: KeyRow, act: Act) -> Answer:
    """The stored answer, marked as replayed."""
    if row.refers_to is not None:
        row = work.known.rows[row.refers_to]
    assert row.answer is not None, "rows that callers may ask for carry their answer"
    first = Answer(_ANSWERS[type(act.request)], row.answer, replayed=True)
    if first.kind is not Posting:
        return first
    message = Posting.FromString(row.answer)
    message.outcome = OUTCOME_REPLAYED
    return first._replace(encoded=message.SerializeToString())


def difference(work: Work, row: KeyRow, act: Act, *, ignore_member: bool) -> dict[str, str]:
    """Which field of two commands under one key differs: {field, first, now}."""
    if row.refers_to is not None:
        row = work.known.rows[row.refers_to]
    first, now = _command(row.command), _command(act.command)
    if type(first) is not type(now):
        kinds = [type(each).__name__.removesuffix("Request") for each in (first, now)]
        return {"field": "request", "first": kinds[0], "now": kinds[1]}
    if ignore_member:
        for each in (first, now):
            each.ClearField("member")
    if isinstance(now, UpdateMemberRequest) and first == now:
        return {"field": "what is told of the member", "first": HIDDEN, "now": HIDDEN}
    found = first_difference(first, now) or hidden_difference(now, has_code=bool(act.receipt_hash))
    if found is None:
        return {"field": "member", "first": "another member", "now": "this member"}
    return found._asdict()


def _command(command: bytes | None) -> Any:
    assert command, "rows that callers may ask for carry their command"
    return _TYPES[command[0]].FromString(command[1:])


def member_stream(act: Act, work: Work) -> str:
    """Stream of the account that the member is part of now. Raises UnknownMember, Merging."""
    return live_stream(named_stream(act, work), work)


def named_stream(act: Act, work: Work) -> str:
    """Stream of the account that the request names, merged or not. Raises UnknownMember."""
    if act.identity is not None:
        account = work.holder(act.identity)
        if not account:
            raise refusals.unknown_identity(act.identity[0])
        return account_stream(account)
    member = member_of(act.request)
    return enrolled_stream(member or MemberRef(), work)


def enrolled_stream(member: MemberRef, work: Work) -> str:
    """Stream of the account with an id. Raises UnknownMember when nobody enrolled under it."""
    stream = account_stream(member.member_id)
    if work.account(stream).enrolled_at is None:
        raise refusals.UnknownMember(member=member.member_id)
    return stream


def posting(entry_id: str, account: Account, facts: Iterable[AnyFact], where: Range) -> Posting:
    """The answer to a write that moved points, or could have."""
    message = Posting()
    message.outcome = OUTCOME_POSTED
    message.entry_id = entry_id
    message.member_id = account.account_id
    message.tier = account.tier
    message.position = position_token(where.lane, where.next_pos)
    add_movements(message, facts)
    add_balances(message, account)
    return message


def register(act: Act, work: Work, where: Range, message: AnswerMessage) -> Answer:
    """Register the request's key with its answer; every write ends here."""
    answer = Answer(type(message), message.SerializeToString(), replayed=False)
    work.register(_row(act.key, act.fingerprint, where, act, answer, refers_to=None))
    return answer


def register_document(
    act: Act, work: Work, where: Range, answer: Answer, *, is_first: bool
) -> Answer:
    """As `register`, for a document: its version carries command and answer, the request refers.

    The first posting takes the key of version 1, whichever version it is. Two processes may see at
    once that there is no document yet, and post versions of it to two members in different lanes:
    only a key that both need keeps one of them out.
    """
    work.register(
        _row(act.version_key, act.document_fingerprint, where, act, answer, refers_to=None)
    )
    claim = act_key(act.document, 1)
    if is_first and claim != act.version_key:
        work.register(_row(claim, NO_FINGERPRINT, where, act, None, refers_to=act.version_key))
    work.register(_row(act.key, act.fingerprint, where, act, None, refers_to=act.version_key))
    return answer


def register_row(act: Act, work: Work, where: Range, answer: Answer) -> Answer:
    """As `register`, for a row of a source: the row has command and answer, the request refers."""
    row = _row(act.version_key, act.fingerprint, where, act, answer, refers_to=None)
    work.register(row)
    work.register(_row(act.key, act.fingerprint, where, act, None, refers_to=act.version_key))
    return answer


def register_move(act: Act, work: Work, where: Range, answer: Answer, *, key: str) -> Answer:
    """As `register`, for a document that stands in another stream now, where `key` finds it."""
    work.register(_row(act.key, act.fingerprint, where, act, answer, refers_to=None))
    register_place(work, where, key)
    return answer


def register_place(work: Work, where: Range, key: str) -> None:
    """Register where a document stands now, that came from another stream."""
    work.register(
        KeyRow(
            key=key,
            command=None,
            fingerprint=NO_FINGERPRINT,
            answer=None,
            refers_to=None,
            lane=where.lane,
            stream=where.stream,
            first_version=where.first,
            last_version=where.last,
        )
    )


def _row(
    key: str,
    fingerprint: bytes,
    where: Range,
    act: Act,
    answer: Answer | None,
    *,
    refers_to: str | None,
) -> KeyRow:
    return KeyRow(
        key=key,
        command=None if answer is None else act.command,
        fingerprint=fingerprint,
        answer=None if answer is None else answer.encoded,
        refers_to=refers_to,
        lane=where.lane,
        stream=where.stream,
        first_version=where.first,
        last_version=where.last,
    )


def validated(answer: Answer) -> Answer:
    """The answer to validate_only: as if recorded, and said not to be."""
    message = answer.message
    if answer.replayed or not isinstance(message, Posting):
        return answer
    message.outcome = OUTCOME_VALIDATED
    message.position = ""
    return answer._replace(encoded=message.SerializeToString())
