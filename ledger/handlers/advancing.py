"""AdvanceAccount: records what is due for an account, though nobody touches it."""

from ledger.act import Act, Answer
from ledger.ends import with_ends
from ledger.handlers import context, merging
from ledger.handlers.awaiting import credit_awaiting
from ledger.work import Work
from loyalty.v1.ledger_service_pb2 import AdvanceAccountRequest


def advance_account(act: Act, work: Work) -> Answer:
    """Record what time has decided, and bring on what waits for nobody.

    That is a merge that was begun, and documents that wait for the member's identities.
    """
    assert isinstance(act.request, AdvanceAccountRequest)
    # Time goes on for an account that is on the move, too.
    stream = context.named_stream(act, work)
    _, due = work.advance(stream)
    merging.take_step(work, stream)
    credited = credit_awaiting(work, stream, work.clock_now())
    account = work.account(stream)
    where = work.append(stream, account.version, ())
    message = context.posting("", with_ends(account, work.ends), due, where)
    message.movements.extend(credited)
    return context.register(act, work, where, message)
