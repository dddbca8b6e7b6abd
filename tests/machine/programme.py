"""The programme that the model plays, as a policy."""

from typing import Final

POLICY: Final = """
schema: loyalty.policy/v1
programme: machine
version: 1
effective_from: 2020-01-01T00:00:00Z
zone: UTC
currencies:
  - {id: p, role: spendable, expiry: month, draw_first: [b]}
  - {id: q, role: spendable, expiry: week}
  - {id: s, role: tier_qualifying}
business_units:
  - {id: a, zone: UTC, currency: EUR, point_value: "0.01 EUR"}
  - {id: b, zone: UTC, currency: EUR, point_value: "0.01 EUR"}
categories: [food, {id: gift_card, earns: false}]
earn:
  - {kind: base, id: base, currency: p, rate: {points: 1, per: "1.00 EUR"},
     caps: [{window: local_week, points: 260}]}
  - {kind: base, id: status, currency: s, rate: {points: 1, per: "1.00 EUR"}}
  - {kind: multiplier, id: silver, currency: p, factor: "3/2", group: tier, when: {tier: [silver]}}
  - {kind: multiplier, id: gold, currency: p, factor: 2, group: tier, when: {tier: [gold]}}
  - {kind: bonus, id: bonus, currency: p, points: 50, pending_days: 14, campaign: spring,
     when: {basket_min: "100.00 EUR"}}
  - {kind: bonus, id: brought, currency: p, points: 40, when: {activity: [referral]}}
referrals: {within_days: 20, minimums: ["30.00 EUR"], purchase_days: 15, business_unit: a}
groups: [{id: tier, combine: best_of}]
campaigns:
  - {id: spring, budgets: [{currency: p, points: 120, window: local_month}]}
caps:
  - {id: home, currency: p, per: household, window: local_month, points: 600}
expiries:
  - {kind: fixed, id: month, days: 30, claimed_since: claimed}
  - {kind: fixed, id: week, days: 7}
holds:
  - {timeout_hours: 72}
  - {timeout_hours: 720, business_unit: [b], held_points: expire}
redemptions:
  - {id: pay, currency: p, min_points: 1, step: 1}
  - {id: fly, currency: q, min_points: 1, step: 1}
documents: {claim_days: 3}
tiers:
  valid: {months: 1}
  ladder:
    - {id: basic}
    - {id: silver,
       reach_any: [[{currency: s, at_least: 100}], [{metric: nights, at_least: 5}]],
       keep_any: [[{currency: s, at_least: 40}], [{metric: nights, at_least: 2}]]}
    - {id: gold,
       reach_any: [[{currency: s, at_least: 250}], [{metric: nights, at_least: 12}]],
       keep_any: [[{currency: s, at_least: 120}], [{metric: nights, at_least: 6}]]}
transfers:
  - {id: family, currency: p, relation: household, fee_points: 1,
     sender_limits: [{window: local_day, points: 120}],
     receiver_limits: [{window: local_day, points: 90}]}
  - {id: gift, currency: p, min_points: 10, step: 5, fee_share: "10%", fee_unit: b,
     acceptance: required, accept_days: 2,
     sender_limits: [{window: local_day, points: 80}],
     receiver_limits: [{window: local_day, points: 60}]}
  - {id: kin, currency: q, relation: household, max_points: 40}
conversions:
  - {id: swap, currency: p, into: q, rate: "4/5", issuer: b, fee_points: 3, fee_unit: a}
  - {id: back, currency: q, into: p, rate: "3/2", issuer: a, rounding: half_even}
"""
