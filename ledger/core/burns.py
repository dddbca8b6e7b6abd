"""Burns: points are spent, from the lots that expire first."""

from collections.abc import Iterable

from ledger.core.commands import BurnPoints, PeriodLimit, RedemptionTerms
from ledger.core.decision import Draft, check_points
from ledger.core.draws import draw_available, in_spending_order
from ledger.core.instant import to_timestamp
from ledger.core.late_burns import draw_expired, reinstate
from ledger.core.pools import require_spender
from ledger.core.refusals import (
    AboveMaximum,
    BasketShareExceeded,
    BelowMinimum,
    InsufficientPoints,
    LimitReached,
    NotAStep,
)
from ledger.core.state import Counted
from ledger.core.usage import counts_times, is_forgotten
from ledger.core.velocity import use_speeds
from loyalty.v1.events_pb2 import PointsBurned
from loyalty.v1.types_pb2 import Draw, Usage


def burn(draft: Draft, command: BurnPoints) -> None:
    """Spend points.

    Raises Malformed, LimitReached, VelocityExceeded, InsufficientPoints, and what
    `require_spender` and `check_terms` raise.
    """
    check_points(command.points)
    require_spender(draft.tally.account(), command.spender_id)
    check_terms(command.points, command.terms)
    usages = use_limits(draft, command.points, command.terms.limits)
    usages += use_speeds(draft.tally.counting.usage, command.speeds, command.points)
    first = command.terms.draw_first
    back = draw_expired(in_spending_order(command.expired, first), command.points)
    late = sum(draw.points for draw in back)
    left = command.points - late
    draws = back + draw_or_refuse(draft, command.currency, left, beside=late, first=first)
    for draw in back:
        reinstate(draft, command, draw)
    draft.record(
        PointsBurned(
            entry_id=command.entry_id,
            currency=command.currency,
            points=command.points,
            business_unit=command.business_unit,
            draws=draws,
            value=command.value,
            available_after=draft.available(command.currency) - command.points,
            policy_digest=command.terms.policy_digest,
            usages=usages,
            reward=command.reward,
            benefit=command.benefit,
            burn_time=to_timestamp(command.occurred_at),
            spender_id=command.spender_id,
            late_for=command.late_for,
        )
    )


def check_terms(points: int, terms: RedemptionTerms) -> None:
    """Refuse what the unit's policy does not let a member spend at once.

    Raises BelowMinimum, NotAStep, AboveMaximum, BasketShareExceeded.
    """
    if points < terms.minimum:
        raise BelowMinimum(requested=points, minimum=terms.minimum)
    if terms.step > 1 and points % terms.step:
        raise NotAStep(requested=points, step=terms.step)
    if terms.maximum is not None and points > terms.maximum:
        raise AboveMaximum(requested=points, maximum=terms.maximum)
    if terms.most_for_basket is not None and points > terms.most_for_basket:
        raise BasketShareExceeded(requested=points, most=terms.most_for_basket)


def use_limits(
    draft: Draft, points: int, limits: Iterable[PeriodLimit], *, whose: str = ""
) -> list[Usage]:
    """Count points under the limits of their periods. Raises LimitReached."""
    usages: list[Usage] = []
    for limit in limits:
        key = (limit.name, "", limit.period)
        used = draft.tally.counting.usage.get(key, 0)
        if is_forgotten(draft.tally.counting.usage, key):
            used = limit.points
        if used + points > limit.points:
            raise LimitReached(
                requested=points, limit=limit.points, used=used, window=limit.window, whose=whose
            )
        usages.append(
            Usage(name=limit.name, period=limit.period, others=used, total=points, change=points)
        )
    return usages


def changed_usages(usages: Iterable[Usage | Counted], points: int, times: int = 0) -> list[Usage]:
    """The limits that a deed was counted under, with so many points and times more or less.

    Where the policy says that nothing is given back, nothing is, and nothing is taken again.
    """
    return [
        Usage(
            name=used.name,
            scope=used.scope,
            period=used.period,
            change=0 if used.kept else times if counts_times(used.name) else points,
            kept=used.kept,
        )
        for used in usages
    ]


def draw_or_refuse(
    draft: Draft, currency: str, points: int, *, beside: int = 0, first: tuple[str, ...] = ()
) -> list[Draw]:
    """Take available points in draw order, all or none. Raises InsufficientPoints.

    `beside` are points that are drawn besides these, of what is not available. What the funders
    in `first` pay for is drawn before all else.
    """
    available = draft.available(currency)
    if available < points:
        raise InsufficientPoints(
            available=available + beside, requested=points + beside, currency=currency
        )
    lots = (lot for lot in draft.lots() if lot.currency == currency)
    return draw_available(in_spending_order(lots, first), points)[0]
