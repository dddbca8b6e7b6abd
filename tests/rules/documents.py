"""Facts in short form for the tests of the rules."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from rules import DocumentFacts, Instant, LineFacts, Policy, compile_policy, load

NOON = "2025-03-01T12:00:00Z"

HEAD = """
schema: loyalty.policy/v1
programme: test
version: 1
effective_from: 2020-01-01T00:00:00Z
zone: UTC
"""

SMALL = (
    HEAD
    + """
currencies: [{id: p, role: spendable}]
business_units: [{id: a, zone: UTC, currency: EUR, point_value: "0.01 EUR"}]
earn: [{kind: base, id: base, currency: p, rate: {points: 1, per: "1.00 EUR"}}]
"""
)


def instant(text: str) -> Instant:
    """Read an ISO 8601 time with offset."""
    since = datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)
    return since // timedelta(microseconds=1)


def policy(text: str) -> Policy:
    """Read and compile a policy."""
    return compile_policy(load(text))


def document(
    lines: Iterable[tuple[str, int] | tuple[str, int, int]] = (("food", 10000),),
    *,
    unit: str = "a",
    currency: str = "EUR",
    channel: str = "pos",
    kind: str = "SALE",
    status: str = "FINAL",
    occurred: str = NOON,
) -> DocumentFacts:
    """A document of (category, net minor units, minor units paid with points) lines."""
    facts = tuple(
        LineFacts(str(number), line[0], Fraction(1), line[1], line[2] if len(line) > 2 else 0)
        for number, line in enumerate(lines, 1)
    )
    return DocumentFacts(
        business_unit=unit,
        channel=channel,
        store="1",
        kind=kind,
        status=status,
        currency_code=currency,
        occurred_at=instant(occurred),
        lines=facts,
    )
