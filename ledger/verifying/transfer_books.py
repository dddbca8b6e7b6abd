"""Books of points in motion: what leaves an account whole, fee and all, and arrives in one other.

The book of an account follows its own facts. What sender and receiver say of one transfer is held
against each other at the end, by `ledger.verifying.two_sides`.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import rules
from ledger.core.draws import write_life
from ledger.core.events import AccountFact
from ledger.core.instant import Instant, from_timestamp, optional_timestamp
from ledger.verifying.findings import Finding, Reason
from ledger.verifying.two_sides import Sides, Told, name_of
from loyalty.v1.events_pb2 import (
    BurnReversed,
    ConvertedPointsIssued,
    PointsBurned,
    PointsConverted,
    PointsReceived,
    PointsReturned,
    PointsSent,
    TransferCompleted,
)
from loyalty.v1.types_pb2 import Draw, LotLife, MovedLot

Moving = (
    PointsSent
    | PointsReceived
    | TransferCompleted
    | PointsReturned
    | PointsConverted
    | ConvertedPointsIssued
)


def is_moving(fact: AccountFact) -> bool:
    """Whether a fact is about points in motion; a fee and its return are too."""
    if isinstance(fact, PointsBurned):
        return fact.fee
    if isinstance(fact, BurnReversed):
        return fact.entry_id == fact.burn_entry_id
    return isinstance(fact, Moving)


class _Open(NamedTuple):
    """A transfer that was sent and has not ended."""

    sent: PointsSent
    name: int
    pos: int


class TransferBook:
    """Transfers and conversions of one account."""

    __slots__ = ("_account", "_back", "_converted", "_fees", "_open", "told")

    def __init__(self, account_id: str) -> None:
        """Begin with none under way."""
        self._account = account_id
        self._open: dict[str, _Open] = {}
        self._fees: dict[str, int] = {}
        """Points of fees that are to be burned, by entry."""
        self._back: dict[str, int] = {}
        """Points of fees that are to come back, by entry."""
        self._converted: PointsConverted | None = None
        self.told: list[Told] = []
        """What the other side has to say too; whoever holds them against each other takes it."""

    def enter(
        self,
        fact: AccountFact,
        pos: int,
        policy: rules.Policy | None,
        member_since: Instant | None,
    ) -> Iterator[str]:
        """Enter a fact; yield what is wrong. `policy` is the one it names, None: not looked at."""
        match fact:
            case PointsSent():
                yield from self._send(fact, pos, policy)
            case PointsReceived():
                receiver = fact.sent_to_id or self._account
                self.told.append(Told("received", _name(fact, fact.sender_id, receiver), pos))
            case TransferCompleted() | PointsReturned():
                yield from self._end(fact, pos)
            case PointsBurned() | BurnReversed():
                yield from self._fee(fact)
            case PointsConverted():
                yield from self._convert(fact, policy)
            case ConvertedPointsIssued():
                yield from self._issue(fact, policy, member_since)
            case _:
                raise AssertionError(f"a {type(fact).__name__} moves no points")

    def _fee(self, fact: PointsBurned | BurnReversed) -> Iterator[str]:
        due = self._fees if isinstance(fact, PointsBurned) else self._back
        if due.pop(fact.entry_id, None) != fact.points:
            yield f"{fact.points} points are not the fee that is due in entry {fact.entry_id}"

    def digest_of(self, fact: AccountFact) -> str:
        """Digest of the policy that a fact was decided under, where that matters here."""
        if isinstance(fact, ConvertedPointsIssued):
            return self._converted.policy_digest if self._converted is not None else ""
        return fact.policy_digest if isinstance(fact, PointsSent | PointsConverted) else ""

    def _send(self, sent: PointsSent, pos: int, policy: rules.Policy | None) -> Iterator[str]:
        if sent.entry_id in self._open:
            yield f"transfer {sent.entry_id} was sent before"
        name = _name(sent, self._account, sent.receiver_id)
        self._open[sent.entry_id] = _Open(sent, name, pos)
        if sent.fee:
            self._fees[sent.entry_id] = sent.fee
        yield from _unlike(sent.draws, sent.lots, sent.entry_id)
        if policy is not None:
            known = {terms.id for terms in policy.model.transfers}
            if sent.terms not in known:
                yield f"the policy has no terms {sent.terms!r}"
            elif rules.fee_of(policy, sent.terms, sent.points) != sent.fee:
                yield f"the fee is {sent.fee}, the policy's terms give another"

    def _end(self, fact: TransferCompleted | PointsReturned, pos: int) -> Iterator[str]:
        begun = self._open.pop(fact.entry_id, None)
        if begun is None:
            yield f"transfer {fact.entry_id} is not under way"
            return
        sent = begun.sent
        if list(fact.draws) != list(sent.draws) or fact.receiver_id != sent.receiver_id:
            yield f"transfer {fact.entry_id} ends with other points than were sent"
        if isinstance(fact, TransferCompleted):
            self.told.append(Told("completed", begun.name, pos))
        elif sent.fee:
            self._back[fact.entry_id] = sent.fee

    def _convert(self, fact: PointsConverted, policy: rules.Policy | None) -> Iterator[str]:
        if self._converted is not None:
            yield f"nothing was issued for conversion {self._converted.entry_id}"
        self._converted = fact
        if fact.fee:
            self._fees[fact.entry_id] = fact.fee
        if policy is None:
            return
        entry = next(
            (each for each in policy.model.conversions if each.id == fact.conversion), None
        )
        if entry is None:
            yield f"the policy has no conversion {fact.conversion!r}"
        elif entry.fee_points != fact.fee:
            yield f"the fee is {fact.fee}, the policy's conversion asks for {entry.fee_points}"

    def _issue(
        self,
        fact: ConvertedPointsIssued,
        policy: rules.Policy | None,
        member_since: Instant | None,
    ) -> Iterator[str]:
        given, self._converted = self._converted, None
        if given is None or given.entry_id != fact.entry_id:
            yield f"lot {fact.lot_id} is issued for no conversion"
            return
        stated = (given.into, given.received, given.business_unit)
        if stated != (fact.currency, fact.points, fact.business_unit):
            yield f"conversion {fact.entry_id} issues other points than it says"
        if policy is None:
            return
        try:
            at = from_timestamp(fact.earned_time)
            again = rules.convert(
                policy, given.conversion, given.points, at=at, member_since=member_since
            )
        except rules.RulesRefusal as refused:
            yield f"conversion {fact.entry_id} cannot be made again: {refused}"
            return
        if (again.into, again.received, again.issuer) != stated:
            yield f"the policy converts {given.points} into {again.received} {again.into}"
        if _end_of(again, given.policy_digest) != (fact.expire_time, fact.life):
            yield f"lot {fact.lot_id} lives otherwise than the policy says"

    def close(self) -> Iterator[str]:
        """Yield what has no end that it must have; transfers may be under way."""
        for entry_id in self._fees:
            yield f"the fee of entry {entry_id} was never burned"
        for entry_id in self._back:
            yield f"transfer {entry_id} came back without its fee"
        if self._converted is not None:
            yield f"nothing was issued for conversion {self._converted.entry_id}"
        for begun in self._open.values():
            self.told.append(Told("sent", begun.name, begun.pos))


def _unlike(draws: Iterable[Draw], lots: Iterable[MovedLot], entry_id: str) -> Iterator[str]:
    """What the lots that shall be made do not have of those that are drawn."""
    expected = [
        MovedLot(
            lot_id=f"{entry_id}.{number}",
            parent_lot_id=draw.lot_id,
            points=draw.points,
            issuer=draw.issuer,
            funder=draw.funder,
            earned_time=draw.earned_time,
            expire_time=draw.expire_time if draw.HasField("expire_time") else None,
            grace=draw.grace,
        )
        for number, draw in enumerate(draws, start=1)
    ]
    made = []
    for lot, draw in zip(lots, draws, strict=False):
        alike = MovedLot()
        alike.CopyFrom(lot)
        alike.ClearField("document")
        if lot.document and lot.document != draw.document:
            yield f"lot {lot.lot_id} names another document than its parent's"
        if draw.HasField("life"):
            # A date that was derived is fixed by what was known then.
            alike.ClearField("expire_time")
            if draw.HasField("expire_time"):
                alike.expire_time.CopyFrom(draw.expire_time)
        made.append(alike)
    if made != expected:
        yield f"the lots of transfer {entry_id} are not those that were drawn"


def _end_of(again: rules.Converted, policy_digest: str) -> tuple[object, LotLife]:
    """Date and life of new points, as messages."""
    made = ConvertedPointsIssued(expire_time=optional_timestamp(again.end.expires_at))
    if again.end.life is not None:
        write_life(made.life, again.end.life)
        made.life.policy_digest = policy_digest
    return made.expire_time, made.life


def _name(fact: PointsSent | PointsReceived, sender: str, receiver: str) -> int:
    """A hash of everything that both sides say of a transfer."""
    return name_of(
        "\n".join((fact.entry_id, sender, receiver, fact.currency)).encode(),
        f"{fact.points} {fact.kind}".encode(),
        *(lot.SerializeToString(deterministic=True) for lot in fact.lots),
    )


def unmatched_transfers(sides: Sides) -> Iterator[tuple[int, Finding]]:
    """Lanes and findings: what arrived and was not sent, or left and never arrived."""
    for lane, pos in sides.missing("received", "completed", "sent"):
        yield lane, Finding(pos, Reason.TRANSFER_MISMATCH, "points came in that nobody sent so")
    for lane, pos in sides.missing("completed", "received"):
        yield lane, Finding(pos, Reason.TRANSFER_MISMATCH, "points left and never came in so")
