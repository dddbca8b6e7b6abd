"""Some of the refusals. Written by `python -m server.status`."""

from loyalty_client.errors import Refusal


class PeriodNotOver(Refusal):
    """The accounting period is not over yet."""

    reason = "PERIOD_NOT_OVER"
    period: str
    end_time: str


class PeriodOutOfOrder(Refusal):
    """Accounting periods close one after the other, and another one is next."""

    reason = "PERIOD_OUT_OF_ORDER"
    period: str
    next_period: str


class UnknownPeriod(Refusal):
    """There is no such accounting period: it lies before the first closed one, or has not begun."""

    reason = "UNKNOWN_PERIOD"
    period: str
