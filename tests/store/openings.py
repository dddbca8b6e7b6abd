"""Rows of an older programme, for tests."""

from typing import Any

from ledger.core.instant import to_timestamp
from loyalty.v1.ledger_service_pb2 import RecordOpeningRequest
from loyalty.v1.types_pb2 import (
    Identity,
    MemberRef,
    OpeningLot,
    OpeningMetric,
    OpeningTier,
    Origin,
)
from tests.store.till import POLICY, Till, at

DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
OTHER = "0" * 64
LADDER = POLICY.replace(
    "- {id: p, role: spendable}", "- {id: p, role: spendable}\n  - {id: q, role: tier_qualifying}"
) + (
    "tiers:\n"
    "  ladder:\n"
    "    - {id: basic}\n"
    "    - {id: silver, reach_any: [[{currency: q, at_least: 100}],"
    " [{metric: nights, at_least: 10}]]}\n"
    "    - {id: gold, reach_any: [[{currency: q, at_least: 500}]],"
    " lifetime_any: [[{metric: spend, money: EUR, at_least: 1000000, window: lifetime}]]}\n"
)


def lot(
    points: int,
    *,
    unit: str = "a",
    earned: str = "2024-05-01",
    expires: str = "",
    currency: str = "p",
    window: str = "",
) -> OpeningLot:
    return OpeningLot(
        currency=currency,
        points=points,
        business_unit=unit,
        earned_time=to_timestamp(at(f"{earned}T00:00")),
        expire_time=to_timestamp(at(f"{expires}T00:00")) if expires else None,
        tier_window=window,
    )


def nights(amount: int, window: str = "2025", unit: str = "a") -> OpeningMetric:
    return OpeningMetric(metric="nights", business_unit=unit, window=window, amount=amount)


def tier(name: str, until: str = "") -> OpeningTier:
    return OpeningTier(tier=name, until_time=to_timestamp(at(f"{until}T00:00")) if until else None)


def row(
    till: Till,
    number: int,
    *lots: OpeningLot,
    card: str = "",
    digest: str = DIGEST,
    source: str = "old",
    rid: str = "",
    **changes: Any,
) -> RecordOpeningRequest:
    return RecordOpeningRequest(
        request_id=rid or till.rid(),
        origin=Origin(business_unit="a"),
        member=MemberRef(identity=Identity(scheme="card", value=card or str(number))),
        source=source,
        source_digest=digest,
        row=str(number),
        lots=lots,
        **{"enrol": True, **changes},
    )
