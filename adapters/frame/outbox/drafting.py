"""The drafter: looks at accounts that were marked, and makes messages of what is news.

It reads the account as it is, so however many facts there were, there is one look and at most one
message of a kind. What is to be told is committed before it is sent: sent again, it is the same.
"""

import asyncio
from typing import Final

import asyncpg
import structlog

from adapters.frame import moments
from adapters.frame.metrics import Metrics
from adapters.frame.moments import SECOND
from adapters.frame.outbox import store
from adapters.frame.outbox.messages import ERASED, MERGED, Member, next_look, states_of
from adapters.frame.outbox.subscription import Subscription
from adapters.frame.posting import LATER, Ledger, Refused
from adapters.frame.words import RetryLater
from loyalty.v1 import account_service_pb2 as account_pb
from loyalty.v1.types_pb2 import MemberRef

log = structlog.get_logger(__name__)

MEMBERS_MAX: Final = 100
READS_MAX: Final = 8
REFUSED_SECONDS: Final = 300
"""After this long an account is asked for again that the ledger would not tell."""


class Drafter:
    """Drafts for one subscription."""

    def __init__(
        self, pool: asyncpg.Pool, subscription: Subscription, *, ledger: Ledger, metrics: Metrics
    ) -> None:
        """Read through `ledger`, whose token has the verb read."""
        self._pool = pool
        self._told = subscription.file
        self._ledger = ledger
        self._metrics = metrics
        self._reading = asyncio.Semaphore(READS_MAX)

    async def step(self) -> bool:
        """Look at some members; False when nobody is due. Raises RetryLater: no answer."""
        name = self._told.subscription
        async with self._pool.acquire() as session, session.transaction():
            members = await store.to_be_looked_at(session, self._told, MEMBERS_MAX)
            if not members:
                return False
            await asyncio.gather(*map(self._look, members))
            replaced = await store.keep_drafts(session, name, members)
        for kind in replaced:
            self._metrics.told.labels(name, kind, "replaced").inc()
        return True

    async def _look(self, member: Member) -> None:
        if member.erased:
            member.leave(ERASED, {}, events=self._told.events, now=moments.now())
            return
        request = account_pb.GetAccountRequest(
            member=MemberRef(member_id=member.member_id), view=account_pb.VIEW_FULL
        )
        async with self._reading:
            given = await self._ledger.call(self._ledger.accounts.GetAccount, request)
        now = moments.now()
        if isinstance(given, Refused):
            self._refused(member, given, now)
            return
        account: account_pb.Account = given.account
        if account.member_id != member.member_id:
            # Who was merged into another is that one now, and told of under that one's name.
            into = {"into": account.member_id}
            member.leave(MERGED, into, events=self._told.events, now=now)
            return
        member.state(states_of(self._told, account, member.customers, now=now), now=now)
        member.look_at = next_look(self._told, account, now=now)

    def _refused(self, member: Member, refused: Refused, now: int) -> None:
        if refused.reason in LATER:
            raise RetryLater(f"the ledger answers {refused.reason}")
        member.gone = refused.reason == "UNKNOWN_MEMBER"
        member.look_at = now + REFUSED_SECONDS * SECOND
        member.problem = f"ledger_{refused.reason.lower()}"
        if not member.gone:
            log.warning("account_not_told", reason=refused.reason, member=member.member_id)
