"""What two accounts say of one thing, held against each other once all lanes were read.

Accounts lie in different lanes, which are read one after the other: of what each side says only a
hash is kept, sixteen bytes with its place.
"""

from array import array
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import NamedTuple

_PLACE_BITS = 48


class Told(NamedTuple):
    """What one side says: a hash of all that both have to agree on."""

    side: str
    name: int
    pos: int


def name_of(*parts: bytes) -> int:
    """A hash of what both sides say."""
    return int.from_bytes(sha256(b"\n".join(parts)).digest()[:8], "big")


class Sides:
    """What was said in all lanes, by side."""

    def __init__(self) -> None:
        """Begin with nothing said."""
        self._names: dict[str, array[int]] = {}
        self._places: dict[str, array[int]] = {}

    def hear(self, told: Iterable[Told], lane: int) -> None:
        """Remember what the facts of a lane say."""
        for side, name, pos in told:
            self._names.setdefault(side, array("Q")).append(name)
            self._places.setdefault(side, array("Q")).append(lane << _PLACE_BITS | pos)

    def missing(self, side: str, *others: str) -> Iterator[tuple[int, int]]:
        """(lane, position) of what a side says more often than the others do together."""
        names = _beyond(sorted(self._said(side)), sorted(n for o in others for n in self._said(o)))
        if not names:
            return
        for name, packed in zip(self._names[side], self._places[side], strict=True):
            if name in names:
                yield packed >> _PLACE_BITS, packed & (1 << _PLACE_BITS) - 1

    def _said(self, side: str) -> Iterable[int]:
        return self._names.get(side, ())


def _beyond(some: list[int], others: list[int]) -> set[int]:
    """What stands in one sorted list more often than in another."""
    more: set[int] = set()
    at = 0
    for name in some:
        while at < len(others) and others[at] < name:
            at += 1
        if at < len(others) and others[at] == name:
            at += 1
        else:
            more.add(name)
    return more
