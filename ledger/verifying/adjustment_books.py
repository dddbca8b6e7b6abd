"""Books of points by hand: who decided, whether that was enough, and whether just that moved."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import rules
from ledger.core.draws import write_life
from ledger.core.events import AccountFact
from ledger.core.instant import Instant, from_timestamp, optional_timestamp
from ledger.core.people import operator_of, same_person
from ledger.core.state import Account
from loyalty.v1.events_pb2 import (
    AdjustmentMade,
    AdjustmentProposed,
    AdjustmentRejected,
    ArrearsIncurred,
    ClawbackWrittenOff,
    LotExtended,
    LotReinstated,
    PendingClawedBack,
    PointsAdjusted,
    PointsClawedBack,
)
from loyalty.v1.types_pb2 import LotLife

ByHand = AdjustmentMade | AdjustmentProposed | AdjustmentRejected | PointsAdjusted | LotExtended
Taken = PointsClawedBack | PendingClawedBack | ArrearsIncurred | ClawbackWrittenOff
_STATED: Final = ("business_unit", "currency", "amount", "reason", "note", "actor", "lot_id")
"""What an adjustment has in common with its proposal."""


class Moment(NamedTuple):
    """When a fact occurred and was recorded, and the account before it."""

    occurred_at: Instant
    recorded_at: Instant
    account: Account


class AdjustmentBook:
    """Holds what was adjusted in one account against what moved, was proposed, and the policy."""

    __slots__ = ("_due", "_ended", "_made", "_policy", "_proposals")

    def __init__(self) -> None:
        """Begin with none."""
        self._made: AdjustmentMade | None = None
        self._due = 0
        self._policy: rules.Policy | None = None
        self._proposals: dict[str, AdjustmentProposed] = {}
        self._ended: dict[str, int] = {}
        """How many facts ended each proposal."""

    def takes(self, fact: AccountFact) -> bool:
        """Whether a fact belongs here: what is taken back for no document does too."""
        if isinstance(fact, LotReinstated):
            return self._made is not None and self._made.entry_id == fact.entry_id
        return isinstance(fact, ByHand) or (isinstance(fact, Taken) and not fact.document)

    def enter(
        self, fact: AccountFact, moment: Moment, policy: rules.Policy | None
    ) -> Iterator[str]:
        """Enter a fact by hand; `policy` is the one that it names, None where none is looked at."""
        match fact:
            case AdjustmentProposed():
                yield from self.settle()
                self._proposals[fact.entry_id] = fact
            case AdjustmentRejected():
                yield from self.settle()
                yield from self._end(fact.proposal_id, fact.act, moment)
            case AdjustmentMade():
                yield from self.settle()
                self._made, self._due, self._policy = fact, fact.amount, policy
                yield from self._decided(fact, moment)
            case PointsAdjusted() | LotReinstated():
                yield from self._moved(fact, fact.points)
                yield from self._terms(fact, moment)
            case PointsClawedBack() | PendingClawedBack() | ArrearsIncurred():
                yield from self._moved(fact, -fact.points)
            case ClawbackWrittenOff():
                yield from self._moved(fact, -fact.points)
            case LotExtended():
                yield from _extension(fact, moment)
            case _:
                raise AssertionError(f"a {type(fact).__name__} is not made by hand")

    def settle(self) -> Iterator[str]:
        """Close the open adjustment; yield what it did not move."""
        if self._made is not None and self._due:
            yield f"adjustment {self._made.entry_id} did not move {self._due} of its points"
        self._made, self._due = None, 0

    def _moved(self, fact: Any, points: int) -> Iterator[str]:
        made = self._made
        if made is None or made.entry_id != fact.entry_id or made.currency != fact.currency:
            yield f"{points} points moved by hand, and nobody decided it"
            return
        self._due -= points

    def _decided(self, fact: AdjustmentMade, moment: Moment) -> Iterator[str]:
        if fact.proposal_id:
            yield from self._agreed(fact, moment)
        if self._policy is None:
            return
        wish = _wish(fact, moment)
        try:
            terms = rules.adjustment(self._policy, wish)
        except rules.RulesRefusal as refused:
            self._policy = None
            yield f"the policy refuses it: {refused}"
            return
        pays = terms.funder if fact.amount > 0 and not fact.lot_id else ""
        if fact.funder != pays:
            yield f"{fact.funder!r} pays, the policy says {pays!r}"
        if not fact.proposal_id and abs(fact.amount) > terms.points_alone:
            one, other = operator_of(fact.actor), operator_of(fact.approver)
            if not (terms.named and one and other) or one == other:
                yield f"nobody but {fact.actor} agreed to {fact.amount} points"

    def _agreed(self, fact: AdjustmentMade, moment: Moment) -> Iterator[str]:
        """What is wrong with an adjustment that was proposed before."""
        proposed = self._proposals.get(fact.proposal_id)
        yield from self._end(fact.proposal_id, fact.act, moment)
        if proposed is None:
            return
        if not fact.approver or same_person(fact.approver, proposed.actor):
            yield f"{fact.approver!r} agreed to what {proposed.actor!r} proposed"
        for name in _STATED:
            if getattr(fact, name) != getattr(proposed, name):
                yield f"{name} is {getattr(fact, name)!r}, {getattr(proposed, name)!r} was proposed"
        if fact.expire_time != proposed.expire_time:
            yield "the points expire at another time than was proposed"

    def _end(self, proposal_id: str, act: int, moment: Moment) -> Iterator[str]:
        proposed = self._proposals.get(proposal_id)
        if proposed is None:
            yield f"nobody proposed {proposal_id}"
            return
        ended = self._ended[proposal_id] = self._ended.get(proposal_id, 0) + 1
        if act != ended or ended > 1:
            yield f"proposal {proposal_id} ends for time number {ended}, as act {act}"
        if from_timestamp(proposed.valid_until_time) <= moment.recorded_at:
            yield f"proposal {proposal_id} was over by then"

    def _terms(self, fact: PointsAdjusted | LotReinstated, moment: Moment) -> Iterator[str]:
        """Hold a lot against what was decided, and against the policy's life of points."""
        made = self._made
        if made is None:
            return
        if isinstance(fact, LotReinstated):
            if (fact.lot_id, fact.business_unit) != (made.lot_id, made.business_unit):
                yield f"lot {fact.lot_id} comes back, which nobody named"
        elif (fact.business_unit, fact.funder) != (made.business_unit, made.funder):
            yield f"lot {fact.lot_id} has another issuer or funder than was decided"
        if made.HasField("expire_time"):
            if fact.expire_time != made.expire_time or fact.HasField("life"):
                yield f"lot {fact.lot_id} does not end when it was decided"
            return
        if self._policy is None:
            return
        terms = rules.adjustment(self._policy, _wish(made, moment))
        due = PointsAdjusted(expire_time=optional_timestamp(terms.expires_at))
        if terms.life is not None:
            write_life(due.life, terms.life)
            due.life.policy_digest = made.policy_digest
        if fact.expire_time != due.expire_time or _life(fact) != _life(due):
            yield f"lot {fact.lot_id} does not live as long as the policy says"


def _extension(fact: LotExtended, moment: Moment) -> Iterator[str]:
    if from_timestamp(fact.expire_time) <= from_timestamp(fact.expire_time_before):
        yield f"lot {fact.lot_id} ends earlier than before"
    issuers = {lot.issuer for lot in moment.account.lots if lot.lot_id == fact.lot_id}
    if fact.business_unit not in issuers:
        yield f"{fact.business_unit} did not issue lot {fact.lot_id}"


def _life(fact: PointsAdjusted | LotReinstated) -> bytes:
    life: LotLife = fact.life
    return life.SerializeToString(deterministic=True) if fact.HasField("life") else b""


def _wish(fact: AdjustmentMade, moment: Moment) -> rules.Wish:
    return rules.Wish(
        fact.reason,
        fact.business_unit,
        fact.currency,
        fact.amount,
        moment.occurred_at,
        fact.funder,
        moment.account.enrolled_at,
    )
