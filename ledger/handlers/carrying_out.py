"""A command to an account: decided on it as it stands, and recorded.

Time comes first. A handler advances the account before it makes the command, which may be about
what that has changed.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ledger.core.commands import Command
from ledger.core.decide import decide
from ledger.core.decision import Decision, Outcome
from ledger.core.events import AnyFact, Fact
from ledger.core.state import Account
from ledger.ends import with_ends
from ledger.handlers import context
from ledger.known import Range
from ledger.work import Work
from loyalty.v1.ledger_service_pb2 import Posting


class Done(NamedTuple):
    """A command that was decided and recorded."""

    account: Account
    """As it is now."""
    facts: tuple[Fact, ...]
    outcome: Outcome
    where: Range


def decided(work: Work, stream: str, command: Command) -> Decision:
    """Decide a command on an account that was advanced. Raises what the command raises."""
    return decide(
        command,
        work.account(stream),
        now=work.now(stream),
        ladder=work.policies.ladder,
        ends=work.ends,
    )


def carry_out(work: Work, stream: str, command: Command) -> Done:
    """As `decided`, and record it."""
    decision = decided(work, stream, command)
    where = work.record(stream, decision)
    return Done(decision.account, decision.facts, decision.outcome, where)


def posting(work: Work, entry_id: str, due: Sequence[AnyFact], done: Done) -> Posting:
    """Tell what a command did, after what time had done before it."""
    facts = [*due, *(fact.event for fact in done.facts)]
    return context.posting(entry_id, with_ends(done.account, work.ends), facts, done.where)
