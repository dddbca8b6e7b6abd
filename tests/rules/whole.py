"""A policy in which every section has something, for tests that make one thing of it wrong."""

from tests.rules.documents import HEAD

WHOLE = (
    HEAD
    + """
currencies:
  - {id: p, role: spendable, expiry: year}
  - {id: qp, role: tier_qualifying, expiry: later}
  - {id: stamp, role: stamp, expiry: idle}
business_units:
  - {id: hotel, zone: Europe/Berlin, currency: EUR, point_value: "0.01 EUR"}
  - {id: cafe, zone: Europe/London, currency: GBP, point_value: "0.01", funder: hotel}
categories: [room, spa, coffee, {id: tobacco, earns: false}]
member_attributes:
  - {id: kids, type: int}
  - {id: city, type: string}
  - {id: staff, type: bool}
  - {id: since, type: date}
  - {id: interests, type: string_list}
segments: [students, seniors]
activities: [quiz]
payments: [card, cash]
counters:
  - {id: visits, kind: count, period: local_year, when: {business_unit: [cafe]}}
  - {id: weeks, kind: streak, period: local_week, missed_allowed: 1}
campaigns:
  - id: spring
    holdout: "5%"
    budgets: [{currency: p, points: 100000}]
    when: {window: {from: 2026-03-01, until: 2026-06-01}}
groups: [{id: tier, combine: product}, {id: promo, combine: first, excludes: [tier]}]
expiries:
  - {kind: year_end, id: year}
  - {kind: fixed, id: later, months: 14}
  - {kind: inactivity, id: idle, months: 12, extended_by: [earn, quiz], unless_tier: [gold]}
earn:
  - {kind: base, id: base, currency: p, rate: {points: 5, per: "1.00"}}
  - {kind: base, id: qp, currency: qp, rate: {points: 1, per: "1.00"}}
  - {kind: multiplier, id: gold, currency: p, factor: 2, group: tier, when: {tier: [gold]}}
  - kind: multiplier
    id: spa
    currency: p
    factor: 3
    group: promo
    campaign: spring
    when: {category: [spa], segment_any: [students]}
  - {kind: bonus, id: fifth, currency: p, points: 10, when: {counter: [{counter: visits, exactly: 5}]}}
  - {kind: bonus, id: stamps, currency: stamp, points: 1, caps: [{window: local_day, points: 2}]}
  - {kind: bonus, id: quizzed, currency: p, points: 3, when: {activity: [quiz]}}
  - {kind: bonus, id: family, currency: p, points: 5, when: {member: [{attr: kids, op: gte, value: 1}]}}
  - {kind: grant, id: tea, benefit: tea, when: {expr: 'tx.nights > 2'}}
caps: [{id: daily, currency: p, per: member, window: local_day, points: 5000}]
benefits: [{id: tea, kind: gift}]
redemptions: [{id: pay, currency: p, max_basket_share: "50%"}]
rewards: [{id: free, currency: stamp, points: 10, benefit: tea}]
velocity: [{id: fast, verbs: [burn, hold], per: member, hours: 24, points: 900, currency: p}]
adjustments:
  reasons: [{id: kind, max_points: 900, business_unit: [cafe], funder: [hotel]}]
  limits: [{business_unit: [cafe], points: 5}]
transfers: [{id: send, currency: p, fee_share: "10%", fee_unit: hotel, max_points: 500}]
conversions: [{id: swap, currency: p, into: stamp, rate: "1/10", issuer: cafe, min_points: 10}]
refunds: {limits: [{points: 100}, {tier: [gold], points: 500}], write_off_to: hotel}
referrals: {activity: quiz, minimums: ["20.00 EUR", "15.00 GBP"], business_unit: cafe}
tiers:
  window: rolling_months
  ladder:
    - {id: basic}
    - {id: gold, reach_any: [[{currency: qp, at_least: 500}]]}
    - {id: vip, invite_only: true}
"""  # noqa: E501 - one rule a line reads better than wrapped rules
)
