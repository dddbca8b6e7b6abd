"""A draft evaluated over a history, and added up beside what was really granted."""

from collections import Counter
from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
import polars as pl

import rules
from ledger.backtest.history import Chunk
from ledger.backtest.metrics import metrics_of
from ledger.backtest.predicates import Known
from ledger.backtest.sums import Sums, as_categories
from rules.sets import Prepared, SetAwards, SetEngine

DRAFT: Final = "draft"
RECORDED: Final = "recorded"
_RULE: Final = ("side", "rule", "currency", "funder", "campaign", "unit", "tier")
_TOLD: Final = ("unit", "tier", "member")


class Ready(NamedTuple):
    """A chunk that waits for those before it."""

    documents: pl.DataFrame
    prepared: Prepared


class Trial:
    """Takes chunk after chunk; memory grows with members and periods of caps, not documents.

    Tiers are as recorded: a draft that would have raised a member earlier does not see it.
    `rules` adds up points by rule, unit and tier as recorded; `caps` what caps and budgets cut;
    `members` all points but qualifying ones; `qualifying` and `metrics` what the ladder asks. Each
    has the sides "draft" and "recorded". `singly` counts the documents that were left to the row
    engine, `refused` those that the draft refuses.
    """

    def __init__(
        self,
        draft: rules.Policy,
        policies: Mapping[str, rules.Policy],
        erased: frozenset[str] = frozenset(),
    ) -> None:
        """Try `draft` where `policies` were in force, by digest; `erased` are members."""
        self.draft = draft
        self.policies = policies
        self.documents = 0
        self.without_pins = 0
        self.singly: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.rules = Sums(_RULE, ("documents", "wanted", "granted"))
        self.caps = Sums(("side", "cut_by", "currency"), ("documents", "cut"))
        self.members = Sums(("member", "currency"), ("draft", "recorded"))
        self.qualifying = Sums(("side", "member", "currency", "window"), ("points",))
        self.metrics = Sums(("side", "member", "name", "scope", "window"), ("amount",))
        self.first_at: int | None = None
        self.last_at: int | None = None
        self._engine = SetEngine(draft)
        self._known = Known(draft, policies, erased)

    @property
    def missing(self) -> Counter[str]:
        """Documents by the predicate that the draft asks and their policy did not."""
        return self._known.missing

    @property
    def left_out(self) -> tuple[int, int]:
        """Documents, and members, of whom the draft asks what was erased with them."""
        return self._known.left_out, len(self._known.left_out_members)

    def prepare(self, chunk: Chunk) -> Ready:
        """Do what needs no other chunk; another thread may, while one is taken."""
        pinned = chunk.documents.filter(pl.col("policy") != "")
        self.without_pins += chunk.documents.height - pinned.height
        documents = self._known.with_predicates(pinned)
        return Ready(documents, self._engine.prepare(documents))

    def take(self, ready: Ready) -> None:
        """Evaluate a chunk and add it up."""
        documents = ready.documents
        if not documents.height:
            return
        awards = self._engine.evaluate(ready.prepared)
        self.documents += documents.height
        self.singly += awards.singly
        self.refused += Counter(awards.refused.values())
        self._note_times(documents)
        day = pl.Series("window", awards.day).cast(pl.Int32).cast(pl.Date).dt.strftime("%Y-%m-%d")
        told = as_categories(
            documents.select(*_TOLD).with_columns(
                pl.col("tier").fill_null(self.draft.terms.lowest_tier or ""),
                day if self.draft.terms.counts_by_day else day.str.slice(0, 4),
            )
        )
        self._add_draft(told, awards)
        self._add_recorded(told, documents)
        if self.draft.plans.metrics.asked:
            self._add_metrics(documents, awards)

    def _note_times(self, documents: pl.DataFrame) -> None:
        times = documents["occurred_at"].cast(pl.Int64)
        least, most = int(times.to_numpy().min()), int(times.to_numpy().max())
        self.first_at = least if self.first_at is None else min(self.first_at, least)
        self.last_at = most if self.last_at is None else max(self.last_at, most)

    # --- the draft ----------------------------------------------------------------------

    def _add_draft(self, told: pl.DataFrame, awards: SetAwards) -> None:
        grants = awards.grants.hstack(told[awards.grants["document"]])
        slots, caps = as_categories(self._engine.slots), as_categories(self._engine.caps)
        points = pl.col("wanted", "granted").sum()
        by_rule = grants.group_by("slot", "unit", "tier").agg(
            pl.len().cast(pl.Int64).alias("documents"), points
        )
        self._add_rules(DRAFT, by_rule.join(slots, on="slot"))
        cut = grants.filter(pl.col("granted") < pl.col("wanted"))
        self._add_caps(DRAFT, cut.join(caps, on="cap").join(slots, on="slot"))
        by_member = grants.group_by("slot", "member", "window").agg(points)
        self._add_members(DRAFT, by_member.join(slots, on="slot"))

    # --- what was recorded --------------------------------------------------------------

    def _add_recorded(self, told: pl.DataFrame, documents: pl.DataFrame) -> None:
        lists = documents["grants"]
        counts = lists.list.len().cast(pl.Int64).to_numpy()
        rows = np.repeat(np.arange(documents.height), counts)
        some = lists.filter(lists.list.len() > 0).explode(empty_as_null=False, keep_nulls=False)
        grants = as_categories(some.struct.unnest())
        grants = grants.hstack(told.drop("window")[rows])
        one = pl.lit(1, dtype=pl.Int64).alias("documents")
        self._add_rules(RECORDED, grants.with_columns(one))
        self._add_caps(RECORDED, grants.filter(pl.col("granted") < pl.col("wanted")))
        qualifying = (pl.col("window").cast(pl.String) != "").alias("qualifying")
        by_member = grants.group_by("currency", "member", "window").agg(pl.col("granted").sum())
        self._add_members(RECORDED, by_member.with_columns(qualifying))

    # --- both ---------------------------------------------------------------------------

    def _add_rules(self, side: str, grants: pl.DataFrame) -> None:
        self.rules.add(grants.with_columns(pl.lit(side).alias("side")))

    def _add_caps(self, side: str, grants: pl.DataFrame) -> None:
        cut = (pl.col("wanted") - pl.col("granted")).alias("cut")
        one = pl.lit(1, dtype=pl.Int64).alias("documents")
        self.caps.add(grants.with_columns(pl.lit(side).alias("side"), cut, one))

    def _add_members(self, side: str, grants: pl.DataFrame) -> None:
        """Add points by member, and qualifying ones by window."""
        points = pl.col("granted")
        spendable = grants.filter(~pl.col("qualifying"))
        none = pl.lit(0, dtype=pl.Int64)
        sides = {DRAFT: none, RECORDED: none, side: points}
        self.members.add(spendable.select("member", "currency", **sides))
        counted = grants.filter(pl.col("qualifying"))
        self.qualifying.add(
            counted.select(
                pl.lit(side).alias("side"), "member", "currency", "window", points.alias("points")
            )
        )

    def _add_metrics(self, documents: pl.DataFrame, awards: SetAwards) -> None:
        """Count nights, spend and so on: the same on both sides, by what the draft lets earn."""
        found = metrics_of(self.draft, documents, awards, list(awards.numbers))
        for side in (DRAFT, RECORDED):
            self.metrics.add(found.with_columns(pl.lit(side).alias("side")))
