"""What came of a backtest: small tables, all sums of whole numbers."""

import hashlib
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, NamedTuple

import polars as pl

import rules
from ledger.backtest.predicates import in_force
from ledger.backtest.trial import DRAFT, RECORDED, Trial
from rules.standing import Standing

MOST: Final = 10
"""Winners and losers that are named."""
_SLICE: Final = 50_000
"""Members whose tiers are looked at together."""
EDGES: Final = (1, 10, 100, 1_000, 10_000, 100_000)
"""Where a histogram of differences is cut, on both sides of zero."""


class Report(NamedTuple):
    """The tables of a report, by name, and what there is to say besides.

    `rules`, `units`, `tiers` and `funders` have points of draft and record side by side; `cost` is
    in minor units of the money named beside it, at the point value of the unit that earned, rounded
    half up. `moves` are members by tier on both sides, as the ladders of the draft and of the
    policy in force give them at the end. Members are named by their id.
    """

    facts: dict[str, int | str]
    notes: list[str]
    tables: dict[str, pl.DataFrame]

    @property
    def digest(self) -> str:
        """SHA-256 of all tables."""
        told = hashlib.sha256()
        for name, table in self.tables.items():
            told.update(f"{name}\n{table.write_csv()}".encode())
        return told.hexdigest()

    def differences(self) -> dict[str, int]:
        """Points the draft gives more than were recorded, by point currency."""
        by = self.tables["rules"].group_by("currency").agg(pl.col(DRAFT, RECORDED).sum())
        return {name: draft - recorded for name, draft, recorded in sorted(by.rows())}

    def write(self, folder: Path) -> list[Path]:
        """Write every table as CSV and as Parquet."""
        folder.mkdir(parents=True, exist_ok=True)
        written: list[Path] = []
        for name, table in self.tables.items():
            csv, parquet = folder / f"{name}.csv", folder / f"{name}.parquet"
            table.write_csv(csv)
            table.write_parquet(parquet)
            written += [csv, parquet]
        return written


def report_of(trial: Trial) -> Report:
    """Sum a trial up."""
    by_rule = _sides(trial.rules.total(), ("rule", "currency", "funder", "unit", "tier"))
    members = _members(trial)
    tables = {
        "rules": _by(by_rule, ["rule", "currency"]),
        "units": _liability(trial.draft, by_rule, ["unit"]),
        "tiers": _by(by_rule, ["tier", "currency"]),
        "funders": _liability(trial.draft, by_rule, ["funder"]),
        "caps": _caps(trial.caps.total()),
        "moves": _moves(trial),
        "winners": members.filter(pl.col("difference") > 0).head(MOST),
        "losers": members.filter(pl.col("difference") < 0).reverse().head(MOST),
        "histogram": _histogram(members),
    }
    facts: dict[str, int | str] = {
        "policy": f"{trial.draft.programme} version {trial.draft.version}",
        "digest": trial.draft.digest,
        "documents": trial.documents,
        "members": members["member"].n_unique(),
        "from": trial.first_at or 0,
        "to": trial.last_at or 0,
    }
    return Report(facts, list(_notes(trial)), tables)


def _notes(trial: Trial) -> Iterable[str]:
    yield "Tiers are those that were recorded with each document."
    yield "Costs are in minor units of the money beside them, at the draft's point values."
    for why, count in sorted(trial.singly.items()):
        yield f"{count:,} documents were evaluated one by one: {why}."
    for reason, count in sorted(trial.refused.items()):
        yield f"{count:,} documents are refused by the draft: {reason}."
    for text, count in sorted(trial.missing.items()):
        yield f"{text!r} is not in the history of {count:,} documents: taken not to hold."
    documents, members = trial.left_out
    if documents:
        yield (
            f"{documents:,} documents of {members:,} members are left out: the draft asks what was"
            " erased with them."
        )
    if trial.without_pins:
        yield f"{trial.without_pins:,} documents were recorded without an evaluation: left out."


def _sides(sums: pl.DataFrame | None, by: tuple[str, ...]) -> pl.DataFrame:
    """Put draft and record side by side: columns draft and recorded, of points granted."""
    schema: dict[str, Any] = dict.fromkeys(("side", *by), pl.String)
    table = pl.DataFrame(schema={**schema, "granted": pl.Int64}) if sums is None else sums
    return table.select(
        *by,
        *(
            pl.when(pl.col("side") == side).then("granted").otherwise(0).alias(side)
            for side in (DRAFT, RECORDED)
        ),
    )


