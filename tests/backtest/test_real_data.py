"""Real sales and stays: the set engine and the row engine agree on every document."""

import io
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import polars as pl
import pytest

from rules import DocumentFacts, LineFacts, MemberFacts, compile_policy, load
from tests.rules.sets.recorded import Posted, frame_of, one_by_one
from tests.rules.sets.test_agreement import in_sets

ROOT = Path(__file__).resolve().parents[2]
MOST = 1_500
"""Documents of each source: the row engine takes them one by one."""
MONTHS = {name: number for number, name in enumerate(
    ("January", "February", "March", "April", "May", "June", "July", "August", "September",
     "October", "November", "December"), 1)}  # fmt: skip
POLICY = """
schema: loyalty.policy/v1
programme: test
version: 1
effective_from: 2000-01-01T00:00:00Z
zone: Europe/Lisbon
currencies: [{id: p, role: spendable, rounding: {mode: half_up}}, {id: q, role: tier_qualifying}]
business_units:
  - {id: shop, zone: Europe/London, currency: GBP, point_value: "0.01"}
  - {id: hotel, zone: Europe/Lisbon, currency: EUR, point_value: "0.01"}
counters: [{id: visits, distinct: local_day}]
groups: [{id: g, combine: add_excess, max_factor: "2.5"}]
campaigns: [{id: c, holdout: "1/3", budgets: [{currency: p, points: 20000, window: local_month}]}]
caps: [{id: day, currency: p, points: 900, per: member, window: local_day}]
earn:
  - {kind: base, id: base, currency: p, rate: {points: 3, per: "2.00"}}
  - {kind: base, id: nights, currency: q, priority: 1, rate: {points: 5, per_nights: 1},
     when: {business_unit: [hotel]}}
  - {kind: base, id: status, currency: q, rate: {points: 1, per: "1.00"}}
  - {kind: multiplier, id: weekend, currency: p, factor: 1.5, group: g,
     when: {window: {weekdays: [sat, sun]}}}
  - {kind: multiplier, id: large, currency: p, factor: 4/3, group: g, when: {line_min: "20.00"}}
  - {kind: multiplier, id: many, currency: p, factor: 2, group: g, campaign: c,
     when: {quantity_min: 12}}
  - {kind: bonus, id: third, currency: p, points: 33, campaign: c,
     when: {counter: [{counter: visits, every: 3}]}}
  - {kind: bonus, id: first, currency: p, points: 10, when: {first_purchase: true}}
  - {kind: bonus, id: each, currency: p, points: 1, per: line, when: {basket_min: "50.00"}}
tiers: {ladder: [{id: basic}, {id: gold, reach_any: [[{currency: q, at_least: 5}]]}]}
"""


def _micros(moment: datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp()) * 1_000_000


def _invoices(shared: Path) -> Iterator[Posted]:
    file = shared / "data/online_retail/online_retail.whitehorse.parquet"
    lines: dict[str, list[LineFacts]] = defaultdict(list)
    told: dict[str, tuple[str, datetime]] = {}
    for row in pl.read_parquet(file).head(60_000).iter_rows(named=True):
        invoice, quantity = str(row["InvoiceNo"]), int(row["Quantity"])
        if row["CustomerID"] is None or len(lines[invoice]) >= 500:
            continue
        minor = round(Fraction(str(row["UnitPrice"])) * 100 * quantity)
        code = str(row["StockCode"])
        lines[invoice].append(LineFacts("", "goods", Fraction(quantity), minor, 0, "", code))
        told[invoice] = str(row["CustomerID"]), _moment(row["InvoiceDate"])
    for invoice, (member, moment) in list(told.items())[:MOST]:
        sale = DocumentFacts(
            "shop", "web", "", "ORDER", "FINAL", "GBP", _micros(moment), tuple(lines[invoice])
        )
        yield Posted(sale, MemberFacts(member_id=member))


def _moment(value: object) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))


def _stays(shared: Path) -> Iterator[Posted]:
    with zipfile.ZipFile(shared / "data/hotel/hotel_bookings.csv.zip") as archive:
        raw = archive.read("hotel_bookings.csv")
    table = pl.read_csv(io.BytesIO(raw), infer_schema=False)
    for number, row in enumerate(table.head(MOST).iter_rows(named=True)):
        nights = int(row["stays_in_weekend_nights"]) + int(row["stays_in_week_nights"])
        minor = round(Fraction(row["adr"]) * 100) * nights
        day = datetime(
            int(row["arrival_date_year"]),
            MONTHS[row["arrival_date_month"]],
            int(row["arrival_date_day_of_month"]),
            15,
            tzinfo=UTC,
        )
        yield Posted(
            DocumentFacts(
                "hotel",
                row["distribution_channel"],
                row["hotel"],
                "STAY",
                "CANCELLED" if row["is_canceled"] == "1" else "FINAL",
                "EUR",
                _micros(day),
                (LineFacts("", "room", Fraction(nights), minor),) if nights else (),
                nights,
                1,
            ),
            MemberFacts(member_id=f"guest-{number % 200}"),
        )


@pytest.mark.parametrize("source", [_invoices, _stays])
def test_both_engines_give_real_documents_the_same_points(shared: Path, source: object) -> None:
    assert callable(source)
    history: list[Posted] = list(source(shared))
    policy = compile_policy(load(POLICY))
    assert len(history) > 1_000
    expected = [(why, sorted(map(str, grants))) for why, grants in one_by_one(policy, history)]
    found = [(why, sorted(map(str, grants))) for why, grants in in_sets(policy, history, 400)]
    assert found == expected
    assert sum(len(grants) for _, grants in found) > 1_000
    assert frame_of(policy, history).height == len(history)
