"""History files made for tests."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from ledger.backtest.shape import ERASED, HISTORY, POLICIES
from rules import MemberFacts, Policy, evaluate
from rules.sets import row_of
from tests.rules.documents import document

RULES = """
schema: loyalty.policy/v1
programme: test
version: {version}
effective_from: 2020-01-01T00:00:00Z
zone: UTC
currencies: [{{id: p, role: spendable}}, {{id: q, role: tier_qualifying}}]
business_units: [{{id: a, zone: UTC, currency: EUR, point_value: "0.01 EUR"}}]
segments: [vip]
campaigns: [{{id: spring, holdout: "1/2"}}]
earn:
  - {{kind: base, id: base, currency: p, rate: {{points: {points}, per: "1.00 EUR"}}}}
  - {{kind: base, id: status, currency: q, rate: {{points: {points}, per: "1.00 EUR"}}}}
  {more}
tiers: {{ladder: [{{id: basic}}, {{id: gold, reach_any: [[{{currency: q, at_least: 100}}]]}}]}}
"""


def policy_text(points: int = 1, *, version: int = 1, more: str = "") -> str:
    """A small policy: so many points for a euro."""
    return RULES.format(points=points, version=version, more=more)


def recorded(
    policy: Policy,
    key: int,
    minor: int,
    *,
    member: str = "m1",
    day: str = "2025-03-01",
    enrolled_at: int | None = 0,
) -> dict[str, Any]:
    """A row of history: a sale, with what a policy granted."""
    sale = document((("food", minor),), occurred=f"{day}T12:00:00Z")
    who = MemberFacts(member_id=member, enrolled_at=enrolled_at)
    award = evaluate(policy, sale, who)
    row = row_of(sale, member=member, tier=award.pins.tier, predicates=award.pins.predicates)
    return row | {
        "key": key,
        "recorded_at": sale.occurred_at,
        "policy": policy.digest,
        "enrolled_at": enrolled_at,
        "grants": [
            {
                "rule": grant.rule,
                "currency": grant.currency,
                "funder": grant.funder,
                "campaign": grant.campaign,
                "window": grant.window,
                "wanted": grant.wanted,
                "granted": grant.granted,
                "cut_by": grant.cut_by,
            }
            for grant in award.grants
        ],
    }


def write(
    file: Path,
    rows: Iterable[dict[str, Any]],
    policies: dict[str, str],
    *,
    erased: Iterable[str] = (),
) -> Path:
    """Write a history file; some of its members have been erased since."""
    table = pl.DataFrame(list(rows), schema=HISTORY).to_arrow()
    metadata = {POLICIES: json.dumps(policies).encode(), ERASED: json.dumps([*erased]).encode()}
    pq.write_table(table.replace_schema_metadata(metadata), file)
    return file
