"""The programme of every world, and what a child would reckon from it."""

from typing import Final

POLICY: Final = """
schema: loyalty.policy/v1
programme: simulated
version: 1
effective_from: 2020-01-01T00:00:00Z
zone: UTC
currencies:
  - {id: p, role: spendable, expiry: month}
  - {id: q, role: spendable, expiry: month}
business_units:
  - {id: a, zone: UTC, currency: EUR, point_value: "0.01 EUR"}
  - {id: b, zone: UTC, currency: EUR, point_value: "0.01 EUR"}
categories: [food, {id: gift_card, earns: false}]
earn:
  - {kind: base, id: base, currency: p, rate: {points: 1, per: "1.00 EUR"}}
expiries:
  - {kind: fixed, id: month, days: 30}
holds:
  - {timeout_hours: 72}
redemptions:
  - {id: pay, currency: p, min_points: 1, step: 1}
transfers:
  - {id: at_once, currency: p, fee_share: "10%", fee_unit: b}
  - {id: asked, currency: q, acceptance: required, accept_days: 1}
conversions:
  - {id: up, currency: p, into: q, rate: 3, issuer: b, fee_points: 1}
  - {id: down, currency: q, into: p, rate: 1/2, issuer: a}
"""


def transfer_fee(currency: str, points: int) -> int:
    """Points that a transfer costs on top."""
    return points // 10 if currency == "p" else 0


def converted(conversion: str, points: int) -> int:
    """Points that come of a conversion."""
    return points * 3 if conversion == "up" else points // 2
