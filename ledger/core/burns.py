"""Burns: points are spent, from the lots that expire first."""

from ledger.core.commands import BurnPoints, RedemptionTerms
from ledger.core.decision import Draft, check_points
from ledger.core.draws import draw_available
from ledger.core.refusals import BelowMinimum, InsufficientPoints, NotAStep
from loyalty.v1.events_pb2 import PointsBurned
from loyalty.v1.types_pb2 import Draw


def burn(draft: Draft, command: BurnPoints) -> None:
    """Spend points. Raises Malformed, BelowMinimum, NotAStep, InsufficientPoints."""
    check_points(command.points)
    check_terms(command.points, command.terms)
    draws = draw_or_refuse(draft, command.currency, command.points)
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
        )
    )


def check_terms(points: int, terms: RedemptionTerms) -> None:
    """Refuse what the unit's policy does not let a member spend at once."""
    if points < terms.minimum:
        raise BelowMinimum(requested=points, minimum=terms.minimum)
    if terms.step > 1 and points % terms.step:
        raise NotAStep(requested=points, step=terms.step)


def draw_or_refuse(draft: Draft, currency: str, points: int) -> list[Draw]:
    """Take available points in draw order, all or none. Raises InsufficientPoints."""
    available = draft.available(currency)
    if available < points:
        raise InsufficientPoints(available=available, requested=points, currency=currency)
    lots = (lot for lot in draft.tally.lots.items if lot.currency == currency)
    return draw_available(lots, points)[0]
