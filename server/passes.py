"""Passes over what is due: each hands requests to a ledger, behind whatever waits there.

A pass decides nothing. What it asks for has a request id made of what is due, so that a second
process, or the same one after a crash, only repeats requests that are answered with their first
answer. There is nothing to remember and nothing to lock.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

from ledger.core.instant import SECOND
from ledger.core.refusals import Refusal
from ledger.service import Ledger
from loyalty.v1.ledger_service_pb2 import Posting

Request = TypeVar("Request")
Outcome = Posting | str
"""An answer, or the reason of a refusal."""
Send = Callable[[Sequence[Request]], Awaitable[list[Outcome]]]
"""Hands requests to a ledger; outcomes by index."""

BEHIND: Final = SECOND
"""How far a pass stays behind the database's clock, for the writer's may be behind it by half a
second: what was asked for too early would use up its request id, and record nothing."""
_LATER: Final = frozenset({"NOT_SERVING", "QUEUE_FULL", "DEADLINE_PASSED"})
"""Reasons for which the ledger takes nothing at present: clocks that differ, a drain, a crowd."""


class PassStopped(Exception):
    """The ledger takes nothing at present. The next pass goes on where this one ended."""

    def __init__(self, reason: str) -> None:
        """Say the reason of the refusal."""
        super().__init__(f"the ledger takes no writes at present: {reason}")


async def outcomes_of(send: Send[Request], requests: Sequence[Request]) -> list[Outcome]:
    """What became of requests. Raises PassStopped, and what `send` raises."""
    outcomes = await send(requests)
    for outcome in outcomes:
        if isinstance(outcome, str) and outcome in _LATER:
            raise PassStopped(outcome)
    return outcomes


def into(ledger: Ledger, *, client: str) -> Send[Any]:
    """Send to a ledger of this process, as a client of that name."""

    async def send(requests: Sequence[Any]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for answer in await ledger.write_batch(requests, client=client):
            if isinstance(answer, Refusal):
                outcomes.append(answer.reason)
            else:
                assert isinstance(answer.message, Posting), "what is due is answered with a posting"
                outcomes.append(answer.message)
        return outcomes

    return send
