"""What documents count for towards tiers is the same in columns as document by document."""

from collections import Counter

from ledger.backtest.metrics import metrics_of
from rules import MemberFacts, evaluate
from rules.sets import SetEngine
from tests.rules.documents import document, policy
from tests.rules.sets.recorded import Posted, frame_of

POLICY = """
schema: loyalty.policy/v1
programme: test
version: 1
effective_from: 2020-01-01T00:00:00Z
zone: Asia/Shanghai
currencies: [{id: p, role: spendable}]
business_units:
  - {id: a, zone: UTC, currency: EUR, point_value: "0.01 EUR"}
  - {id: b, zone: UTC, currency: EUR}
earn: [{kind: base, id: base, currency: p, rate: {points: 1, per: "1.00 EUR"}}]
counters: [{id: big, when: {basket_min: "50.00"}}]
tiers:
  window: rolling_months
  window_months: 12
  ladder:
    - id: basic
    - id: gold
      reach_any:
        - [{metric: nights, at_least: 5}]
        - [{metric: spend, money: EUR, at_least: 90000, business_unit: [a]}]
        - [{metric: visits, at_least: 3}, {metric: counter, counter: big, at_least: 2}]
"""


def test_metrics_in_columns_are_those_of_each_document() -> None:
    compiled = policy(POLICY)
    history: list[Posted] = []
    for number in range(30):
        sale = document(
            (("food", 700 * number), ("gift_card", 10_000)) if number % 5 else (),
            unit="ab"[number % 2],
            status=("FINAL", "FINAL", "CANCELLED")[number % 3],
            occurred=f"2025-03-{number // 3 + 1:02}T{number % 24:02}:00:00Z",
        )
        stay = sale._replace(nights=number % 4, stays=number % 2)
        history.append(Posted(stay, MemberFacts(member_id=f"m{number % 3}")))
    expected: Counter[tuple[str, str, str, str]] = Counter()
    for one, member, _ in history:
        for metric in evaluate(compiled, one, member).metrics:
            key = (member.member_id, f"metric/{metric.name}", metric.scope, metric.window)
            expected[key] += metric.amount
    frame = frame_of(compiled, history)
    awards = SetEngine(compiled).evaluate(frame)
    found: Counter[tuple[str, str, str, str]] = Counter()
    counters = list(awards.numbers)
    for row in metrics_of(compiled, frame, awards, counters).iter_rows():
        name, kind, scope, window, amount = row
        found[name, kind, scope, window] += amount
    assert found == expected
    assert {kind for _, kind, _, _ in found} == {
        "metric/nights",
        "metric/spend",
        "metric/visits",
        "metric/counter/big",
    }
