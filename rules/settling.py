"""Accounting: months in the programme's zone, prices of points, and windows that are over."""

from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from rules.facts import Instant
from rules.policy import Policy
from rules.refusal import RulesRefusal
from rules.standing import Standing
from rules.zones import DAY, date_of, day_number, local_zone

MONTH_FORM = "YYYY-MM"
_YEARS = range(1970, 9000)


class PricedIn(NamedTuple):
    """What a point costs: `minor` units of a money for one smallest unit."""

    currency_code: str
    minor: Fraction


class Month(NamedTuple):
    """A calendar month in a zone: start <= at < end."""

    name: str
    start: Instant
    end: Instant


def month_at(zone: str, at: Instant) -> Month:
    """Give the month that an instant lies in."""
    day = date_of(local_zone(zone).wall(at) // DAY)
    return _month(zone, day.year, day.month)


def month_named(zone: str, name: str) -> Month | None:
    """Give the month with a name, "2025-01"; None for what is no month."""
    year, _, month = name.partition("-")
    if not (len(name) == len(MONTH_FORM) and year.isdecimal() and month.isdecimal()):
        return None
    if int(year) not in _YEARS or not 1 <= int(month) <= 12:
        return None
    return _month(zone, int(year), int(month))


def month_after(zone: str, month: Month) -> Month:
    """Give the month that follows."""
    return month_at(zone, month.end)


@lru_cache(maxsize=1024)
def _month(zone: str, year: int, month: int) -> Month:
    first = date(year, month, 1)
    after = date(year + month // 12, month % 12 + 1, 1)
    local = local_zone(zone)
    start, end = (local.instant(day_number(day) * DAY) for day in (first, after))
    return Month(f"{year:04}-{month:02}", start, end)


def point_price(policy: Policy, *, issuer: str, currency: str) -> PricedIn | None:
    """Give what an issuer pays for a point of a currency; None where the policy has no price."""
    general: PricedIn | None = None
    for entry in policy.model.settlement.prices:
        if entry.currency != currency:
            continue
        code = entry.price.currency_code
        if code is None:
            raise RulesRefusal("CURRENCY_MISMATCH", path="price", value=str(entry.price))
        price = PricedIn(code, entry.price.minor(code) / entry.per_points)
        if issuer in entry.business_unit:
            return price
        if not entry.business_unit and general is None:
            general = price
    return general


def closed_window(policy: Policy, standing: Standing, *, at: Instant, now: Instant) -> str:
    """Name the tier window of an instant if another one runs now; empty where it is the same.

    Rolling months have no end: each day has its own.
    """
    ladder = policy.terms.ladder
    if ladder is None or ladder.tiers.window == "rolling_months":
        return ""
    then, running = (ladder.windows(standing, ladder.day(when))[0] for when in (at, now))
    return then.label if then.last < running.first else ""
