"""Books of what documents use and of the numbers they have, kept beside the fold.

Each version must say what it uses in total and against the one before, what others had used when it
was evaluated, and which number it took or gave back; no number is two documents' at once.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from ledger.core.counting import Counting, document_key
from ledger.core.counts import holds_number
from ledger.core.state import Account
from ledger.core.usage import METRIC, VELOCITY, Usage, UsageKey, is_forgotten, is_shared, key_of
from ledger.verifying.merge_books import ENDS, Changes
from loyalty.v1.events_pb2 import DocumentMovedOut, DocumentPosted, MergeStepped
from loyalty.v1.types_pb2 import CounterNumber
from loyalty.v1.types_pb2 import Usage as UsageMessage

_CAP: Final = "cap/"
_NumberPlace = tuple[str, str, str, int]
"""(owner, counter, period, number)"""
Had = TypeVar("Had")


class UsageBook:
    """What each document of an account uses, and all of them together."""

    __slots__ = ("_of", "_used")

    def __init__(self) -> None:
        """Begin with no document."""
        self._of: dict[str, dict[UsageKey, int]] = {}
        self._used: Counter[UsageKey] = Counter()

    def post(
        self, posted: DocumentPosted | DocumentMovedOut, document: str, folded: Usage
    ) -> Iterator[str]:
        """Enter a version, and the usage before it; yield what is wrong with it."""
        _look_before(posted, document, self._of, _used_before)
        if not posted.usages and document not in self._of:
            return
        before = self._of.pop(document, {})
        now: dict[UsageKey, int] = {}
        for usage in posted.usages:
            key = key_of(usage)
            had = before.pop(key, 0)
            yield from self._compare(usage, had, folded)
            self._used[key] += usage.total - had
            if usage.total:
                now[key] = usage.total
        for name, _, period in before:
            yield f"document {document} does not say that it uses nothing of {name} {period}"
        if now:
            self._of[document] = now

    def _compare(self, usage: UsageMessage, had: int, folded: Usage) -> Iterator[str]:
        name, scope, period = key = key_of(usage)
        if usage.change != usage.total - had:
            yield f"{name} {period} changes by {usage.change}, from {had} to {usage.total}"
        gone = not (usage.total or usage.others)
        if gone or is_shared(name, scope) or name.startswith((METRIC, VELOCITY)):
            # A version that asks for nothing of a purse any more did not look into it.
            return
        others = self._used[key] - had
        if usage.others != others and not is_forgotten(folded, key):
            yield f"others are said to have used {usage.others} of {name} {period}, not {others}"

    def merge(self, changes: Changes) -> None:
        """Enter what comes with a merge, or goes with it."""
        for key, change in changes:
            self._used[key] += change

    def compare(self, folded: Usage) -> Iterator[str]:
        """Hold the folded usage against the book; yield what differs."""
        for key, used in folded.items():
            if key[0].startswith(_CAP) and used != self._used[key]:
                yield f"{key[0]} {key[2]} is used with {used}, its documents say {self._used[key]}"


class NumberBook:
    """Which document, or which day, has which number of a counter."""

    __slots__ = ("_holders", "_of")

    def __init__(self) -> None:
        """Begin with no document."""
        self._of: dict[str, dict[tuple[str, str], int]] = {}
        self._holders: dict[_NumberPlace, tuple[str, int]] = {}
        """A document or a day, and how many documents share it."""

    def post(self, posted: DocumentPosted | DocumentMovedOut, document: str) -> Iterator[str]:
        """Enter a version; yield what is wrong with its numbers."""
        _look_before(posted, document, self._of, _held_before)
        if not posted.numbers and document not in self._of:
            return
        before = self._of.pop(document, {})
        now: dict[tuple[str, str], int] = {}
        for number in posted.numbers:
            key = (number.counter, number.period)
            had = before.pop(key, 0)
            if number.change > 0:
                yield from self._take(number, had, document, posted.owner_id)
            elif number.change < 0:
                yield from self._give_back(number, had, posted.owner_id)
            elif had and number.number != had:
                yield f"number {had} of counter {number.counter} became {number.number}"
            if number.change > 0 or (had and number.change == 0):
                now[key] = number.number
        for counter, _ in before:
            yield f"document {document} does not say that it lost its number of {counter}"
        if now:
            self._of[document] = now

    def _take(self, number: CounterNumber, had: int, document: str, owner: str) -> Iterator[str]:
        if had:
            yield f"counter {number.counter} gives {document} a second number"
        if number.streak:
            return
        place = (owner, number.counter, number.period, number.number)
        holder = number.day if number.by_day else document
        other, sharing = self._holders.get(place, (holder, 0))
        if other != holder:
            yield f"number {number.number} of counter {number.counter} is that of {other} already"
        self._holders[place] = (holder, sharing + 1)

    def _give_back(self, number: CounterNumber, had: int, owner: str) -> Iterator[str]:
        if had != number.number:
            yield f"number {number.number} of counter {number.counter} is given back, it was {had}"
        if number.streak:
            return
        place = (owner, number.counter, number.period, number.number)
        holder, sharing = self._holders.get(place, ("", 1))
        if sharing > 1:
            self._holders[place] = (holder, sharing - 1)
        else:
            self._holders.pop(place, None)

    def forget(self, *, own: bool) -> None:
        """Forget whose the numbers are of what moved to another account, or to this one."""
        self._holders = {
            place: holder for place, holder in self._holders.items() if not (own or place[0])
        }


def _look_before(
    posted: DocumentPosted | DocumentMovedOut,
    document: str,
    known: dict[str, Had],
    told: Callable[[DocumentPosted], Had],
) -> None:
    """Let what is known of a document be what its version goes on from, where that is elsewhere.

    One that arrives goes on from nothing here: what is known stood here for an owner who left, as a
    merge was undone.
    """
    if posted.HasField("before"):
        known[document] = told(posted.before.posted)
    elif isinstance(posted, DocumentPosted) and posted.HasField("arrival"):
        known.pop(document, None)


def _used_before(posted: DocumentPosted) -> dict[UsageKey, int]:
    return {key_of(use): use.total for use in posted.usages if use.total}


def _held_before(posted: DocumentPosted) -> dict[tuple[str, str], int]:
    return {
        (number.counter, number.period): number.number
        for number in posted.numbers
        if holds_number(posted, number)
    }


class CountingBook:
    """Both books of an account."""

    __slots__ = ("_numbers", "_usage")

    def __init__(self) -> None:
        """Begin with no document."""
        self._usage = UsageBook()
        self._numbers = NumberBook()

    def post(self, posted: DocumentPosted, folded: Account | Counting) -> Iterator[str]:
        """Enter a version, and the account before it; yield what is wrong with it."""
        document = posted.document
        key = document_key(posted.business_unit, document.source, document.document_id)
        yield from self._usage.post(posted, key, folded.usage)
        yield from self._numbers.post(posted, key)

    def leave(self, left: DocumentMovedOut, folded: Account | Counting) -> Iterator[str]:
        """Enter that a document leaves the account; yield what is wrong with it."""
        yield from self._usage.post(left, left.document, folded.usage)
        yield from self._numbers.post(left, left.document)

    def merge(self, step: MergeStepped, changes: Changes, account_id: str) -> None:
        """Enter a step of a merge."""
        self._usage.merge(changes)
        if step.stage in ENDS:
            self._numbers.forget(own=account_id == step.source_id)

    def compare(self, folded: Account | Counting) -> Iterator[str]:
        """Hold the folded account against the books; yield what differs."""
        yield from self._usage.compare(folded.usage)
