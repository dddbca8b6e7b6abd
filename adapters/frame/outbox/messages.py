"""What is told of an account, and the messages that say it.

What a receiver wants is state, so a message says how things are and not by how much they changed:
of several changes only the last has to arrive, and one that arrives twice says the same.
"""

import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from google.protobuf.timestamp_pb2 import Timestamp
from uuid_utils import uuid7

from adapters.frame import moments
from adapters.frame.moments import DAY
from adapters.frame.outbox.subscription import SubscriptionFile
from loyalty.v1.account_service_pb2 import Account

State = Mapping[str, Any]

BALANCE: Final = "balance.changed"
TIER: Final = "tier.changed"
EXPIRING: Final = "points.expiring"
PROFILE: Final = "profile.changed"
ERASED: Final = "member.erased"
MERGED: Final = "member.merged"
LEFT: Final = (ERASED, MERGED)
"""What is told last of a member who is no more."""
NANOS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Message:
    """Something that a receiver is told."""

    message_id: str
    """The same whenever it is sent again."""
    member_id: str
    kind: str
    version: int
    body: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempt; without a problem it was delivered."""

    problem: str = ""
    seconds: int = 0
    """For how long the receiver asks to be left alone."""
    final: bool = False
    """It is no use to try it again."""


@dataclass(slots=True)
class Member:
    """A member under work, whose row is locked: what was said last, and what is to be said now."""

    member_id: str
    version: int
    """Running number of the newest fact in the account that we know of."""
    told: dict[str, State]
    quiet: bool
    """What is so now counts as told."""
    known: bool = False
    """Something of this member was told, or counts as told."""
    erased: bool = False
    """Nothing is told of this account any more, but that."""
    customers: tuple[str, ...] = ()
    look_at: int | None = None
    """When time alone changes what is to be told, microseconds."""
    gone: bool = False
    """There is no such member any more, and nothing to remember."""
    problem: str = ""
    made: list[Message] = field(default_factory=list)

    def state(self, states: Mapping[str, State], *, now: int) -> None:
        """Make messages of what differs from what was told."""
        told = self.told
        self.told = {kind: told[kind] for kind in states if kind in told}
        for kind, state in states.items():
            before = told.get(kind)
            # That no points expire is news only to who was told that some do.
            if state == before or (before is None and state.get("expiring") == []):
                continue
            self.told[kind] = state
            if not self.quiet:
                self.made.append(self._message(kind, state, now))
        self.quiet = False
        self.known = self.known or bool(self.told)

    def leave(self, kind: str, state: State, *, events: Container[str], now: int) -> None:
        """There is no such member any more: say so to who was told of the member before."""
        if self.known and kind in events:
            self.state({kind: state}, now=now)
        else:
            # Who was erased is remembered: facts may follow in the account that is left.
            self.told, self.gone = {}, not self.erased

    def _message(self, kind: str, state: State, now: int) -> Message:
        data = {"member_id": self.member_id, "version": self.version, **state}
        said = {"type": kind, "timestamp": written(now), "data": data}
        body = json.dumps(said, separators=(",", ":"))
        return Message(f"msg_{uuid7().hex}", self.member_id, kind, self.version, body)


def states_of(
    told: SubscriptionFile, account: Account, customers: Sequence[str], *, now: int
) -> dict[str, State]:
    """Return what a subscription is told of an account as it is now, by kind."""
    if told.connection and not customers:
        return {}
    named: State = {"customers": list(customers)} if told.connection else {}
    if told.profile is not None:
        points = _available(account, told.profile.currency)
        return {PROFILE: {**named, "points": points, "tier": account.tier}}
    horizon = now + told.expiring_days * DAY
    states: dict[str, State] = {
        BALANCE: {**named, "balances": _balances(told, account)},
        TIER: {**named, "tier": account.tier, "valid_until": _valid_until(account)},
        EXPIRING: {**named, "expiring": _expiring(told, account, horizon)},
    }
    return {kind: state for kind, state in states.items() if kind in told.events}


def _available(account: Account, currency: str) -> int:
    return sum(row.available for row in account.balances if row.currency == currency)


def _balances(told: SubscriptionFile, account: Account) -> list[dict[str, Any]]:
    return [
        {
            "currency": row.currency,
            "available": row.available,
            "pending": row.pending,
            "held": row.held,
            "owed": row.arrears,
        }
        for row in sorted(account.balances, key=lambda row: row.currency)
        if not told.currencies or row.currency in told.currencies
    ]


def _valid_until(account: Account) -> str | None:
    if not account.HasField("tier_valid_until_time"):
        return None
    return written(micros(account.tier_valid_until_time))


def _expiring(told: SubscriptionFile, account: Account, before: int) -> list[dict[str, Any]]:
    """What expires before a time, by currency and moment, the next first."""
    sums: dict[tuple[int, str], int] = {}
    for lot in account.lots:
        if not lot.available or not lot.HasField("expire_time"):
            continue
        key = micros(lot.expire_time), lot.currency
        if key[0] <= before and (not told.currencies or lot.currency in told.currencies):
            sums[key] = sums.get(key, 0) + lot.available
    return [
        {"currency": currency, "points": points, "expires": written(moment)}
        for (moment, currency), points in sorted(sums.items())
    ]


def next_look(told: SubscriptionFile, account: Account, *, now: int) -> int | None:
    """Return when time alone changes what is told: points expire, come near that, become free."""
    ends = [micros(each.expire_time) for each in account.lots if each.HasField("expire_time")]
    near = told.expiring_days * DAY
    found = [*ends, *(end - near for end in ends)]
    found += [
        micros(each.available_time) for each in account.lots if each.HasField("available_time")
    ]
    found += [micros(each.expire_time) for each in account.holds if each.HasField("expire_time")]
    if account.HasField("tier_valid_until_time"):
        found.append(micros(account.tier_valid_until_time))
    return min((moment for moment in found if moment > now), default=None)


def micros(time: Timestamp) -> int:
    """Return a time of the contract in microseconds."""
    return time.seconds * moments.SECOND + time.nanos // NANOS


def written(moment: int) -> str:
    """Return a time as messages write it: ISO 8601, UTC, with Z."""
    return moments.utc(moment).isoformat().replace("+00:00", "Z")
