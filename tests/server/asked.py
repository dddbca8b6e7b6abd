"""A policy with a bit of everything, for tests that ask it, and baskets for it."""

from random import Random

from loyalty.v1.types_pb2 import (
    DOCUMENT_KIND_SALE,
    DOCUMENT_STATUS_CANCELLED,
    DOCUMENT_STATUS_FINAL,
    DOCUMENT_STATUS_PENDING,
    Document,
    DocumentLine,
)

POLICY = """
schema: loyalty.policy/v1
programme: asked
version: 1
effective_from: 2020-01-01T00:00:00Z
zone: UTC
currencies:
  - {id: point, role: spendable, expiry: year}
  - {id: status, role: tier_qualifying}
expiries:
  - {id: year, kind: fixed, months: 12}
business_units:
  - {id: market, zone: UTC, currency: USD, point_value: "0.01"}
categories: [grocery, fashion]
member_attributes:
  - {id: shoe_size, type: int}
  - {id: newsletter, type: bool}
segments: [staff]
counters:
  - {id: nth, period: lifetime}
groups:
  - {id: promo, combine: best_of}
benefits:
  - {id: coffee, kind: gift, title: A cup of coffee}
campaigns:
  - {id: spring, budgets: [{currency: point, points: 900}]}
caps:
  - {id: day, currency: point, per: member, window: local_day, points: 400}
tiers:
  window: calendar_year
  ladder:
    - {id: blue}
    - {id: gold, reach_any: [[{metric: qualifying_points, currency: status, at_least: 100}]]}
redemptions:
  - {id: pay, currency: point}
earn:
  - {kind: base, id: base, title: {en: Base, zh: 基础}, currency: point,
     rate: {points: 1, per: "1.00"}}
  - {kind: base, id: status, currency: status, rate: {points: 1, per: "1.00"}}
  - {kind: multiplier, id: gold, group: promo, currency: point, factor: "1.5", when: {tier: [gold]}}
  - {kind: multiplier, id: fashion, title: Fashion week, group: promo, currency: point, factor: 3,
     campaign: spring, when: {category: [fashion]}}
  - {kind: bonus, id: first, currency: point, points: 25, when: {first_purchase: true}}
  - {kind: bonus, id: third, currency: point, points: 40,
     when: {counter: [{counter: nth, every: 3}]}}
  - {kind: bonus, id: staff, currency: point, points: 7, when: {segment_any: [staff]}}
  - {kind: bonus, id: runner, currency: point, points: 9,
     when: {member: [{attr: shoe_size, op: gte, value: 44}]}}
  - {kind: bonus, id: birthday, currency: point, points: 11, when: {birthday: {month: true}}}
  - {kind: grant, id: coffee, benefit: coffee, when: {basket_min: "50.00"}}
"""


def baskets(seed: int, count: int) -> list[Document]:
    """Random documents, later versions of earlier ones among them."""
    random = Random(seed)
    versions: dict[str, int] = {}
    found = []
    for _ in range(count):
        name = f"T-{random.randint(1, count * 2 // 3)}"
        versions[name] = versions.get(name, 0) + random.choice((1, 1, 1, 3))
        found.append(basket(name, random, versions[name]))
    return found


def basket(name: str, random: Random, version: int = 1) -> Document:
    """A document of up to four lines."""
    status = random.choices(
        (DOCUMENT_STATUS_FINAL, DOCUMENT_STATUS_PENDING, DOCUMENT_STATUS_CANCELLED), (8, 2, 1)
    )[0]
    lines = [
        DocumentLine(
            line_id=str(number),
            category=random.choice(("grocery", "fashion")),
            net_minor_units=random.randint(0, 80_00),
        )
        for number in range(random.randint(0, 4))
    ]
    return Document(
        source="till",
        document_id=name,
        version=version,
        kind=DOCUMENT_KIND_SALE,
        status=status,
        currency_code="USD",
        lines=lines,
    )


def sale_of(*amounts: tuple[str, int], document_id: str = "") -> Document:
    """A final document with these (category, minor units); without an id it is a question only."""
    document = Document(kind=DOCUMENT_KIND_SALE, status=DOCUMENT_STATUS_FINAL, currency_code="USD")
    if document_id:
        document.source, document.document_id, document.version = "till", document_id, 1
    for number, (category, cents) in enumerate(amounts, 1):
        document.lines.add(line_id=str(number), category=category, net_minor_units=cents)
    return document
