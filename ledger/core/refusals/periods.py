"""Refusals of accounting periods."""

from dataclasses import dataclass

from ledger.core.refusals.base import Refusal


@dataclass(eq=False, kw_only=True)
class PeriodNotOver(Refusal):
    """The accounting period is not over yet."""

    advice = "Close it once it is over."
    sentence = "period {period} ends at {end_time}"
    period: str
    end_time: str
    """RFC 3339."""


@dataclass(eq=False, kw_only=True)
class PeriodOutOfOrder(Refusal):
    """Accounting periods close one after the other, and another one is next."""

    advice = "Close the next one first; what is before the first closed one is settled with it."
    sentence = "period {period} cannot be closed, the next is {next_period}"
    period: str
    next_period: str


@dataclass(eq=False, kw_only=True)
class UnknownPeriod(Refusal):
    """There is no such accounting period: it lies before the first closed one, or has not begun."""

    advice = "Ask ListPeriods; what is before the first closed period is settled with it."
    sentence = "there is no accounting period {period}"
    period: str
