"""A frame of documents, taken apart into arrays that the rules of one policy can be asked of."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from rules.policy import Policy
from rules.predicates import BEFORE_ENROLMENT
from rules.refusal import RulesRefusal
from rules.sets.arrays import Bounds, Flags, Ints, classes, ints, none
from rules.sets.frames import PARTS
from rules.terms import UnitTerms
from rules.zones import DAY, HOUR, INSTANT_MAX, INSTANT_MIN, SECOND, LocalZone

_BETWEEN = "\x1f"
_REFUSED_TIME = "TIME_OUT_OF_RANGE"


class Words(NamedTuple):
    """A column of texts: a code for each row, and what the codes mean."""

    codes: Ints
    texts: tuple[str, ...]

    def among(self, wanted: Iterable[str]) -> Flags:
        """Say of each row whether its text is one of these."""
        known = frozenset(wanted)
        return self.flags(text in known for text in self.texts)

    def flags(self, of_texts: Iterable[bool]) -> Flags:
        """Spread an answer for each text over the rows."""
        return np.fromiter(of_texts, dtype=np.bool_, count=len(self.texts))[self.codes]


def words(column: pl.Series) -> Words:
    """Give codes to the texts of a column."""
    texts = column.unique(maintain_order=True)
    codes = column.cast(pl.Enum(texts)).to_physical().cast(pl.Int64).to_numpy()
    return Words(codes, tuple(texts))


def _sets(column: pl.Series) -> Words:
    """Give codes to the sets of texts in a column of lists."""
    filled = np.flatnonzero(column.list.len().fill_null(0).to_numpy())
    few = words(column.gather(filled).list.join(_BETWEEN))
    # Most documents have none: those are not looked at.
    codes = np.zeros(len(column), dtype=np.int64)
    codes[filled] = few.codes + 1
    return Words(codes, ("", *few.texts))


def members_of(text: str) -> tuple[str, ...]:
    """Give the texts of a set."""
    return tuple(text.split(_BETWEEN)) if text else ()


class Lines:
    """The lines of a chunk's documents, in their order."""

    def __init__(self, frame: pl.DataFrame) -> None:
        lists = frame["lines"]
        self.bounds = Bounds(ints(lists.list.len().cast(pl.Int64).to_numpy()))
        rows = lists.explode(empty_as_null=False, keep_nulls=False).struct.unnest()
        self.net = ints(rows["net"].to_numpy())
        self.quantity = ints(rows["quantity"].to_numpy())
        self.category = words(rows["category"])
        self._rows = rows
        self._words: dict[str, Words] = {}
        self.document = np.repeat(np.arange(frame.height), self.bounds.counts)

    def words(self, name: str) -> Words:
        """Give the brands or the stock-keeping units; few policies ask."""
        if name not in self._words:
            self._words[name] = words(self._rows[name])
        return self._words[name]

    def amounts(self, name: str) -> Ints:
        """Give a column of minor units."""
        return ints(self._rows[name].to_numpy())


