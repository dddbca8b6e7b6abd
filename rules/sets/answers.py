"""The answers of many documents to the questions of a plan."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import polars as pl

from rules.asking import Asking, asker, is_late
from rules.atoms import (
    Atom,
    BasketFrom,
    Bought,
    CategoryIn,
    CouponShown,
    Expression,
    InWindow,
    LineFrom,
    LineWord,
    NightsFrom,
    NumberIs,
    PaidWith,
    Predicate,
    QuantityFrom,
)
from rules.conditions import All, Node, Not, Test
from rules.expr import pinned_values
from rules.expr.nodes import Name, walk
from rules.expr.nodes import Predicate as PredicateNode
from rules.expr.sets import NotSetBased, as_polars
from rules.expressions import PREFIX
from rules.facts import MILLIONTHS
from rules.lines import matcher
from rules.model import TimeWindow
from rules.plan import Plan
from rules.sets.arrays import Flags, Ints, flags_of, none
from rules.sets.chunk import Chunk, members_of
from rules.sets.frames import facts_of
from rules.windows import WallWindow
from rules.zones import DAY, HOUR, date_of

_MINUTE = HOUR // 60
_WEEK = 7 * DAY
Numbers = dict[str, Ints]
"""By counter: the number of each row of the chunk, 0 without one."""


class Answer(NamedTuple):
    """A bit of a plan, and whether it is set, by document."""

    bit: int
    holds: Flags


class Answers:
    """Puts a plan's questions to some rows of a chunk; `asked_singly` counts those it could not."""

    def __init__(self, chunk: Chunk, plan: Plan, rows: Ints) -> None:
        self.chunk = chunk
        self.plan = plan
        self.rows = rows
        self.asked_singly = none(len(rows))
        self._basket = chunk.basket[rows]

    def early(self) -> list[Answer]:
        """Answer all that needs no number."""
        expressions = self.plan.expressions
        asked = {
            atom: bit for atom, bit in self.plan.bits.items() if not is_late(atom, expressions)
        }
        texts = [atom.text for atom in asked if isinstance(atom, Predicate)]
        held = dict(zip(texts, self.chunk.holds(texts), strict=True))
        found: list[Answer] = []
        for atom, bit in asked.items():
            if isinstance(atom, Predicate):
                found.append(Answer(bit, held[atom.text][self.rows]))
            else:
                found.append(Answer(bit, self._answer(atom, {})))
        return found

    def late(self, numbers: Numbers) -> list[Answer]:
        """Answer what needs the documents' numbers."""
        return [
            Answer(bit, self._answer(atom, numbers))
            for atom, bit in self.plan.bits.items()
            if is_late(atom, self.plan.expressions)
        ]

    def _answer(self, atom: Atom, numbers: Numbers) -> Flags:
        chunk, rows = self.chunk, self.rows
        match atom:
            case BasketFrom() | Bought():
                return self._basket >= self.plan.minor(atom)
            case NightsFrom(nights):
                return chunk.nights[rows] >= nights
            case PaidWith(kinds):
                return chunk.shows("payments", kinds)[rows]
            case CouponShown(codes):
                return chunk.shows("coupons", codes)[rows]
            case InWindow(terms):
                programme = terms.zone == "programme"
                walls = chunk.programme_wall() if programme else chunk.wall(self.plan.unit)
                return _within(terms, walls[rows])
            case NumberIs():
                return self._number(atom, numbers)
            case Expression():
                return self._expression(atom, numbers)
        raise TypeError(f"{atom} is not asked of documents")

    def _number(self, atom: NumberIs, numbers: Numbers) -> Flags:
        every = numbers.get(atom.counter)
        if every is None:
            return none(len(self.rows))
        mine = every[self.rows]
        if atom.test == "exactly":
            return flags_of(mine == atom.number)
        if atom.test == "at_least":
            return flags_of(mine >= atom.number)
        return flags_of((mine > 0) & (mine % atom.number == 0))

    # --- expressions --------------------------------------------------------------------

    def _expression(self, atom: Expression, numbers: Numbers) -> Flags:
        compiled = self.chunk.policy.plans.predicates.expressions
        environment, left = compiled.environment, compiled.compiled[atom.text].left
        try:
            if environment is None:
                raise NotSetBased(atom.text)
            wanted = as_polars(left, environment)
        except NotSetBased:
            return self._singly(atom, numbers)
        names = {f"{part.root}.{part.field}" for part in walk(left) if isinstance(part, Name)}
        frame = self._facts(names, numbers).with_columns(self._pinned(atom.text))
        holds = frame.with_columns(wanted.alias("holds"))["holds"].fill_null(False)
        return np.asarray(holds.to_numpy(), dtype=np.bool_)

    def _facts(self, names: set[str], numbers: Numbers) -> pl.DataFrame:
        """Give the columns that an expression may name."""
        chunk, taken = self.chunk, self.chunk.frame[self.rows]
        columns = {
            "tx.unit": taken["unit"],
            "tx.channel": taken["channel"].str.to_lowercase(),
            "tx.store": taken["store"],
            "tx.kind": taken["kind"].str.to_lowercase(),
            "tx.activity": taken["activity"],
            "tx.currency": taken["currency"],
            "tx.nights": taken["nights"],
            "tx.stays": taken["stays"],
            "tx.lines": taken["lines"].list.len().cast(pl.Int64),
            "tx.basket": pl.Series(self._basket),
        }
        if any(name.startswith("tx.local_") for name in names):
            columns |= _calendar(chunk.wall(self.plan.unit)[self.rows])
        for name in names:
            root, _, counter = name.partition(".")
            if root == "counter":
                every = numbers.get(counter, np.zeros(chunk.height, dtype=np.int64))
                columns[name] = pl.Series(every[self.rows])
        return pl.DataFrame({name: columns[name] for name in sorted(names)} | {"": self.rows})

    def _pinned(self, text: str) -> list[pl.Series]:
        predicates = self.chunk.policy.plans.predicates.expressions.compiled[text].predicates
        if not predicates:
            return []
        sets, codes = self.chunk.predicates, self.chunk.predicates.codes[self.rows]
        answers = [
            pinned_values(
                predicates,
                (one[len(PREFIX) :] for one in members_of(each) if one.startswith(PREFIX)),
            )
            for each in sets.texts
        ]
        names = [str(PredicateNode(name)) for name, _ in predicates]
        return [
            pl.Series(name, [answer.get(name) for answer in answers], dtype=pl.Boolean).gather(
                codes
            )
            for name in names
        ]

    def _singly(self, atom: Expression, numbers: Numbers) -> Flags:
        """Ask the row engine, document by document: the expression looks at single lines."""
        holds = asker(atom, self.plan.expressions)
        self.asked_singly[:] = True
        return np.array(
            [holds(asking_of(self.chunk, self.plan, int(row), numbers)) for row in self.rows],
            dtype=np.bool_,
        )


