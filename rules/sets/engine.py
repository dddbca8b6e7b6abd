"""A policy over a history of documents, chunk by chunk."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import polars as pl

from rules.evaluation import check_points
from rules.plan import Plan
from rules.policy import Policy
from rules.refusal import RulesRefusal
from rules.sets.answers import Answer, Answers, Numbers, asking_of, fitting
from rules.sets.arrays import Flags, Ints, classes, combined, ints, none, signatures
from rules.sets.chunk import Chunk, Words, words
from rules.sets.numbering import Numbering
from rules.sets.purses import Cut, Purses, Scopes, Wishes
from rules.sets.tallying import Block, StageTally, Wish, is_for_sets
from rules.stage import Slot, Stage
from rules.tally import bonus_points, tally, wanted_points

BY_PAYMENT = "shares of payment or exchange rates"
BY_LINE = "an expression over single lines"
BY_SIZE = "very large amounts"


class SetAwards(NamedTuple):
    """What a chunk of documents earns.

    `grants` has (document, slot, wanted, granted, cap), all numbers: `document` is the row, and
    `SetEngine.described` puts words for the others. `refused` says by row why the rules refuse a
    document. `singly` counts the documents that were left to the row engine, by why. `numbers` are
    those in counters; `day` is the local day of the programme's zone and `basket` what earns, by
    row.
    """

    grants: pl.DataFrame
    refused: dict[int, str]
    singly: Counter[str]
    numbers: Numbers
    day: Ints
    basket: Ints


class _Group(NamedTuple):
    """The documents of one plan, and what they answered."""

    answers: Answers
    early: list[Answer]


class Prepared(NamedTuple):
    """A chunk with the first answers of its documents."""

    chunk: Chunk
    groups: list[_Group]


class _Row(NamedTuple):
    """A slot as a report tells it."""

    rule: str
    currency: str
    funder: str
    campaign: str
    qualifying: bool


class SetEngine:
    """Evaluates chunks in the order of recording; caps and counters go on from one to the next."""

    def __init__(self, policy: Policy) -> None:
        """Begin with a history in which nothing was used."""
        self.policy = policy
        self._purses = Purses()
        self._numberings = {counter.id: Numbering(counter) for counter in policy.plans.counters}
        self._members: dict[str, int] = {}
        self._rows: dict[_Row, int] = {}

    def prepare(self, frame: pl.DataFrame) -> Prepared:
        """Do what needs no other document: another thread may, while a chunk is evaluated."""
        chunk = Chunk(self.policy, frame)
        return Prepared(chunk, list(_groups(chunk)))

    def evaluate(self, documents: pl.DataFrame | Prepared) -> SetAwards:
        """Evaluate the next documents, a frame of `frames.DOCUMENTS`, prepared or not."""
        if isinstance(documents, pl.DataFrame):
            documents = self.prepare(documents)
        return _Evaluation(self, documents).awards()

    def code_of(self, slot: Slot) -> int:
        """Number what a report tells of a slot."""
        row = _Row(slot.rule_id, slot.currency, slot.funder, slot.campaign, slot.qualifying)
        return self._rows.setdefault(row, len(self._rows))

    def caps_of(self, slot: Slot) -> list[int]:
        """Number the purses of a slot."""
        return [self._purses.number(cap) for cap in slot.caps]

    def member_codes(self, column: Words, prefix: str = "") -> Ints:
        """Give members numbers that hold for the whole history."""
        known = self._members
        texts = (prefix + text for text in column.texts)
        return ints([known.setdefault(text, len(known)) for text in texts])[column.codes]

    def numbering(self, counter: str) -> Numbering:
        """Give what a counter remembers."""
        return self._numberings[counter]

    def take(self, wishes: Wishes, scopes: Scopes) -> Cut:
        """Let wishes take from their purses."""
        return self._purses.take(wishes, scopes)

    @property
    def slots(self) -> pl.DataFrame:
        """What reports tell of slots: (slot, rule, currency, funder, campaign, qualifying)."""
        schema: dict[str, type[pl.DataType]] = dict.fromkeys(_Row._fields, pl.String)
        schema["qualifying"] = pl.Boolean
        table = pl.DataFrame(list(self._rows), schema=schema, orient="row")
        return table.with_row_index("slot").with_columns(pl.col("slot").cast(pl.Int64))

    @property
    def caps(self) -> pl.DataFrame:
        """The names of caps: (cap, cut_by)."""
        names = ["", *(terms.name for terms in self._purses.terms)]
        return pl.DataFrame({"cap": range(len(names)), "cut_by": names})

    def described(self, grants: pl.DataFrame) -> pl.DataFrame:
        """Put words for the numbers of slots and caps."""
        return grants.join(self.slots, on="slot").join(self.caps, on="cap").drop("slot", "cap")


class _Evaluation:
    """One chunk."""

    def __init__(self, engine: SetEngine, prepared: Prepared) -> None:
        chunk = prepared.chunk
        self._engine = engine
        self._chunk = chunk
        self._groups = prepared.groups
        self._policy = engine.policy
        self._numbers: Numbers = {}
        self._singly: Counter[str] = Counter()
        self._by_hand = none(chunk.height)
        self._member: Ints | None = None

    def awards(self) -> SetAwards:
        chunk = self._chunk
        groups = self._groups
        if self._policy.plans.counters:
            self._count(groups)
        wishes = [wish for group in groups for wish in self._wishes(group)]
        wishes = [wish for wish in wishes if len(wish.documents)]
        grants = self._grants(wishes)
        if chunk.refused:
            grants = grants.filter(~pl.col("document").is_in(list(chunk.refused)))
        return SetAwards(
            grants, chunk.refused, self._singly, self._numbers, chunk.day, chunk.basket
        )

    def _count(self, groups: list[_Group]) -> None:
        """Give documents their numbers in the counters that count them."""
        chunk = self._chunk
        takes = chunk.status.among(("FINAL",))
        counted = {counter.id: none(chunk.height) for counter in self._policy.plans.counters}
        for group in groups:
            for name, flags in _counted(group):
                counted[name][group.answers.rows] |= flags
        for name, flags in counted.items():
            self._numbers[name] = self._engine.numbering(name).number(
                member=self._members(), day=chunk.day, counted=flags, takes=takes
            )

    # --- stages -------------------------------------------------------------------------

    def _wishes(self, group: _Group) -> Iterator[Wish]:
        """Tally the documents of a plan, stage by stage."""
        answers, plan = group.answers, group.answers.plan
        found = [*group.early, *answers.late(self._numbers)]
        self._note(BY_LINE, answers.rows[answers.asked_singly])
        first, number = signatures([answer.holds for answer in found], len(answers.rows))
        stages: dict[int, Stage] = {}
        stage_of = np.zeros(len(first), dtype=np.int64)
        for place, row in enumerate(first.tolist()):
            held = sum(answer.bit for answer in found if answer.holds[row])
            stage = plan.stage(held)
            stages[id(stage)] = stage
            stage_of[place] = list(stages).index(id(stage))
        each = stage_of[number]
        order = np.argsort(each, kind="stable")
        ends = np.searchsorted(each[order], np.arange(len(stages) + 1))
        for place, stage in enumerate(stages.values()):
            documents = answers.rows[order[ends[place] : ends[place + 1]]]
            if stage.slots or stage.bonuses:
                yield from self._stage(plan, stage, documents)

    def _stage(self, plan: Plan, stage: Stage, documents: Ints) -> Iterator[Wish]:
        if not is_for_sets(stage):
            yield from self._by_rows(plan, stage, documents, BY_PAYMENT)
            return
        tallied = StageTally(Block(self._chunk, plan, stage, documents))
        if tallied.outsized.any():
            yield from self._by_rows(plan, stage, documents[tallied.outsized], BY_SIZE)
        if not tallied.outsized.all():
            yield from tallied.wishes()

    def _by_rows(self, plan: Plan, stage: Stage, documents: Ints, why: str) -> Iterator[Wish]:
        """Let the row engine tally what columns cannot."""
        self._note(why, documents)
        for row in documents.tolist():
            asking = asking_of(self._chunk, plan, row, self._numbers)
            try:
                found = tally(plan, stage, asking)
                wanted = list(zip(stage.slots, wanted_points(found), strict=True))
                wanted += bonus_points(found)
                for _, points in wanted:
                    check_points(points)
            except RulesRefusal as refused:
                self._chunk.refuse([row], refused.reason)
                continue
            for position, (slot, points) in enumerate(wanted):
                if points:
                    yield Wish(slot, position, ints([row]), ints([points]))

    def _note(self, why: str, documents: Ints) -> None:
        """Count each document once that was not evaluated in columns alone."""
        new = documents[~self._by_hand[documents]]
        self._by_hand[new] = True
        if len(new):
            self._singly[why] += len(new)

    # --- purses -------------------------------------------------------------------------

    def _grants(self, wishes: list[Wish]) -> pl.DataFrame:
        """Take from caps and budgets, and tell who got what."""
        engine = self._engine
        capped = [wish for wish in wishes if wish.slot.caps]
        wishes = capped + [wish for wish in wishes if not wish.slot.caps]
        documents = _joined(wish.documents for wish in wishes)
        points = _joined(wish.points for wish in wishes)
        codes = _spread(wishes, [engine.code_of(wish.slot) for wish in wishes])
        granted, cut_by = points, np.zeros(len(points), dtype=np.int64)
        if capped:
            # The wishes that meet purses come first, in the order of evaluation.
            count = sum(len(wish.points) for wish in capped)
            positions = _spread(capped, [wish.position for wish in capped])
            order = np.lexsort((positions, documents[:count]))
            caps = [column[order] for column in self._caps(capped)]
            taking = Wishes(documents[order], points[order], caps)
            cut = engine.take(taking, self._scopes())
            granted = points.copy()
            granted[order], cut_by[order] = cut.granted, cut.cut_by + 1
        columns = {"document": documents, "slot": codes, "wanted": points, "granted": granted}
        return pl.DataFrame(columns | {"cap": cut_by})

    def _caps(self, wishes: list[Wish]) -> list[Ints]:
        """Number the purses of each wish: the first of each, the second, and so on."""
        most = max(len(wish.slot.caps) for wish in wishes)
        numbers = [self._engine.caps_of(wish.slot) for wish in wishes]
        return [
            _spread(wishes, [caps[place] if place < len(caps) else -1 for caps in numbers])
            for place in range(most)
        ]

    def _scopes(self) -> Scopes:
        chunk, engine = self._chunk, self._engine
        household = words(chunk.frame["household"])
        alone = household.among(("",))
        member = self._members()
        if alone.all():
            return Scopes(member, member, chunk.day)
        shared = engine.member_codes(household, "household/")
        return Scopes(member, np.where(alone, member, shared), chunk.day)

    def _members(self) -> Ints:
        """Number the members of the chunk, once it is asked for."""
        if self._member is None:
            self._member = self._engine.member_codes(self._chunk.member)
        return self._member


def _groups(chunk: Chunk) -> Iterator[_Group]:
    """Give the documents of each plan with their first answers."""
    frame, policy = chunk.frame, chunk.policy
    names = ("unit", "currency", "channel", "kind", "tier", "store", "activity")
    columns = {name: words(frame[name].fill_null("")) for name in names}
    lowest = policy.terms.lowest_tier
    codes = combined([column.codes for column in columns.values()], chunk.height)
    first, number = classes(codes)
    plans: dict[int, Plan] = {}
    plan_of = np.zeros(len(first), dtype=np.int64)
    for place, row in enumerate(first.tolist()):
        said = {name: c.texts[int(c.codes[row])] for name, c in columns.items()}
        store = said["store"] if said["store"] in policy.plans.stores else ""
        try:
            plan = policy.plans.plan(
                (
                    said["unit"],
                    said["currency"],
                    said["channel"],
                    said["kind"],
                    said["tier"] or lowest,
                    store,
                    said["activity"],
                )
            )
        except RulesRefusal as refused:
            chunk.refuse(np.flatnonzero(number == place), refused.reason)
            plan_of[place] = -1
            continue
        plans[id(plan)] = plan
        plan_of[place] = list(plans).index(id(plan))
    each = np.where(chunk.asked(), plan_of[number], -1)
    order = np.argsort(each, kind="stable")
    ends = np.searchsorted(each[order], np.arange(len(plans) + 1))
    for place, plan in enumerate(plans.values()):
        rows = order[ends[place] : ends[place + 1]]
        if len(rows):
            answers = Answers(chunk, plan, rows)
            yield _Group(answers, answers.early())


def _counted(group: _Group) -> Iterator[tuple[str, Flags]]:
    """Say of each counter which documents of a plan it counts."""
    answers, plan = group.answers, group.answers.plan
    if not plan.counters:
        return
    chunk, rows = answers.chunk, answers.rows
    first, number = signatures([answer.holds for answer in group.early], len(rows))
    held = [sum(one.bit for one in group.early if one.holds[row]) for row in first.tolist()]
    for counter, residue in plan.counters:
        flags = none(len(rows))
        for place, bits in enumerate(held):
            left = plan.left(residue, bits)
            here = np.flatnonzero(number == place)
            if isinstance(left, bool):
                flags[here] = left
                continue
            lines = chunk.lines.bounds.lines_of(rows[here])
            fits = fitting(left, chunk, plan, lines)
            fits &= (chunk.eligible[lines] > 0) & chunk.earning[lines]
            hit = np.unique(chunk.lines.document[lines[fits]])
            flags[here] = np.isin(rows[here], hit)
        yield counter.id, flags


def _joined(arrays: Iterable[Ints]) -> Ints:
    return np.concatenate([ints([]), *arrays])


def _spread(wishes: list[Wish], values: list[int]) -> Ints:
    """Repeat the value of each wish for its documents."""
    return np.repeat(ints(values), ints([len(wish.points) for wish in wishes]))


def evaluate_sets(policy: Policy, documents: pl.DataFrame) -> pl.DataFrame:
    """Evaluate a history that fits into memory.

    Gives (document, wanted, granted, rule, currency, funder, campaign, qualifying, cut_by).
    """
    engine = SetEngine(policy)
    return engine.described(engine.evaluate(documents).grants)
