"""The shape of what is asked of accounting periods. Each check raises Malformed."""

import re
from typing import Final

from loyalty.v1.audit_service_pb2 import (
    ClosePeriodRequest,
    GetSettlementRequest,
    ListPeriodsRequest,
)
from server.checking import shape

_MONTH: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


def close_period(request: ClosePeriodRequest) -> None:
    """Check a closing."""
    shape.text("request_id", request.request_id)
    _month(request.period)
    shape.optional_text("operator", request.operator)


def list_periods(_request: ListPeriodsRequest) -> None:
    """Nothing in it can be wrong."""


def get_settlement(request: GetSettlementRequest) -> None:
    """Check a question for a settlement."""
    if request.period:
        _month(request.period)


def _month(value: str) -> None:
    if not _MONTH.fullmatch(value):
        shape.refuse("period", value, 'a month, "2025-01"')