def asking_of(chunk: Chunk, plan: Plan, row: int, numbers: Numbers) -> Asking:
    """Give one document to the row engine."""
    bounds = chunk.lines.bounds
    lines = slice(int(bounds.starts[row]), int(bounds.ends[row]))
    predicates = members_of(chunk.predicates.texts[int(chunk.predicates.codes[row])])
    eligible = chunk.eligible[lines].tolist()
    asking = Asking(facts_of(chunk.row(row)), predicates, eligible)
    earns = chunk.earning[lines].tolist()
    asking.earning = [minor if one else 0 for minor, one in zip(eligible, earns, strict=True)]
    asking.basket = sum(asking.earning)
    asking.wall = int(chunk.wall(plan.unit)[row])
    asking.programme_wall = int(chunk.programme_wall()[row])
    asking.numbers = {name: int(every[row]) for name, every in numbers.items() if every[row] > 0}
    return asking


def _calendar(walls: Ints) -> dict[str, pl.Series]:
    days, clock = walls // DAY, walls % DAY // _MINUTE
    distinct, number = np.unique(days, return_inverse=True)
    dates = [date_of(day) for day in distinct.tolist()]
    by_day = {
        "year": [day.year for day in dates],
        "month": [day.month for day in dates],
        "day": [day.day for day in dates],
        "weekday": [day.isoweekday() for day in dates],
    }
    found = {
        f"tx.local_{name}": pl.Series(np.array(values, dtype=np.int64)[number])
        for name, values in by_day.items()
    }
    found["tx.local_hour"] = pl.Series(clock // 60)
    found["tx.local_minute"] = pl.Series(clock % 60)
    return found


@lru_cache(maxsize=1024)
def _minutes(terms: TimeWindow) -> Flags:
    """Give the answer for each minute of a week."""
    weekly = WallWindow(terms)
    return flags_of([weekly.holds(minute * _MINUTE) for minute in range(_WEEK // _MINUTE)])


def _within(terms: TimeWindow, walls: Ints) -> Flags:
    """Ask a window of each minute of a week once; its first and last moment are compared."""
    whole = WallWindow(terms)
    holds = _minutes(terms.model_copy(update={"from_": None, "until": None}))[
        walls % _WEEK // _MINUTE
    ]
    if whole.first is not None:
        holds &= walls >= whole.first
    if whole.end is not None:
        holds &= walls < whole.end
    return holds


def fitting(node: Node, chunk: Chunk, plan: Plan, lines: Ints) -> Flags:
    """Say which lines pass what is left of a condition."""
    match node:
        case Test(_, atom):
            return _line_answer(atom, chunk, plan, lines)
        case Not(_, part):
            return ~fitting(part, chunk, plan, lines)
    parts: Sequence[Flags] = [fitting(part, chunk, plan, lines) for part in node.parts]
    join = np.logical_and if isinstance(node, All) else np.logical_or
    return np.asarray(join.reduce(parts), dtype=np.bool_)


def _line_answer(atom: Atom, chunk: Chunk, plan: Plan, lines: Ints) -> Flags:
    rows = chunk.lines
    match atom:
        case CategoryIn(patterns):
            return rows.category.flags(map(matcher(patterns), rows.category.texts))[lines]
        case LineWord(field, values):
            return rows.words(field).among(values)[lines]
        case LineFrom(amount):
            # Whole minor units: at least a fraction is at least the next whole one.
            least = -(-amount.minor(plan.unit.currency_code) // 1)
            return chunk.eligible[lines] >= int(least)
        case QuantityFrom(quantity):
            return rows.quantity[lines] >= int(-(-quantity * MILLIONTHS // 1))
    raise TypeError(f"{atom} is not asked of lines")
