"""What documents use of an account in a period: points under caps, and what counts for tiers.

Purses that many members share (a campaign's budget, a household's cap) are not the account's: they
have streams of their own. What is kept is bounded: a period older than what is kept counts as used
up, and giving back into it changes nothing. Metrics of such periods are added up, for needs that
count them for ever.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from ledger.core.changing import Changing
from ledger.core.counters import older
from loyalty.v1.types_pb2 import Usage as UsageMessage

UsageKey = tuple[str, str, str]
"""(name, scope, period), as `Usage` of the contract says them."""
Usage = Mapping[UsageKey, int]

METRIC: Final = "metric/"
VISITS: Final = "metric/visits"
"""However often a member comes on a day, it is one visit."""
EVERYBODY: Final = "all"
"""Scope of a purse that all members share."""
OLD: Final = ""
"""The period of metrics that are too old to be kept by their period."""
VELOCITY: Final = "velocity/"
TIMES: Final = "/times"
POINTS: Final = "/points"
"""Ends of the two names under which a limit of velocity counts."""
PERIODS_KEPT: Final = 64
STEPS_KEPT: Final = 16
"""A rolling window has thirteen steps, and nobody asks for older ones."""
DAYS_KEPT: Final = 800
"""A metric is counted by day where a ladder looks back over months."""


def is_shared(name: str, scope: str) -> bool:
    """Whether a purse belongs to more members than one; a metric's scope is a business unit."""
    return bool(scope) and not name.startswith(METRIC)


def counts_times(name: str) -> bool:
    """Whether times are counted under a name, not points."""
    return name.startswith(VELOCITY) and name.endswith(TIMES)


def key_of(usage: UsageMessage) -> UsageKey:
    """Key of a stored usage."""
    return usage.name, usage.scope, usage.period


def own_changes(usages: Iterable[UsageMessage]) -> list[tuple[UsageKey, int]]:
    """What stored usages change of an account's own, not of purses that members share."""
    return [
        (key_of(used), used.change)
        for used in usages
        if used.change and not is_shared(used.name, used.scope)
    ]


def _kept(name: str) -> int:
    if name.startswith(VELOCITY):
        return STEPS_KEPT
    return DAYS_KEPT if name.startswith(METRIC) else PERIODS_KEPT


def is_forgotten(usage: Usage, key: UsageKey) -> bool:
    """Whether a period is older than those that are kept of its name and scope."""
    most = _kept(key[0])
    if len(usage) < most or key in usage:
        return False
    return older(_periods_like(usage, key), key[2], most)


def _periods_like(usage: Usage, key: UsageKey) -> list[str]:
    name, scope, period = key
    return [
        known[2]
        for known in usage
        if known[0] == name and known[1] == scope and len(known[2]) == len(period)
    ]


class Uses(Changing[UsageKey, int]):
    """What is used, under change. A period that is used no more stays, as a memory of itself."""

    __slots__ = ("_alike",)

    def __init__(self, shown: Usage) -> None:
        """Begin with what a state has."""
        super().__init__(shown)
        self._alike: dict[tuple[str, str, int], list[str]] | None = None
        """The periods that are kept, by name, scope and length; made for the first new one."""

    def change(self, changes: Iterable[tuple[UsageKey, int]]) -> None:
        """Use more or less in periods."""
        used = self.own()
        for key, change in changes:
            if key in used:
                used[key] += change
            else:
                self._begin(used, key, change)

    def _begin(self, used: dict[UsageKey, int], key: UsageKey, change: int) -> None:
        name, scope, period = key
        like = self._periods(used).setdefault((name, scope, len(period)), [])
        if change >= 0 and not older(like, period, _kept(name)):
            used[key] = change
            like.append(period)
            if len(like) > _kept(name):
                oldest = min(like)
                _forget(used, (name, scope, oldest))
                like.remove(oldest)
        elif name.startswith(METRIC):
            _add_to_old(used, key, change)

    def _periods(self, used: dict[UsageKey, int]) -> dict[tuple[str, str, int], list[str]]:
        if self._alike is None:
            self._alike = {}
            for name, scope, period in used:
                self._alike.setdefault((name, scope, len(period)), []).append(period)
        return self._alike


def _forget(used: dict[UsageKey, int], key: UsageKey) -> None:
    """Leave out a period. A metric's is added up: some needs count it for ever."""
    amount = used.pop(key)
    if key[0].startswith(METRIC):
        _add_to_old(used, key, min(amount, 1) if key[0] == VISITS else amount)


def _add_to_old(used: dict[UsageKey, int], key: UsageKey, amount: int) -> None:
    old = (key[0], key[1], OLD)
    used[old] = used.get(old, 0) + amount
