"""The room that a document has: what others left of caps and budgets, which number is next.

The rules ask, the account and the shared purses answer, always without what the document's own
newest version took. What is older than what an account remembers leaves a document what it has.
"""

from collections.abc import Callable
from typing import Final

import rules
from ledger.core.counters import NO_NUMBERS, is_forgotten, streak_forgotten, streak_length
from ledger.core.counts import holds_number, used_by
from ledger.core.state import Account
from ledger.core.usage import EVERYBODY, METRIC, is_shared
from ledger.core.usage import is_forgotten as is_usage_forgotten
from ledger.lanes import purse_stream
from loyalty.v1.events_pb2 import DocumentPosted
from loyalty.v1.types_pb2 import CounterNumber

_PERS: Final[dict[str, tuple[str, ...]]] = {"": ("member", "household"), EVERYBODY: ("campaign",)}
"""Whose purse a scope may mean; a member without a household is one alone."""

PurseUsed = Callable[[str], int]
"""Points used of the shared purse with this stream, by all."""


def scope_of(per: str, household: str) -> str:
    """Scope of a purse, as it is stored."""
    if per == "campaign":
        return EVERYBODY
    return f"household/{household}" if per == "household" and household else ""


class LedgerRoom:
    """What the others have left for one document of one account."""

    def __init__(
        self,
        account: Account,
        document: str,
        head: DocumentPosted | None,
        *,
        household: str,
        purse_used: PurseUsed,
        limit: Callable[[str], int],
    ) -> None:
        """Take the account before the version that is evaluated, and that version's head.

        Args:
            document: key of the document.
            purse_used: tells of the shared purses.
            limit: the points of a cap by its name.
        """
        self._account = account
        self._document = document
        self._head = head
        self._own = used_by(head)
        self._household = household
        self._purse_used = purse_used
        self._limit = limit

    def used(self, cap: rules.CapKey) -> int:
        """Points that other documents have of a cap or budget."""
        scope = scope_of(cap.per, self._household)
        key = (cap.name, scope, cap.period)
        own = self._own.get(key, 0)
        if is_shared(cap.name, scope):
            return self._purse_used(purse_stream(*key)) - own
        if is_usage_forgotten(self._account.usage, key):
            return max(0, self._limit(cap.name) - own)
        return self._account.usage.get(key, 0) - own

    def had(self, cap: rules.CapKey) -> int:
        """Points that the document's newest version has of a cap or budget."""
        return self._own.get((cap.name, scope_of(cap.per, self._household), cap.period), 0)

    def number(self, counter: rules.CounterKey) -> int:
        """The number that the document has or would take in a counter; 0: it is offered none."""
        had = self._had(counter)
        if had is not None and self._head is not None and holds_number(self._head, had):
            return had.number
        if counter.kind == "streak":
            streak = self._account.streaks.get(counter.counter, ())
            if streak_forgotten(streak, counter.period):
                return 0
            return streak_length(streak, counter.period, counter.missed_allowed)
        if is_forgotten(self._account.numbers, counter.counter, counter.period):
            return 0
        numbers = self._account.numbers.get((counter.counter, counter.period), NO_NUMBERS)
        if counter.by_day:
            of_day = numbers.day_number(counter.day)
            if of_day is None or of_day:
                return of_day or 0
        if had is not None:
            return numbers.last_held_by(self._document)
        return numbers.next()

    def _had(self, counter: rules.CounterKey) -> CounterNumber | None:
        """What the newest version says of the counter, if the document was final once."""
        head = self._head
        if head is None or not head.pinned:
            return None
        for number in head.numbers:
            if number.counter == counter.counter and number.period == counter.period:
                return number
        return None


def recorded_room(posted: DocumentPosted) -> rules.RecordedRoom:
    """The room that a posted version saw."""
    used: dict[rules.CapKey, int] = {}
    had: dict[rules.CapKey, int] = {}
    for usage in posted.usages:
        # What another household's purse got back is not what this version saw.
        if not usage.name.startswith(METRIC) and (usage.total or usage.others):
            for per in _PERS.get(usage.scope, ("household",)):
                cap = rules.CapKey(usage.name, per, usage.period)
                used[cap], had[cap] = usage.others, usage.total - usage.change
    numbers = {
        (number.counter, number.period): number.number
        for number in posted.numbers
        if number.change >= 0
    }
    return rules.RecordedRoom(used, numbers, had)
