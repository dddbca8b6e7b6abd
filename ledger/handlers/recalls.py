"""RecallPoints: bad points of one account, set aside, given back or taken for good."""

from collections.abc import Mapping

import uuid_utils

from ledger.act import Act, Answer
from ledger.core import commands, refusals
from ledger.core.events import AccountFact
from ledger.core.lot_history import joined_with, spent_of
from ledger.core.state import Account
from ledger.handlers import context, parties
from ledger.handlers.carrying_out import carry_out, posting
from ledger.handlers.members import require_unit
from ledger.keys import document_thing
from ledger.lanes import account_of, account_stream
from ledger.work import Work
from loyalty.v1.ledger_service_pb2 import RecallPointsRequest
from loyalty.v1.types_pb2 import (
    DOCUMENT_STATUS_FINAL,
    RECALL_ACTION_CLAW_BACK,
    RECALL_ACTION_RELEASE,
)


def recall_points(act: Act, work: Work) -> Answer:
    """Do what a recall asks of one account."""
    request = act.request
    assert isinstance(request, RecallPointsRequest)
    at = context.occurred_at(act, work)
    unit = request.origin.business_unit
    require_unit(work, unit, at)
    if request.write_off_to:
        _require_bearer(work, request.write_off_to, at)
    # A recall names accounts, a pool's like a member's: points are followed wherever they went.
    account_id = request.member.member_id
    stream = parties.stream_of(account_id, work) if account_id else context.member_stream(act, work)
    account, due = work.advance(stream)
    lots = frozenset(request.lot_ids)
    claws_back = request.action == RECALL_ACTION_CLAW_BACK
    command = commands.RecallPoints(
        entry_id=str(uuid_utils.uuid7()),
        recall_id=request.recall_id,
        business_unit=unit,
        action=request.action,
        lots=lots,
        reason=request.reason,
        actor=act.actor,
        occurred_at=at,
        spent=request.spent,
        write_off_to=request.write_off_to,
        history=_spent(work, stream, lots) if claws_back else commands.NOTHING_SPENT,
        final_documents=_final(work, account, request),
    )
    done = carry_out(work, stream, command)
    return context.register(act, work, done.where, posting(work, command.entry_id, due, done))


def _spent(work: Work, stream: str, lots: frozenset[str]) -> Mapping[str, commands.LotSpent]:
    """What was spent of lots of an account and of those merged into it, wherever that was done."""
    told: dict[str, list[AccountFact]] = {}
    waiting = [stream]
    while waiting:
        each = waiting.pop()
        if each in told:
            continue
        work.other_account(each)
        told[each] = [fact for fact in work.history(each) if isinstance(fact, AccountFact)]
        waiting.extend(account_stream(other) for other in joined_with(told[each]))
    stories = [(account_of(each), facts) for each, facts in told.items()]
    return spent_of(stories, lots, parties.one_with(work.account(stream)))


def _final(work: Work, account: Account, request: RecallPointsRequest) -> frozenset[str]:
    """Documents that have become final while points of theirs waited in this recall."""
    if request.action != RECALL_ACTION_RELEASE:
        return frozenset()
    waiting = {
        draw.document
        for held in account.holds
        if held.recalled and held.pending and held.hold_id == request.recall_id
        for draw in held.draws
        if draw.document
    }
    final = set()
    for document in waiting:
        head = work.head(document_thing(*document.split("/", 2)))
        if head is not None and head.posted.document.status == DOCUMENT_STATUS_FINAL:
            final.add(document)
    return frozenset(final)


def _require_bearer(work: Work, business_unit: str, at: int) -> None:
    policy = work.policies.at(at)
    if business_unit not in policy.units:
        known = ", ".join(sorted(policy.units))
        raise refusals.UnknownBusinessUnit(field="write_off_to", value=business_unit, known=known)
