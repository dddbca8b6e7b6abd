"""The shape of opening balances. Names stand in the history for ever, so they are codes."""

import re
from collections.abc import Sequence
from typing import Final

from loyalty.v1.ledger_service_pb2 import GetOpeningsRequest, RecordOpeningRequest
from loyalty.v1.types_pb2 import OpeningLot, OpeningMetric, OpeningTier
from server.checking import shape
from server.checking.consents import code

LOTS_MAX: Final = 100
METRICS_MAX: Final = 100
ROWS_MAX: Final = 1_000
YEAR_3000: Final = 32_503_680_000
_SOURCE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_YEAR: Final = re.compile(r"[0-9]{4}")


def record_opening(request: RecordOpeningRequest) -> None:
    """Check a row. Raises Malformed."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.member(request.member)
    if request.enrol and request.member.WhichOneof("ref") != "identity":
        shape.refuse("member", request.member.member_id, "an identity, when enrol is set")
    if request.HasField("member_since_time"):
        shape.moment("member_since_time", request.member_since_time)
    _source(request.source)
    if not _DIGEST.fullmatch(request.source_digest):
        shape.refuse("source_digest", request.source_digest, "64 small hexadecimal digits")
    code("row", request.row)
    _at_most("lots", len(request.lots), LOTS_MAX)
    for index, lot in enumerate(request.lots):
        _lot(f"lots[{index}]", lot)
    _metrics(request.metrics)
    if request.HasField("tier"):
        _tier(request.tier)


def get_openings(request: GetOpeningsRequest) -> None:
    """Check a question for rows. Raises Malformed."""
    _source(request.source)
    _at_most("rows", len(request.rows), ROWS_MAX)
    seen: set[str] = set()
    for index, asked in enumerate(request.rows):
        code(f"rows[{index}].row", asked.row)
        if asked.row in seen:
            shape.refuse(f"rows[{index}].row", asked.row, "a row that is asked for once")
        seen.add(asked.row)
        if asked.HasField("member"):
            shape.member(asked.member)


def _source(value: str) -> None:
    if not _SOURCE.fullmatch(value):
        shape.refuse("source", value, "1 to 64 of a-z, A-Z, 0-9 and '. _ : -'")


def _tier(tier: OpeningTier) -> None:
    shape.text("tier.tier", tier.tier)
    if tier.HasField("until_time"):
        shape.moment("tier.until_time", tier.until_time)
        if tier.until_time.seconds >= YEAR_3000:
            value = f"{tier.until_time.seconds}s"
            shape.refuse("tier.until_time", value, "a time before the year 3000, or none")


def _lot(field: str, lot: OpeningLot) -> None:
    shape.text(f"{field}.currency", lot.currency, shape.NAME_LENGTH)
    shape.amount(f"{field}.points", lot.points)
    shape.text(f"{field}.business_unit", lot.business_unit)
    shape.optional_text(f"{field}.funder", lot.funder)
    if not lot.HasField("earned_time"):
        shape.refuse(f"{field}.earned_time", "", "when the points were earned")
    shape.moment(f"{field}.earned_time", lot.earned_time)
    if lot.HasField("expire_time"):
        shape.moment(f"{field}.expire_time", lot.expire_time)
    if lot.tier_window:
        _window(f"{field}.tier_window", lot.tier_window)


def _metrics(metrics: Sequence[OpeningMetric]) -> None:
    _at_most("metrics", len(metrics), METRICS_MAX)
    seen: set[tuple[str, ...]] = set()
    for index, metric in enumerate(metrics):
        field = f"metrics[{index}]"
        shape.text(f"{field}.metric", metric.metric)
        shape.text(f"{field}.business_unit", metric.business_unit)
        if metric.currency_code:
            shape.currency_code(f"{field}.currency_code", metric.currency_code)
            if metric.metric != "spend":
                shape.refuse(f"{field}.currency_code", metric.currency_code, "none but for spend")
        _window(f"{field}.window", metric.window)
        shape.amount(f"{field}.amount", metric.amount)
        named = (metric.metric, metric.business_unit, metric.currency_code, metric.window)
        if named in seen:
            shape.refuse(field, metric.metric, "an amount that stands there once")
        seen.add(named)


def _window(field: str, value: str) -> None:
    if not _YEAR.fullmatch(value):
        shape.day(field, value)


def _at_most(field: str, count: int, most: int) -> None:
    if count > most:
        shape.refuse(field, f"{count} entries", f"at most {most}")