def _by(table: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    grouped = table.group_by(names).agg(pl.col(DRAFT, RECORDED).sum()).sort(names)
    return grouped.with_columns((pl.col(DRAFT) - pl.col(RECORDED)).alias("difference"))


# --- money --------------------------------------------------------------------------------------


def _liability(draft: rules.Policy, table: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """Add what the points are worth, by the draft's values for both sides."""
    sums: dict[tuple[str, ...], list[Fraction | int]] = {}
    wanted = list(dict.fromkeys((*names, "unit", "currency")))
    for row in _by(table, wanted).iter_rows(named=True):
        unit = draft.units.get(row["unit"])
        value = unit.point_value.get(row["currency"], Fraction(0)) if unit else Fraction(0)
        money = unit.currency_code if unit and value else ""
        key = (*(row[name] for name in names), row["currency"], money)
        had = sums.setdefault(key, [0, 0, Fraction(0), Fraction(0)])
        for place, side in enumerate((DRAFT, RECORDED)):
            had[place] += row[side]
            had[place + 2] += row[side] * value
    columns = [*names, "currency", "money", DRAFT, RECORDED, "draft_cost", "recorded_cost"]
    rows = [
        (*key, int(had[0]), int(had[1]), _half_up(had[2]), _half_up(had[3]))
        for key, had in sorted(sums.items())
    ]
    schema: dict[str, Any] = dict.fromkeys(columns, pl.Int64)
    schema.update(dict.fromkeys((*names, "currency", "money"), pl.String))
    return pl.DataFrame(rows, schema=schema, orient="row")


def _half_up(amount: Fraction | int) -> int:
    return int((2 * amount + 1) // 2)


# --- caps and members ---------------------------------------------------------------------------


def _caps(sums: pl.DataFrame | None) -> pl.DataFrame:
    if sums is None:
        names = dict.fromkeys(("side", "cut_by", "currency"), pl.String)
        return pl.DataFrame(schema={**names, "documents": pl.Int64, "cut": pl.Int64})
    return sums.sort("side", "cut_by")


def _members(trial: Trial) -> pl.DataFrame:
    sums = trial.members.total()
    if sums is None:
        names = dict.fromkeys(("member", "currency"), pl.String)
        sums = pl.DataFrame(schema={**names, DRAFT: pl.Int64, RECORDED: pl.Int64})
    table = sums.with_columns((pl.col(DRAFT) - pl.col(RECORDED)).alias("difference"))
    return table.sort("difference", "member", descending=[True, False])


def _histogram(members: pl.DataFrame) -> pl.DataFrame:
    """Count members by what they win or lose, in steps that grow tenfold."""
    rows = [
        (str(currency), label.text, part.filter(label.holds).height)
        for (currency,), part in sorted(members.partition_by("currency", as_dict=True).items())
        for label in _labels()
    ]
    schema = {"currency": pl.String, "difference": pl.String, "members": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


class _Label(NamedTuple):
    text: str
    holds: pl.Expr


def _labels() -> list[_Label]:
    """Name the steps: from what is lost most over nothing to what is won most."""
    difference = pl.col("difference")
    steps = list(zip(EDGES, (*EDGES[1:], None), strict=True))
    won = [
        _Label(
            f"+{low:,} or more" if end is None else f"+{low:,} to +{end - 1:,}",
            difference >= low if end is None else (difference >= low) & (difference < end),
        )
        for low, end in steps
    ]
    lost = [
        _Label(
            f"-{low:,} or more" if end is None else f"-{low:,} to -{end - 1:,}",
            difference <= -low if end is None else (difference <= -low) & (difference > -end),
        )
        for low, end in reversed(steps)
    ]
    return [*lost, _Label("0", difference == 0), *won]


# --- tiers --------------------------------------------------------------------------------------


def _moves(trial: Trial) -> pl.DataFrame:
    """Count members by the tier that each side's ladder gives them at the end."""
    schema = {"recorded": pl.String, "draft": pl.String, "members": pl.Int64}
    at = trial.last_at
    now = None if at is None else in_force(trial.policies, at)
    if at is None or now is None or trial.draft.terms.ladder is None:
        return pl.DataFrame(schema=schema)
    sums = [_Sums(trial, RECORDED, now), _Sums(trial, DRAFT, trial.draft)]
    names = pl.concat([one.members() for one in sums]).unique()
    counts: dict[tuple[str, str], int] = {}
    for begin in range(0, names.len(), _SLICE):
        part = names[begin : begin + _SLICE]
        before, after = (one.tiers(part, at) for one in sums)
        for member in part:
            key = before[member], after[member]
            counts[key] = counts.get(key, 0) + 1
    rows = [(*key, count) for key, count in sorted(counts.items())]
    return pl.DataFrame(rows, schema=schema, orient="row")


class _Sums:
    """What the ladder of one side looks at."""

    def __init__(self, trial: Trial, side: str, policy: rules.Policy) -> None:
        self._ladder = policy.terms.ladder
        self._lowest = policy.terms.lowest_tier or ""
        self._points = _of_side(trial.qualifying.total(), side)
        self._metrics = _of_side(trial.metrics.total(), side)

    def members(self) -> pl.Series:
        """Who has anything that counts."""
        return pl.concat([self._points["member"], self._metrics["member"]]).unique()

    def tiers(self, members: pl.Series, at: int) -> dict[str, str]:
        """Ask the ladder about some members; a member of whom nothing counts has the lowest."""
        points = _by_member(self._points, members)
        metrics = _by_member(self._metrics, members)
        found: dict[str, str] = {}
        for member in members:
            standing = Standing(points.get(member, {}), metrics.get(member, {}))
            answer = self._ladder.answer(standing, at) if self._ladder else None
            found[member] = (answer.tier if answer else None) or self._lowest
        return found


def _of_side(sums: pl.DataFrame | None, side: str) -> pl.DataFrame:
    if sums is None:
        return pl.DataFrame(schema={"member": pl.String})
    return sums.filter(pl.col("side") == side).drop("side")


def _by_member(sums: pl.DataFrame, members: pl.Series) -> dict[str, dict[Any, int]]:
    found: dict[str, dict[Any, int]] = {}
    rows = sums.filter(pl.col("member").is_in(members.implode()))
    for member, *key, amount in rows.iter_rows():
        found.setdefault(member, {})[tuple(key)] = amount
    return found
