"""What documents use of an account in a period: points under caps, and what counts for tiers.

Purses that many members share (a campaign's budget, a household's cap) are not the account's: they
have streams of their own. What is kept is bounded: a period older than what is kept counts as used
up, and giving back into it changes nothing.
"""

from collections.abc import Mapping
from typing import Final

from ledger.core.counters import forgotten
from loyalty.v1.types_pb2 import Usage as UsageMessage

UsageKey = tuple[str, str, str]
"""(name, scope, period), as `Usage` of the contract says them."""
Usage = Mapping[UsageKey, int]

METRIC: Final = "metric/"
EVERYBODY: Final = "all"
"""Scope of a purse that all members share."""
PERIODS_KEPT: Final = 64
DAYS_KEPT: Final = 800
"""A metric is counted by day where a ladder looks back over months."""


def is_shared(name: str, scope: str) -> bool:
    """Whether a purse belongs to more members than one; a metric's scope is a business unit."""
    return bool(scope) and not name.startswith(METRIC)


def key_of(usage: UsageMessage) -> UsageKey:
    """Key of a stored usage."""
    return usage.name, usage.scope, usage.period


def _kept(name: str) -> int:
    return DAYS_KEPT if name.startswith(METRIC) else PERIODS_KEPT


def is_forgotten(usage: Usage, key: UsageKey) -> bool:
    """Whether a period is older than those that are kept of its name and scope."""
    most = _kept(key[0])
    if len(usage) < most or key in usage:
        return False
    name, scope, period = key
    return forgotten(period, _periods(usage, name, scope), most)


def _periods(usage: Usage, name: str, scope: str) -> list[str]:
    return [known[2] for known in usage if known[0] == name and known[1] == scope]


def changed(usage: Usage, key: UsageKey, change: int) -> Usage | dict[UsageKey, int]:
    """Use more or less in a period. A period that is used no more stays, as a memory of itself."""
    if key in usage:
        return {**usage, key: usage[key] + change}
    if change < 0 or is_forgotten(usage, key):
        return usage
    more = {**usage, key: change}
    most = _kept(key[0])
    if len(more) > most:
        name, scope, period = key
        alike = [known for known in _periods(more, name, scope) if len(known) == len(period)]
        for old in sorted(alike)[:-most]:
            del more[name, scope, old]
    return more
