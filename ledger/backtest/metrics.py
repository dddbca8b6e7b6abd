"""What documents count for towards tiers besides points, many at once."""

from collections.abc import Sequence

import numpy as np
import polars as pl

import rules
from rules.sets import SetAwards
from rules.standing import METRIC


def metrics_of(
    policy: rules.Policy, documents: pl.DataFrame, awards: SetAwards, counters: Sequence[str]
) -> pl.DataFrame:
    """Give (member, name, scope, window, amount) as `rules.counting.Metrics` counts them.

    A booking is not a stay: only what is final counts.
    """
    asked = policy.plans.metrics
    refused = np.zeros(documents.height, dtype=np.bool_)
    refused[list(awards.refused)] = True
    day = pl.Series(awards.day).cast(pl.Int32).cast(pl.Date)
    frame = documents.select("member", "unit", "currency", "activity", "status").with_columns(
        pl.Series("basket", awards.basket),
        documents["nights"],
        documents["stays"],
        *(pl.Series(f"counter/{name}", awards.numbers[name]) for name in counters),
        day.dt.strftime("%Y-%m-%d").alias("day"),
        pl.Series("refused", refused),
    )
    frame = frame.filter(~pl.col("refused"), pl.col("status") == "FINAL")
    bought = (pl.col("activity") == "") & (pl.col("basket") > 0)
    stayed = pl.col("activity") == ""
    amounts = {
        "nights": pl.when(stayed).then("nights").otherwise(0),
        "stays": pl.when(stayed).then("stays").otherwise(0),
        "visits": bought.cast(pl.Int64),
        "purchases": bought.cast(pl.Int64),
        "spend": pl.when(bought & pl.col("currency").is_in(list(asked.money)))
        .then("basket")
        .otherwise(0),
        **{f"counter/{name}": (pl.col(f"counter/{name}") > 0).cast(pl.Int64) for name in counters},
    }
    found = [_empty()]
    for name in asked.names:
        if name not in amounts:
            continue
        by_day = asked.by_day or name == "visits"
        money = pl.concat_str("unit", pl.lit("/"), "currency")
        part = frame.select(
            "member",
            pl.lit(METRIC + name).alias("name"),
            (money if name == "spend" else pl.col("unit")).alias("scope"),
            (pl.col("day") if by_day else pl.col("day").str.slice(0, 4)).alias("window"),
            amounts[name].alias("amount"),
            "unit",
        )
        units = asked.units[name]
        wanted = pl.col("amount") > 0
        if units is not None:
            wanted &= pl.col("unit").is_in(list(units))
        found.append(part.filter(wanted).drop("unit"))
    return pl.concat(found)


def _empty() -> pl.DataFrame:
    schema: dict[str, type[pl.DataType]] = dict.fromkeys(
        ("member", "name", "scope", "window"), pl.String
    )
    return pl.DataFrame(schema={**schema, "amount": pl.Int64})
