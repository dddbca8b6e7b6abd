"""Documents that name an identity nobody had: credited once somebody has it."""

from ledger.awaited import CREDITED_AT_ONCE
from ledger.core.instant import Instant
from ledger.core.refusals import Refusal
from ledger.handlers import context
from ledger.handlers.moves import Move, as_it_stands, check_claim_days, next_key, relocate
from ledger.lanes import account_of
from ledger.redirects import is_moving, owner_in, place_of
from ledger.work import Work
from loyalty.v1.events_pb2 import CLAIM_CAUSE_IDENTITY
from loyalty.v1.ledger_service_pb2 import Movement


def credit_awaiting(work: Work, stream: str, at: Instant) -> list[Movement]:
    """Credit the documents that wait for an identity which an account has; what moved.

    One that cannot be credited, for it is too old or the account takes no more, waits no longer: it
    stays nobody's, and staff may move it.
    """
    moved: list[Movement] = []
    there = place_of(stream, work)
    if is_moving(work.account(there)):
        return moved
    for thing in work.awaiting(account_of(stream))[:CREDITED_AT_ONCE]:
        head = work.head(thing)
        if head is None:
            # Not known in this round.
            continue
        work.await_no_more(thing)
        if account_of(head.stream):
            continue
        before = work.mark()
        try:
            check_claim_days(work, head, thing)
            key = next_key(thing, head)
            stated = as_it_stands(head)
            cause, owner = CLAIM_CAUSE_IDENTITY, owner_in(there, stream)
            move = Move(thing, head, there, stated, at, cause, key, owner=owner)
            recorded = relocate(work, move)
        except Refusal:
            work.back_to(before)
            continue
        context.register_place(work, recorded.where, key)
        moved.extend(recorded.message.movements)
    return moved
