"""Books over all lanes: what documents took from shared purses, and where each document stands.

A purse and the documents that use it lie in different lanes, which are read one after the other.
What both sides say is therefore only summed up, so that memory does not grow with the history: as
an amount, and as a sum of hashes that two different lists of changes do not share.
"""

from array import array
from collections.abc import Iterator
from hashlib import sha256
from itertools import pairwise
from typing import NamedTuple

from ledger.core.usage import is_shared
from ledger.lanes import purse_stream
from ledger.purses import Deed
from ledger.verifying.findings import Finding, Reason
from loyalty.v1.events_pb2 import BudgetUsed, DocumentMovedOut, DocumentPosted

_HASHES = 2**128


class _Place(NamedTuple):
    lane: int
    pos: int


class _Sum:
    """What documents said of a purse, less what its own facts say."""

    __slots__ = ("change", "hashes", "place")

    def __init__(self) -> None:
        self.change = 0
        self.hashes = 0
        self.place = _Place(0, 0)

    def add(self, entry_id: str, change: int, *, sign: int) -> None:
        told = sha256(f"{entry_id} {change}".encode()).digest()[:16]
        self.hashes = (self.hashes + sign * int.from_bytes(told, "big")) % _HASHES
        self.change += sign * change


class PurseBook:
    """Shared purses of all lanes."""

    def __init__(self) -> None:
        """Begin with no purse."""
        self._sums: dict[str, _Sum] = {}
        self._used: dict[str, int] = {}

    def post(self, posted: DocumentPosted | DocumentMovedOut | Deed, lane: int, pos: int) -> None:
        """Enter what a document's version, its leaving, or another deed changes."""
        for usage in posted.usages:
            if usage.change and is_shared(usage.name, usage.scope):
                stream = purse_stream(usage.name, usage.scope, usage.period)
                book = self._sums.setdefault(stream, _Sum())
                book.add(posted.entry_id, usage.change, sign=1)
                book.place = _Place(lane, pos)

    def enter(self, fact: BudgetUsed, stream: str, lane: int, pos: int) -> Iterator[Finding]:
        """Enter a fact of a purse; yield what is wrong with it."""
        named = purse_stream(fact.name, fact.scope, fact.period)
        if named != stream:
            detail = f"a fact of {named} does not belong in {stream}"
            yield Finding(pos, Reason.COLUMN_MISMATCH, detail)
        used = self._used.get(stream, 0) + fact.change
        if fact.used_after != used or used < 0:
            detail = f"used_after is {fact.used_after}, the changes add up to {used}"
            yield Finding(pos, Reason.BUDGET_MISMATCH, detail)
        self._used[stream] = fact.used_after
        book = self._sums.setdefault(stream, _Sum())
        book.add(fact.entry_id, fact.change, sign=-1)
        book.place = _Place(lane, pos)

    def close(self) -> Iterator[tuple[int, Finding]]:
        """Hold both sides against each other; yield lanes and findings."""
        for stream, book in self._sums.items():
            if book.change or book.hashes:
                detail = f"documents and {stream} differ, by {book.change} points in all"
                yield book.place.lane, Finding(book.place.pos, Reason.BUDGET_MISMATCH, detail)


class DocumentPlaces:
    """Where each document's first version in a stream stands: sixteen bytes for each."""

    def __init__(self) -> None:
        """Begin with no document."""
        self._names = array("Q")
        self._places = array("Q")

    def add(self, key: str, lane: int, pos: int) -> None:
        """Remember the first version of a document in a stream."""
        self._names.append(int.from_bytes(sha256(key.encode()).digest()[:8], "big"))
        self._places.append(lane << 48 | pos)

    def forked(self) -> list[tuple[int, Finding]]:
        """Documents that stand in more streams than one, by lane. Takes seconds for millions."""
        ordered = sorted(self._names)
        twice = {one for one, next_one in pairwise(ordered) if one == next_one}
        first: dict[int, _Place] = {}
        found = []
        for name, packed in zip(self._names, self._places, strict=True) if twice else ():
            if name in twice:
                place = _Place(packed >> 48, packed & (1 << 48) - 1)
                known = first.setdefault(name, place)
                if known != place:
                    detail = f"its document stands in lane {known.lane}, position {known.pos} too"
                    found.append((place.lane, Finding(place.pos, Reason.DOCUMENT_FORKED, detail)))
        return found
