"""Caps and budgets over many documents: closed form where one purse decides, else one by one.

A purse that all wishes together do not empty cuts nothing, so only the others are looked at. Where
a wish meets one such purse, what is granted of a running sum is min(sum, limit) less what was
before; where it meets several, they take in turn as `rules.capping.Purses` lets them.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rules.capping import CapTerms
from rules.sets.arrays import Flags, Ints, distinct
from rules.sets.numbering import PERIODS

_SCOPE_BITS, _PERIOD_BITS = 30, 22
_CAP_SHIFT = _SCOPE_BITS + _PERIOD_BITS
_CAPS_MAX = 1 << (63 - _CAP_SHIFT)
_PERIOD_ZERO = 1 << 20
_NO_CAP = -1
_TRANSACTION = "transaction"
Keys = npt.NDArray[np.int64]


class Wishes(NamedTuple):
    """What rules want, in the order of evaluation: document by document, rule by rule.

    `caps` numbers the purses of each wish, one column for the first of each and so on, -1 beyond.
    """

    document: Ints
    points: Ints
    caps: Sequence[Ints]


class Scopes(NamedTuple):
    """Whose purses a document takes from, and when: arrays by document."""

    member: Ints
    household: Ints
    day: Ints


class Cut(NamedTuple):
    """What was granted, and the number of the cap that left the least; -1 where nothing was cut."""

    granted: Ints
    cut_by: Ints


class _Level(NamedTuple):
    """What is used of the purses that documents name, and the most there is."""

    used: Ints
    limit: Ints


class Purses:
    """All purses of a policy over a whole history."""

    def __init__(self) -> None:
        self.terms: list[CapTerms] = []
        self._numbers: dict[CapTerms, int] = {}
        self._keys: Keys = np.zeros(0, dtype=np.int64)
        self._used: Ints = np.zeros(0, dtype=np.int64)

    def number(self, cap: CapTerms) -> int:
        """Number a purse; equal terms are one."""
        known = self._numbers.setdefault(cap, len(self.terms))
        if known >= _CAPS_MAX:
            raise ValueError(f"more than {_CAPS_MAX} caps: they cannot be told apart here")
        if known == len(self.terms):
            self.terms.append(cap)
        return known

    def take(self, wishes: Wishes, scopes: Scopes) -> Cut:
        """Grant what the purses have left, and remember it."""
        named = [self._key(column, wishes.document, scopes) for column in wishes.caps]
        capped = [column >= 0 for column in named]
        cut = Cut(wishes.points.copy(), np.full(len(wishes.points), _NO_CAP, dtype=np.int64))
        if not any(flags.any() for flags in capped):
            return cut
        keys = distinct(np.concatenate([c[f] for c, f in zip(named, capped, strict=True)]))
        # What has no purse in a column has a place in it all the same, and is not looked at.
        places = [np.searchsorted(keys, column) for column in named]
        limits = np.array([terms.limit for terms in self.terms], dtype=np.int64)
        level = _Level(self._used_of(keys), limits[keys >> _CAP_SHIFT])
        asked = level.used.copy()
        for place, flags in zip(places, capped, strict=True):
            np.add.at(asked, place[flags], wishes.points[flags])
        short = asked > level.limit
        hits = [flags & short[place] for place, flags in zip(places, capped, strict=True)]
        met = np.sum(hits, axis=0)
        if met.max() > 1:
            _one_by_one(wishes, places, hits, level, cut)
        elif met.any():
            _closed_form(wishes, places, hits, level, cut)
        rows = np.flatnonzero(cut.cut_by >= 0)
        cut.cut_by[rows] = keys[cut.cut_by[rows]] >> _CAP_SHIFT
        for place, flags in zip(places, capped, strict=True):
            np.add.at(level.used, place[flags], cut.granted[flags])
        self._remember(keys, level.used)
        return cut

    def _key(self, caps: Ints, document: Ints, scopes: Scopes) -> Keys:
        """Name the purse of each wish: cap, whose, and period in one number."""
        keys = np.full(len(caps), -1, dtype=np.int64)
        for number in np.flatnonzero(np.bincount(caps + 1)[1:]).tolist():
            terms = self.terms[number]
            rows = np.flatnonzero(caps == number)
            of = document[rows]
            period = np.zeros(len(rows), dtype=np.int64)
            if terms.per == _TRANSACTION:
                scope = of
            else:
                period = PERIODS[terms.window](scopes.day[of]) + _PERIOD_ZERO
                scope = _scope(terms.per, scopes, of)
            keys[rows] = (number << _CAP_SHIFT) | (scope << _PERIOD_BITS) | period
        return keys

    def _used_of(self, keys: Keys) -> Ints:
        used = np.zeros(len(keys), dtype=np.int64)
        if len(self._keys):
            place = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
            known = self._keys[place] == keys
            used[known] = self._used[place[known]]
        return used

    def _remember(self, keys: Keys, used: Ints) -> None:
        alone = np.array([terms.per == _TRANSACTION for terms in self.terms], dtype=np.bool_)
        kept = ~alone[keys >> _CAP_SHIFT]
        keys, used = keys[kept], used[kept]
        older = ~np.isin(self._keys, keys, assume_unique=True)
        keys = np.concatenate((self._keys[older], keys))
        order = np.argsort(keys, kind="stable")
        self._keys, self._used = keys[order], np.concatenate((self._used[older], used))[order]


def _scope(per: str, scopes: Scopes, of: Ints) -> Ints:
    if per == "campaign":
        return np.zeros(len(of), dtype=np.int64)
    return (scopes.household if per == "household" else scopes.member)[of]


def _closed_form(
    wishes: Wishes, places: list[Ints], hits: list[Flags], level: _Level, cut: Cut
) -> None:
    """Give every wish what it gets of the one purse that it meets."""
    rows = np.flatnonzero(np.any(hits, axis=0))
    place = np.zeros(len(wishes.points), dtype=np.int64)
    for each, flags in zip(places, hits, strict=True):
        place[flags] = each[flags]
    order = rows[np.argsort(place[rows], kind="stable")]
    place, points = place[order], wishes.points[order]
    running = np.cumsum(points)
    starts = np.flatnonzero(np.concatenate(([True], place[1:] != place[:-1])))
    sizes = np.diff(np.concatenate((starts, [len(place)])))
    before = np.repeat(running[starts] - points[starts], sizes)
    after = running - before + level.used[place]
    most = np.maximum(level.limit, level.used)[place]
    granted = np.minimum(after, most) - np.minimum(after - points, most)
    cut.granted[order] = granted
    cut.cut_by[order[granted < points]] = place[granted < points]


def _one_by_one(
    wishes: Wishes, places: list[Ints], hits: list[Flags], level: _Level, cut: Cut
) -> None:
    """Let wishes take in turn, each from all its purses at once."""
    left = (level.limit - level.used).tolist()
    rows = np.flatnonzero(np.any(hits, axis=0))
    columns = [np.where(hit, place, _NO_CAP)[rows] for place, hit in zip(places, hits, strict=True)]
    got: list[int] = []
    by: list[int] = []
    for points, mine in zip(
        wishes.points[rows].tolist(), np.stack(columns, axis=1).tolist(), strict=True
    ):
        least, cutter = points, _NO_CAP
        for place in mine:
            if place >= 0 and left[place] < least:
                least, cutter = max(0, left[place]), place
        for place in mine:
            if place >= 0:
                left[place] -= least
        got.append(least)
        by.append(cutter)
    cut.granted[rows], cut.cut_by[rows] = got, by
