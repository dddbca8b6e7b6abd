"""Points of one currency become another's: exactly the rate, then rounded once."""

from fractions import Fraction
from math import ceil
from typing import NamedTuple

from rules.facts import Instant
from rules.lot_terms import LotEnd
from rules.model import Conversion
from rules.policy import Policy
from rules.redemptions import open_at
from rules.refusal import NO_BOUNDS, RulesRefusal
from rules.rounding import ROUNDERS
from rules.transfers import check_amount
from rules.zones import DAY


class Converted(NamedTuple):
    """What is given and what comes of it.

    `fee` is of the old currency, on top of the `points`, and goes to `fee_unit`; `received` is of
    the currency `into`, issued by `issuer`, its bonus included. The new points live as `end` says.
    """

    id: str
    currency: str
    points: int
    fee: int
    fee_unit: str
    into: str
    received: int
    issuer: str
    end: LotEnd


def convert(
    policy: Policy,
    conversion_id: str,
    points: int,
    *,
    at: Instant,
    member_since: Instant | None = None,
) -> Converted:
    """Say what points become at an instant; some new ones live from the day of enrolment.

    Points here are of the smallest unit, the rate is for whole points. Of the bonuses whose
    threshold is met and whose window holds, the largest counts. RulesRefusal UNKNOWN_CONVERSION,
    BELOW_MINIMUM, also for what is too little for a point of the new currency, or NOT_A_STEP.
    """
    entry = _entry(policy, conversion_id)
    check_amount(points, minimum=entry.min_points, step=entry.step, maximum=None)
    share = _bonus_share(policy, entry, points, at)
    currencies = policy.currencies
    scale = Fraction(10) ** (currencies[entry.into].scale - currencies[entry.currency].scale)
    factor = entry.rate * scale * (1 + share)
    exact = points * factor
    received = ROUNDERS[entry.rounding](exact.numerator, exact.denominator)
    if not received:
        bounds = {"minimum": ceil(1 / factor)} if factor else NO_BOUNDS
        raise RulesRefusal("BELOW_MINIMUM", path="points", value=str(points), bounds=bounds)
    return Converted(
        id=entry.id,
        currency=entry.currency,
        points=points,
        fee=entry.fee_points,
        fee_unit=entry.fee_unit or entry.issuer,
        into=entry.into,
        received=received,
        issuer=entry.issuer,
        end=_end(policy, entry.into, at, member_since),
    )


def _end(policy: Policy, into: str, at: Instant, member_since: Instant | None) -> LotEnd:
    expiry, zone = policy.currencies[into].expiry, policy.terms.zone
    if expiry is None:
        return LotEnd(None, None)
    since = "" if member_since is None else zone.day_text(zone.wall(member_since) // DAY)
    return policy.terms.expiries[expiry].lot_end(at, member_since=since)


def _entry(policy: Policy, conversion_id: str) -> Conversion:
    for entry in policy.model.conversions:
        if entry.id == conversion_id:
            return entry
    known = [entry.id for entry in policy.model.conversions]
    raise RulesRefusal("UNKNOWN_CONVERSION", path="conversion", value=conversion_id, known=known)


def _bonus_share(policy: Policy, entry: Conversion, points: int, at: Instant) -> Fraction:
    """Give the largest bonus; a window of the store is of the unit that issues the new points."""
    terms = policy.terms
    issuer = terms.unit(entry.issuer)
    shares = (
        bonus.share
        for bonus in entry.bonuses
        if points >= bonus.from_points
        and (bonus.window is None or open_at(bonus.window, terms, issuer, at))
    )
    return max(shares, default=Fraction(0))
