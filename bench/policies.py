"""The programme that is measured: first without earn rules, then with ten.

Which of the two holds for a document is decided by when it occurred, so both can be measured in
turn on one server. A sale makes two events, the document and its lot; a programme with tiers makes
a third for the qualifying points.
"""

from typing import Final

RULES_FROM: Final = 1_735_689_600
"""2025-01-01T00:00:00Z: documents that occurred before it earn nothing."""
WITHOUT_RULES_AT: Final = RULES_FROM - 86_400 * 30

_PROGRAMME: Final = """
schema: loyalty.policy/v1
programme: bench
version: {version}
effective_from: {effective_from}
zone: Europe/London
currencies:
  - {{id: point, role: spendable, expiry: two_years}}
business_units:
  - {{id: market, zone: America/New_York, currency: USD, point_value: "0.01 USD"}}
  - {{id: dining, zone: America/New_York, currency: USD, point_value: "0.01 USD"}}
categories: [grocery, household, pharmacy, fuel, {{id: tobacco, earns: false}}, food]
groups:
  - {{id: channel, combine: best_of}}
  - {{id: promotion, combine: best_of}}
expiries:
  - {{kind: fixed, id: two_years, months: 24, round_to: day_end}}
redemptions:
  - {{id: pay, currency: point, min_points: 100}}
"""

_TEN_RULES: Final = """
earn:
  - kind: base
    id: base.fuel
    currency: point
    priority: 10
    rate: {points: 1, per: "2.00 USD"}
    when: {business_unit: [market], category: [fuel]}
  - kind: base
    id: base.pharmacy
    currency: point
    priority: 5
    rate: {points: 2, per: "1.00 USD"}
    when: {business_unit: [market], category: [pharmacy]}
  - kind: base
    id: base.market
    currency: point
    rate: {points: 1, per: "1.00 USD"}
    when: {business_unit: [market]}
  - kind: base
    id: base.dining
    currency: point
    rate: {points: 2, per: "1.00 USD"}
    when: {business_unit: [dining]}
  - kind: base
    id: base.household
    currency: point
    priority: 5
    rate: {points: 3, per: "2.00 USD"}
    when: {business_unit: [market], category: [household]}
  - kind: multiplier
    id: app.market
    currency: point
    factor: "1.25"
    group: channel
    when: {business_unit: [market], channel: [app]}
  - kind: multiplier
    id: app.dining
    currency: point
    factor: "1.5"
    group: channel
    when: {business_unit: [dining], channel: [app]}
  - kind: multiplier
    id: promotion.household
    currency: point
    factor: 2
    group: promotion
    when: {business_unit: [market], category: [household], basket_min: "30.00 USD"}
  - kind: bonus
    id: bonus.big_shop
    currency: point
    points: 100
    when: {business_unit: [market], basket_min: "100.00 USD"}
  - kind: bonus
    id: bonus.dinner
    currency: point
    points: 50
    when: {business_unit: [dining], basket_min: "60.00 USD"}
"""

WITHOUT_RULES: Final = _PROGRAMME.format(version=1, effective_from="2020-01-01T00:00:00Z")
TEN_RULES: Final = (
    _PROGRAMME.format(version=2, effective_from="2025-01-01T00:00:00Z").rstrip() + _TEN_RULES
)
