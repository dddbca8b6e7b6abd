"""The outbox's tables: marks by the follower, drafts, messages, and what became of them.

A row of `outbox_member` is what one subscription knows of one member. Whoever works on it holds it
locked, so a member is told one thing after the other, however many processes there are.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from adapters.frame import moments
from adapters.frame.database import Session
from adapters.frame.outbox.messages import LEFT, Member, Message
from adapters.frame.outbox.subscription import SubscriptionFile

_SUBSCRIBE: Final = """
INSERT INTO adapters.outbox_subscription (subscription, connection, customer_scheme)
VALUES ($1, $2, $3)
ON CONFLICT (subscription) DO UPDATE
   SET connection = excluded.connection, customer_scheme = excluded.customer_scheme"""
_POSITIONS: Final = """
SELECT positions, caught_up FROM adapters.outbox_subscription
 WHERE subscription = $1 FOR UPDATE SKIP LOCKED"""
_MOVE: Final = """
UPDATE adapters.outbox_subscription
   SET positions = $2, caught_up = caught_up OR $3, followed_at = now() WHERE subscription = $1"""
_NEWS: Final = """
DELETE FROM adapters.outbox_news WHERE subscription = $1 RETURNING member_id"""
# In order of the members, as everybody who locks several of them does.
_MARK: Final = """
INSERT INTO adapters.outbox_member (subscription, member_id, version, erased, quiet, look_at)
SELECT $1, member_id, version, erased, $5, now()
  FROM unnest($2::text[], $3::bigint[], $4::bool[]) AS n (member_id, version, erased)
 ORDER BY member_id
ON CONFLICT (subscription, member_id) DO UPDATE
   SET version = greatest(outbox_member.version, excluded.version), look_at = now(),
       erased = outbox_member.erased OR excluded.erased"""
# That a receiver was told that somebody left is kept like other messages that were sent.
_FORGET_MESSAGES: Final = """
DELETE FROM adapters.outbox_message WHERE subscription = $1 AND member_id = ANY($2)
   AND NOT (state = 'sent' AND kind = ANY($3))"""
_FORGET_TOLD: Final = """
UPDATE adapters.outbox_member SET told = '{}', send_at = NULL, attempts = 0, problem = ''
 WHERE subscription = $1 AND member_id = ANY($2)"""
_FORGET_MEMBERS: Final = """
DELETE FROM adapters.outbox_member WHERE subscription = $1 AND member_id = ANY($2)"""
_FORGET_CUSTOMERS: Final = "DELETE FROM adapters.known_customer WHERE member_id = ANY($1)"
_MERGE_CUSTOMERS: Final = """
UPDATE adapters.known_customer SET member_id = $2 WHERE member_id = $1"""
_CLAIM_LOOKS: Final = """
SELECT m.member_id, m.version, m.told, m.quiet, m.known, m.erased
  FROM adapters.outbox_member m
 WHERE m.subscription = $1 AND m.look_at <= now()
   AND (SELECT caught_up FROM adapters.outbox_subscription WHERE subscription = $1)
 ORDER BY m.look_at LIMIT $2 FOR UPDATE OF m SKIP LOCKED"""
_CUSTOMERS: Final = """
SELECT member_id, value FROM adapters.known_customer
 WHERE connection = $1 AND scheme = $2 AND member_id = ANY($3) ORDER BY value"""
_REPLACED: Final = """
DELETE FROM adapters.outbox_message o
 USING unnest($2::text[], $3::text[]) AS n (member_id, kind)
 WHERE o.subscription = $1 AND o.member_id = n.member_id AND o.kind = n.kind
   AND o.state = 'waiting'
RETURNING o.kind"""
_ADD: Final = """
INSERT INTO adapters.outbox_message
       (message_id, subscription, member_id, kind, version, body, state)
