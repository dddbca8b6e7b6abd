"""AdvanceAccount: records what is due for an account, though nobody touches it."""

from ledger.act import Act, Answer
from ledger.ends import with_ends
from ledger.handlers import context, merging, parties
from ledger.handlers.awaiting import credit_awaiting
from ledger.work import Work
from loyalty.v1.ledger_service_pb2 import AdvanceAccountRequest


def advance_account(act: Act, work: Work) -> Answer:
    """Record what time has decided, and bring on what waits for nobody.

    That is a merge that was begun, and documents that wait for the member's identities.
    """
    assert isinstance(act.request, AdvanceAccountRequest)
    # What is due names accounts, members' and pools' alike; time goes on in a merge, too.
    member_id = act.request.member.member_id
    stream = parties.named_stream(member_id, work) if member_id else context.named_stream(act, work)
    _, due = work.advance(stream)
    merging.take_step(act, work, stream)
    credited = credit_awaiting(work, stream, work.clock_now())
    account = work.account(stream)
    where = work.append(stream, account.version, ())
    message = context.posting("", with_ends(account, work.ends), due, where)
    message.movements.extend(credited)
    message.more = merging.is_source(account)
    return context.register(act, work, where, message)
