"""Books of limits of velocity: what deeds used of each, against what the policy allows.

What a member did is added up here beside the fold. What clients, operators and units did stands in
purses over many accounts: their sums are held against all deeds by the book of purses, and here
each deed only against the limit, by what it says others had used.
"""

from collections import Counter
from collections.abc import Iterator

import rules
from ledger.core.events import AccountFact
from ledger.core.instant import SECOND, Instant
from ledger.core.publishing import LEAD
from ledger.core.usage import POINTS, TIMES, VELOCITY, UsageKey, counts_times, key_of
from ledger.purses import Deed
from ledger.verifying.merge_books import Changes
from ledger.verifying.reawarding import Awards
from loyalty.v1.events_pb2 import (
    TRANSFER_KIND_GIFT,
    AdjustmentMade,
    DocumentMovedOut,
    DocumentPosted,
    PointsBurned,
    PointsHeld,
    PointsSent,
)
from loyalty.v1.types_pb2 import Usage

_Doing = PointsBurned | PointsHeld | PointsSent | AdjustmentMade
_TOUCHED = SECOND
"""A deed is decided so shortly before it is recorded, at most, that the step may be another."""


class SpeedBook:
    """Limits of velocity of one account."""

    __slots__ = ("_awards", "_merged", "_used")

    def __init__(self, awards: Awards | None) -> None:
        """Begin with nothing done; without `awards` limits are not looked at."""
        self._awards = awards
        self._used: Counter[UsageKey] = Counter()
        self._merged = False
        """What was long past did not come along; it may be given back all the same."""

    def enter(self, fact: AccountFact, recorded_at: Instant) -> Iterator[str]:
        """Enter a fact; yield what is wrong with what it says that it uses."""
        if not isinstance(fact, Deed | DocumentPosted | DocumentMovedOut):
            return
        policy = self._policy(recorded_at)
        for usage in fact.usages:
            if not usage.name.startswith(VELOCITY):
                continue
            if (
                policy is not None
                and usage.change > 0
                and isinstance(fact, _Doing | DocumentPosted)
            ):
                yield from self._check(usage, policy, recorded_at)
            self._used[key_of(usage)] += usage.change
            if not usage.scope and self._used[key_of(usage)] < 0 and not self._merged:
                yield f"more of {usage.name} {usage.period} is given back than was used"
        if policy is not None and isinstance(fact, _Doing):
            yield from _left_out(fact, policy, recorded_at)

    def merge(self, changes: Changes) -> None:
        """Enter what comes with a merge, or goes with it."""
        self._merged = True
        for key, change in changes:
            self._used[key] += change

    def _policy(self, recorded_at: Instant) -> rules.Policy | None:
        """The policy whose limits count; None where processes need not have agreed on it yet."""
        if self._awards is None:
            return None
        now = self._awards.programme.in_force(recorded_at)
        before = self._awards.programme.in_force(recorded_at - LEAD)
        if now is None or before is None or now.digest != before.digest:
            return None
        return self._awards.policy(now.digest)

    def _check(self, usage: Usage, policy: rules.Policy, recorded_at: Instant) -> Iterator[str]:
        """Hold a usage against its limit, and what others used against the book."""
        limit = _limit(usage, policy, recorded_at)
        most = None
        if limit is not None:
            most = limit.times if counts_times(usage.name) else limit.points
        if limit is None or most is None:
            yield f"the policy has no limit {usage.name}"
            return
        if usage.period != limit.period:
            # A document's later version stays in the step of the first.
            return
        if usage.others + usage.change > most:
            yield f"{usage.name} is used with {usage.others + usage.change} of {most}"
        others = sum(self._used[usage.name, usage.scope, step.period] for step in limit.steps)
        if not usage.scope and usage.others != others:
            yield f"others are said to have used {usage.others} of {usage.name}, not {others}"


def _limit(usage: Usage, policy: rules.Policy, recorded_at: Instant) -> rules.SpeedLimit | None:
    """The limit of a usage, with the steps of the moment at which it was decided."""
    name = usage.name.removeprefix(VELOCITY).rpartition("/")[0]
    found = rules.speed_limit_named(policy, name, recorded_at)
    if found is not None and found.period != usage.period:
        return rules.speed_limit_named(policy, name, recorded_at - _TOUCHED)
    return found


def _left_out(fact: _Doing, policy: rules.Policy, recorded_at: Instant) -> Iterator[str]:
    """Limits that a deed should count under, and does not: of a member and of a unit.

    Which client or operator did it stands in no fact but what it was counted under.
    """
    verb = _verb(fact)
    if verb is None:
        return
    names = {usage.name for usage in fact.usages}
    for limit in rules.speed_limits(
        policy, verb, business_unit=fact.business_unit, currency=fact.currency, at=recorded_at
    ):
        for end, most in ((TIMES, limit.times), (POINTS, limit.points)):
            if most is not None and f"{VELOCITY}{limit.id}{end}" not in names:
                yield f"it is not counted under limit {limit.id}"


def _verb(fact: _Doing) -> rules.VelocityVerb | None:
    match fact:
        case PointsBurned():
            return None if fact.fee else "burn"
        case PointsHeld():
            return "hold"
        case PointsSent():
            return "transfer" if fact.kind == TRANSFER_KIND_GIFT else None
        case AdjustmentMade():
            return "adjust"