SELECT message_id, $1, member_id, kind, version, body, 'waiting'
  FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[]) WITH ORDINALITY
       AS n (message_id, member_id, kind, version, body, place) ORDER BY place"""
_LOOKED: Final = """
UPDATE adapters.outbox_member m
   SET told = n.told, quiet = n.quiet, problem = n.problem, known = n.known,
       look_at = to_timestamp(n.look_at) + n.micros * interval '1 microsecond',
       send_at = CASE WHEN n.made THEN coalesce(m.send_at, now()) ELSE m.send_at END
  FROM unnest($2::text[], $3::text[], $4::bool[], $5::text[], $6::bigint[], $7::bigint[],
              $8::bool[], $9::bool[])
       AS n (member_id, told, quiet, problem, look_at, micros, made, known)
 WHERE m.subscription = $1 AND m.member_id = n.member_id"""
_CLAIM_SENDS: Final = """
SELECT member_id, attempts FROM adapters.outbox_member
 WHERE subscription = $1 AND send_at <= now()
 ORDER BY send_at LIMIT $2 FOR UPDATE SKIP LOCKED"""
_WAITING: Final = """
SELECT message_id, member_id, kind, version, body FROM adapters.outbox_message
 WHERE subscription = $1 AND member_id = ANY($2) AND state = 'waiting' ORDER BY number"""
_SETTLE: Final = """
UPDATE adapters.outbox_message o
   SET state = n.state, problem = n.problem, attempts = n.attempts, changed_at = now()
  FROM unnest($1::text[], $2::text[], $3::text[], $4::int[])
       AS n (message_id, state, problem, attempts)
 WHERE o.message_id = n.message_id"""
_SENT: Final = """
UPDATE adapters.outbox_member m
   SET attempts = n.attempts, problem = n.problem, send_at = now() + n.wait * interval '1 second'
  FROM unnest($2::text[], $3::int[], $4::text[], $5::int[])
       AS n (member_id, attempts, problem, wait)
 WHERE m.subscription = $1 AND m.member_id = n.member_id"""
# Looked at once more: who was merged is forgotten then, and who is back is told of anew.
_LEFT: Final = """
UPDATE adapters.outbox_member SET known = false, told = '{}', look_at = coalesce(look_at, now())
 WHERE subscription = $1 AND member_id = ANY($2)"""


@dataclass(slots=True)
class Progress:
    """What a step of following found, by which the checkpoint moves."""

    positions: dict[int, int]
    caught_up: bool = False
    versions: dict[str, int] = field(default_factory=dict)
    """By member, the running number of the newest fact."""
    erased: list[str] = field(default_factory=list)
    merged: list[tuple[str, str]] = field(default_factory=list)
    """Accounts that are another one's now, with that one."""


@dataclass(slots=True)
class Told:
    """What became of a member's messages in one go."""

    member_id: str
    attempts: int
    """Failures of the first message that still waits, in a row."""
    wait: int | None = None
    """Seconds until the next attempt; None: nothing waits."""
    problem: str = ""
    settled: list[tuple[Message, str, str, int]] = field(default_factory=list)
    """Messages with state, problem and attempts."""
    left_alone: int = 0
    """For how many seconds the receiver asked to be left alone."""

    @property
    def left(self) -> bool:
        """Whether the receiver knows now that this member is no more."""
        if not self.settled:
            return False
        message, state, *_ = self.settled[-1]
        return message.kind in LEFT and state == "sent"


async def subscribe(session: Session, told: SubscriptionFile) -> None:
    """Let there be a row for a subscription."""
    await session.execute(_SUBSCRIBE, told.subscription, told.connection, told.customer_scheme)


async def checkpoint(session: Session, subscription: str) -> tuple[dict[int, int], bool] | None:
    """Lock the checkpoint and return it, and whether the present was reached once.

    None: another process follows just now. Within a transaction.
    """
    row = await session.fetchrow(_POSITIONS, subscription)
    if row is None:
        return None
    read: Mapping[str, int] = json.loads(row["positions"])
    return {int(lane): pos for lane, pos in read.items()}, row["caught_up"]


async def follow(session: Session, told: SubscriptionFile, found: Progress, *, quiet: bool) -> int:
    """Mark who changed and move the checkpoint, in the caller's transaction; how many changed."""
    name = told.subscription
    versions = dict(found.versions)
    for row in await session.fetch(_NEWS, name):
        versions.setdefault(row["member_id"], 0)
    for source, target in found.merged:
        await session.execute(_MERGE_CUSTOMERS, source, target)
        versions.setdefault(target, 0)
    if found.erased:
        await session.execute(_FORGET_CUSTOMERS, found.erased)
    erased = set(found.erased)
    gone = sorted(erased.union(source for source, _ in found.merged))
    if gone:
        await session.execute(_FORGET_MESSAGES, name, gone, LEFT)
        await session.execute(_FORGET_TOLD, name, gone)
    marked = sorted(versions)
    if marked:
        newest = [versions[each] for each in marked]
        are_erased = [each in erased for each in marked]
        await session.execute(_MARK, name, marked, newest, are_erased, quiet)
    positions = json.dumps({str(lane): pos for lane, pos in sorted(found.positions.items())})
    await session.execute(_MOVE, name, positions, found.caught_up)
    return len(marked)


