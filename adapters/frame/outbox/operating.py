"""What operators ask of the outbox and tell it: what went out, what is stuck, telling it again."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import asyncpg

from adapters.frame import moments
from adapters.frame.outbox.messages import Member, Message, states_of
from adapters.frame.outbox.profiles import shown_of
from adapters.frame.outbox.signing import headers_of
from adapters.frame.outbox.subscription import Subscription
from adapters.frame.posting import Ledger, Refused
from loyalty.v1 import account_service_pb2 as account_pb
from loyalty.v1.types_pb2 import MemberRef

STATES: Final = ("waiting", "sent", "dead")
_LIST: Final = """
SELECT o.message_id, o.subscription, o.member_id, o.kind, o.version, o.state, o.attempts,
       o.problem, o.created_at, o.changed_at,
       CASE WHEN o.state = 'waiting' THEN m.send_at END AS send_at, o.body
  FROM adapters.outbox_message o
  LEFT JOIN adapters.outbox_member m USING (subscription, member_id)
 WHERE ($1 = '' OR o.subscription = $1) AND ($2 = '' OR o.state = $2)
   AND ($3 = '' OR o.member_id = $3)
 ORDER BY o.number DESC LIMIT $4"""
# What is dead is not sent as it was: the account is looked at again, and its state now is told.
_RETRY_DEAD: Final = """
WITH gone AS (
  DELETE FROM adapters.outbox_message
   WHERE state = 'dead' AND ($1 = '' OR subscription = $1) AND ($2 = '' OR member_id = $2)
     AND ($3 = '' OR kind = $3)
  RETURNING subscription, member_id, kind
), again AS (
  SELECT subscription, member_id, array_agg(kind) AS kinds FROM gone GROUP BY 1, 2
)
UPDATE adapters.outbox_member m SET told = (m.told::jsonb - again.kinds)::text, look_at = now()
  FROM again
 WHERE m.subscription = again.subscription AND m.member_id = again.member_id
RETURNING cardinality(again.kinds) AS messages"""
_RETRY_WAITING: Final = """
UPDATE adapters.outbox_member m SET send_at = now(), attempts = 0
 WHERE send_at IS NOT NULL AND ($1 = '' OR subscription = $1) AND ($2 = '' OR member_id = $2)
   AND EXISTS (SELECT FROM adapters.outbox_message o
                WHERE o.subscription = m.subscription AND o.member_id = m.member_id
                  AND o.state = 'waiting' AND ($3 = '' OR o.kind = $3))
RETURNING member_id"""
_TELL_EVERYBODY: Final = """
UPDATE adapters.outbox_member SET told = '{}', quiet = false, look_at = now()
 WHERE subscription = $1 AND ($2 = '' OR member_id = $2)
RETURNING member_id"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be told again. Empty fields leave nothing out."""

    subscription: str = ""
    member_id: str = ""
    kind: str = ""
    everything: bool = False
    """The whole state anew, of every member of the subscription: its receiver lost what it had."""

    def __str__(self) -> str:
        """Return it as one line."""
        named = {
            "subscription": self.subscription,
            "member": self.member_id,
            "kind": self.kind,
            "everything": "yes" if self.everything else "",
        }
        said = " ".join(f"{name}={value}" for name, value in named.items() if value)
        return f"outbox {said or 'all'}"


async def messages(
    pool: asyncpg.Pool, *, subscription: str, state: str, member_id: str, limit: int
) -> list[dict[str, Any]]:
    """Return messages, the newest first."""
    rows = await pool.fetch(_LIST, subscription, state, member_id, limit)
    return [dict(row) for row in rows]


async def retry(
    pool: asyncpg.Pool, wanted: Wanted, *, operator: str, why: str
) -> Mapping[str, int]:
    """Let what is dead or waits be told now; how many members and messages that is."""
    names = wanted.subscription, wanted.member_id
    async with pool.acquire() as session, session.transaction():
        if wanted.everything:
            members = len(await session.fetch(_TELL_EVERYBODY, *names))
            count = 0
        else:
            dead = await session.fetch(_RETRY_DEAD, *names, wanted.kind)
            waiting = await session.fetch(_RETRY_WAITING, *names, wanted.kind)
            count, members = sum(row["messages"] for row in dead), len(dead) + len(waiting)
        await session.execute(
            "INSERT INTO adapters.operator_act (operator, what, why, subjects, deliveries)"
            " VALUES ($1, $2, $3, $4, $5)",
            operator,
            str(wanted),
            why,
            members,
            count,
        )
    return {"members": members, "dead": count}


async def draft(
    ledger: Ledger, subscription: Subscription, member: MemberRef, customer: str
) -> list[dict[str, Any]]:
    """Return what a subscription would be told of a member now; nothing is sent or kept.

    Raises:
        RetryLater, Parked, Unreadable: the ledger does not tell the account, or the file does not
            say what a profile's system calls the tier.
    """
    request = account_pb.GetAccountRequest(member=member, view=account_pb.VIEW_FULL)
    given = await ledger.call(ledger.accounts.GetAccount, request)
    if isinstance(given, Refused):
        raise given.raised()
    account: account_pb.Account = given.account
    now = moments.now()
    about = Member(account.member_id, 0, {}, quiet=False)
    customers = (customer,) if customer else ()
    about.state(states_of(subscription.file, account, customers, now=now), now=now)
    return [_drafted(subscription, made, now) for made in about.made]


def _drafted(subscription: Subscription, made: Message, now: int) -> dict[str, Any]:
    said = {"kind": made.kind, "receiver": subscription.file.receiver}
    if subscription.file.profile is not None:
        return {**said, **asdict(shown_of(subscription.file.profile, made.body))}
    signed = headers_of(made.message_id, made.body, subscription.keys(), sent_at=now)
    return {**said, "headers": dict(signed), "body": made.body}