class Chunk:
    """Documents as arrays. `refused` says by row why the rules refuse a document.

    `eligible` is what each line can earn by its amount and `earning` whether it does by its
    category; `basket` is by document. `asked` are the rows whose rules are asked at all.
    """

    def __init__(self, policy: Policy, frame: pl.DataFrame) -> None:
        self.policy = policy
        self.frame = frame
        self.height = frame.height
        self.refused: dict[int, str] = {}
        self.lines = Lines(frame)
        self.unit = words(frame["unit"])
        self.status = words(frame["status"])
        self.occurred_at = ints(frame["occurred_at"].to_numpy())
        self.nights = ints(frame["nights"].to_numpy())
        self.member = words(frame["member"])
        self.predicates = _sets(frame["predicates"])
        self._refuse_times()
        self.eligible = self._eligible()
        self.earning = self._earning()
        counted = np.where(self.earning, self.eligible, 0)
        self.basket = self.lines.bounds.total(counted)
        self.day = _wall(policy.terms.zone, self.occurred_at) // DAY
        self._sets: dict[str, Words] = {}
        self._walls: dict[str, Ints] = {}

    def _refuse_times(self) -> None:
        outside = (self.occurred_at < INSTANT_MIN) | (self.occurred_at > INSTANT_MAX)
        self.refuse(np.flatnonzero(outside), _REFUSED_TIME)
        self.occurred_at = np.where(outside, 0, self.occurred_at)

    def refuse(self, rows: Sequence[int] | Ints, reason: str) -> None:
        """Note why documents are refused; the first reason stays."""
        for row in rows:
            self.refused.setdefault(int(row), reason)

    def asked(self) -> Flags:
        """Say which documents may earn: not cancelled, after enrolment, not refused."""
        asked = ~self.status.among(("CANCELLED",))
        asked &= ~self.holds((BEFORE_ENROLMENT,))[0]
        # Of what no rule is asked about, none is refused.
        self.refused = {row: why for row, why in self.refused.items() if asked[row]}
        asked[list(self.refused)] = False
        return asked

    # --- lines --------------------------------------------------------------------------

    def _eligible(self) -> Ints:
        lines, terms = self.lines, self.policy.terms
        left_out = np.zeros(len(lines.net), dtype=np.int64)
        tendered = lines.amounts("paid_with_points")
        unit_of_line = self.unit.codes[lines.document]
        parts = {name: lines.amounts(name) for name in PARTS}
        units = [terms.units.get(text) for text in self.unit.texts]
        for name, minor in parts.items():
            if minor.any():
                left_out += np.where(_takes(units, name)[unit_of_line], minor, 0)
        positive = lines.net > 0
        if tendered.any():
            takes = np.array([unit is not None and unit.leaves_points_out for unit in units])
            left_out += np.where(takes[unit_of_line] & positive, tendered, 0)
        elif not left_out.any():
            return lines.net
        rest = lines.net - left_out
        return ints(np.where(positive, np.maximum(rest, 0), np.minimum(rest, 0)))

    def _earning(self) -> Flags:
        earns: list[bool] = []
        for number, text in enumerate(self.lines.category.texts):
            try:
                earns.append(self.policy.terms.earns(text))
            except RulesRefusal as refused:
                earns.append(False)
                here = self.lines.document[self.lines.category.codes == number]
                self.refuse(np.unique(here), refused.reason)
        return self.lines.category.flags(earns)

    # --- documents ----------------------------------------------------------------------

    def holds(self, texts: Sequence[str]) -> list[Flags]:
        """Say of predicates which documents they hold for."""
        held = [frozenset(members_of(one)) for one in self.predicates.texts]
        return [self.predicates.flags(text in one for one in held) for text in texts]

    def shows(self, name: str, wanted: frozenset[str]) -> Flags:
        """Say which documents have one of these texts: kinds of payment, or coupons."""
        if name not in self._sets:
            column = self.frame[name]
            if name == "payments":
                paid = pl.element().filter(pl.element().struct.field("minor") > 0)
                column = self.frame.select(
                    pl.col(name).list.eval(paid.struct.field("kind"))
                ).to_series()
            self._sets[name] = _sets(column)
        sets = self._sets[name]
        return sets.flags(not wanted.isdisjoint(members_of(text)) for text in sets.texts)

    def wall(self, unit: UnitTerms) -> Ints:
        """Give the wall times of all documents in a unit's zone."""
        if unit.zone not in self._walls:
            self._walls[unit.zone] = _wall(unit.local, self.occurred_at)
        return self._walls[unit.zone]

    def programme_wall(self) -> Ints:
        """Give the wall times in the programme's zone."""
        zone = self.policy.terms.zone
        if zone.key not in self._walls:
            self._walls[zone.key] = _wall(zone, self.occurred_at)
        return self._walls[zone.key]

    def row(self, number: int) -> dict[str, Any]:
        """Give one document whole, for the row engine."""
        return self.frame.row(number, named=True)


def _takes(units: Sequence[UnitTerms | None], part: str) -> Flags:
    return np.array([unit is not None and part in unit.net_of for unit in units])


def _wall(zone: LocalZone, at: Ints) -> Ints:
    """Give wall times; an hour in which the clocks change is asked moment by moment."""
    every = at // HOUR
    first, number = classes(every)
    hours = every[first]
    offsets, changes = np.zeros(len(hours), dtype=np.int64), none(len(hours))
    for place, hour in enumerate(hours.tolist()):
        offsets[place] = zone.offset(hour * HOUR)
        changes[place] = zone.offset((hour + 1) * HOUR - SECOND) != offsets[place]
    walls = at + offsets[number]
    for row in np.flatnonzero(changes[number]) if changes.any() else ():
        walls[row] = zone.wall(int(at[row]))
    return walls
