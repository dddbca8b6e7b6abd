"""Book of what holds let expire: only where the policy says so, in its time, and nothing else."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

import rules
from ledger.core.events import AccountFact
from ledger.core.instant import Instant, from_timestamp
from ledger.core.state import Hold
from ledger.core.tally import Tally
from ledger.verifying.reawarding import Awards
from loyalty.v1.events_pb2 import (
    RELEASE_CAUSE_LOT_EXPIRED,
    HoldMovedOut,
    HoldReleased,
    PointsExpired,
    PointsHeld,
)

_HEARD: Final = frozenset({HoldReleased, HoldMovedOut, PointsHeld})


class HoldBook:
    """What of holds has passed its time, and has to expire with the next fact."""

    __slots__ = ("_awards", "_let_go")

    def __init__(self, awards: Awards | None) -> None:
        """Begin with no hold; without `awards` nobody asks what the policy says."""
        self._awards = awards
        self._let_go: Counter[str] = Counter()
        """By lot, points that holds let go and that did not expire yet."""

    def enter(self, fact: AccountFact, tally: Tally, occurred_at: Instant) -> Iterator[str]:
        """Enter a fact, in an account as it was before it; yield what is wrong about it."""
        if type(fact) not in _HEARD and not self._let_go:
            # That is so for nearly all, and asking a message for another type is slow.
            return
        if isinstance(fact, HoldReleased) and fact.cause == RELEASE_CAUSE_LOT_EXPIRED:
            yield from self._expire(fact, tally, occurred_at)
            return
        if self._let_go:
            if isinstance(fact, PointsExpired) and fact.points >= self._let_go[fact.lot_id]:
                del self._let_go[fact.lot_id]
            yield from self.close()
            self._let_go.clear()
        if isinstance(fact, HoldReleased) and fact.hold_left:
            yield f"hold {fact.hold_id} gave back a part, and nothing of it had passed its time"
        if isinstance(fact, HoldMovedOut):
            yield from _unlike_hold(fact, tally)
        if isinstance(fact, PointsHeld) and self._awards is not None:
            yield from _unlike_policy(fact, self._awards)

    def _expire(self, fact: HoldReleased, tally: Tally, occurred_at: Instant) -> Iterator[str]:
        if not any(hold.points_expire for hold in _holds_of(fact, tally)):
            yield f"hold {fact.hold_id} keeps its points, and they expire all the same"
        for draw in fact.draws:
            self._let_go[draw.lot_id] += draw.points
            dated = draw.HasField("expire_time") and not draw.HasField("life")
            if dated and occurred_at < from_timestamp(draw.expire_time):
                yield f"points of lot {draw.lot_id} in hold {fact.hold_id} expire before their time"

    def close(self) -> Iterator[str]:
        """Say what holds let go and did not expire next."""
        for lot_id, points in self._let_go.items():
            yield f"{points} points of lot {lot_id} that a hold let go did not expire"


def _holds_of(fact: HoldReleased | HoldMovedOut, tally: Tally) -> list[Hold]:
    """The open hold that a fact is about, if there is one."""
    name = fact.hold_id, fact.business_unit
    return [
        hold
        for hold in tally.holds
        if (hold.hold_id, hold.business_unit) == name and not hold.recalled
    ]


def _unlike_hold(left: HoldMovedOut, tally: Tally) -> Iterator[str]:
    """What a hold that goes to another account tells otherwise than it was."""
    for hold in _holds_of(left, tally):
        if (hold.points_expire, hold.captured) != (left.points_expire, left.captured):
            yield f"hold {left.hold_id} goes to {left.to_id} as another than it was"


def _unlike_policy(held: PointsHeld, awards: Awards) -> Iterator[str]:
    """What a hold says of its points, against the terms of its policy."""
    policy = awards.policy(held.policy_digest)
    if policy is None or held.business_unit not in policy.units:
        return
    if rules.hold_terms(policy, held.business_unit).points_expire != held.points_expire:
        said = "expire" if held.points_expire else "are kept"
        yield f"the points of hold {held.hold_id} {said}, and its policy says otherwise"
