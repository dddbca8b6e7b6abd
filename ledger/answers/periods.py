"""Accounting periods as callers see them."""

import rules
from ledger.core.instant import to_timestamp
from ledger.periods import Closed
from loyalty.v1.audit_service_pb2 import Period


def closed_message(closed: Closed) -> Period:
    """A period that is closed."""
    fact = closed.fact
    return Period(
        period=fact.period,
        start_time=fact.start_time,
        end_time=fact.end_time,
        closed=True,
        closed_by=fact.author,
        cut=fact.cut,
    )


def open_message(month: rules.Month) -> Period:
    """A period that is open."""
    return Period(
        period=month.name,
        start_time=to_timestamp(month.start),
        end_time=to_timestamp(month.end),
    )
