"""The programme that the model plays, as a policy."""

from typing import Final

POLICY: Final = """
schema: loyalty.policy/v1
programme: machine
version: 1
effective_from: 2020-01-01T00:00:00Z
zone: UTC
currencies:
  - {id: p, role: spendable, expiry: month}
business_units:
  - {id: a, zone: UTC, currency: EUR, point_value: "0.01 EUR"}
  - {id: b, zone: UTC, currency: EUR, point_value: "0.01 EUR"}
categories: [food, {id: gift_card, earns: false}]
earn:
  - {kind: base, id: base, currency: p, rate: {points: 1, per: "1.00 EUR"}}
  - {kind: bonus, id: bonus, currency: p, points: 50, pending_days: 14,
     when: {basket_min: "100.00 EUR"}}
expiries:
  - {kind: fixed, id: month, days: 30}
holds:
  - {timeout_hours: 72}
redemptions:
  - {id: pay, currency: p, min_points: 1, step: 1}
"""