async def forget(session: Session, subscription: str, members: Collection[str]) -> None:
    """Forget all that is known of members and all that was to be told of them."""
    if members:
        await session.execute(_FORGET_MESSAGES, subscription, sorted(members), LEFT)
        await session.execute(_FORGET_MEMBERS, subscription, sorted(members))


async def to_be_looked_at(session: Session, told: SubscriptionFile, most: int) -> list[Member]:
    """Lock members at whom somebody has to look, with their customer numbers."""
    rows = await session.fetch(_CLAIM_LOOKS, told.subscription, most)
    found = [Member(**{**dict(row), "told": json.loads(row["told"])}) for row in rows]
    if not (told.connection and found):
        return found
    customers: dict[str, list[str]] = {}
    ids = [member.member_id for member in found]
    for row in await session.fetch(_CUSTOMERS, told.connection, told.customer_scheme, ids):
        customers.setdefault(row["member_id"], []).append(row["value"])
    for member in found:
        member.customers = tuple(customers.get(member.member_id, ()))
    return found


async def keep_drafts(
    session: Session, subscription: str, members: Sequence[Member]
) -> Sequence[str]:
    """Keep what was found; the kinds of the messages that newer ones replace."""
    await forget(session, subscription, [each.member_id for each in members if each.gone])
    kept = [each for each in members if not each.gone]
    made = [message for member in kept for message in member.made]
    left = [message.member_id for message in made if message.kind in LEFT]
    if left:
        await session.execute(_FORGET_MESSAGES, subscription, left, LEFT)
    replaced = await session.fetch(
        _REPLACED,
        subscription,
        [message.member_id for message in made],
        [message.kind for message in made],
    )
    await session.execute(
        _ADD,
        subscription,
        [message.message_id for message in made],
        [message.member_id for message in made],
        [message.kind for message in made],
        [message.version for message in made],
        [message.body for message in made],
    )
    looks = [divmod(each.look_at, moments.SECOND) if each.look_at else None for each in kept]
    await session.execute(
        _LOOKED,
        subscription,
        [each.member_id for each in kept],
        [json.dumps(each.told) for each in kept],
        [each.quiet for each in kept],
        [each.problem for each in kept],
        [look[0] if look else None for look in looks],
        [look[1] if look else None for look in looks],
        [bool(each.made) for each in kept],
        [each.known for each in kept],
    )
    return [row["kind"] for row in replaced]


async def to_be_told(
    session: Session, subscription: str, most: int
) -> list[tuple[str, int, list[Message]]]:
    """Lock members of whom messages are due: id, failures in a row, messages in order."""
    rows = await session.fetch(_CLAIM_SENDS, subscription, most)
    waiting: dict[str, list[Message]] = {row["member_id"]: [] for row in rows}
    for row in await session.fetch(_WAITING, subscription, list(waiting)) if rows else ():
        waiting[row["member_id"]].append(Message(**dict(row)))
    return [(row["member_id"], row["attempts"], waiting[row["member_id"]]) for row in rows]


async def keep_outcomes(session: Session, subscription: str, told: Sequence[Told]) -> None:
    """Keep what became of messages."""
    settled = [each for member in told for each in member.settled]
    await session.execute(
        _SETTLE,
        [message.message_id for message, *_ in settled],
        [state for _, state, *_ in settled],
        [problem for *_, problem, _ in settled],
        [attempts for *_, attempts in settled],
    )
    await session.execute(
        _SENT,
        subscription,
        [each.member_id for each in told],
        [each.attempts for each in told],
        [each.problem for each in told],
        [each.wait for each in told],
    )
    left = [each.member_id for each in told if each.left]
    if left:
        await session.execute(_LEFT, subscription, left)
