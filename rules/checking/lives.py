"""Checks of how long points live."""

from rules.checking.subject import Findings, Subject
from rules.model import FixedExpiry, InactivityExpiry
from rules.reading import Place


def expiry_findings(subject: Subject) -> Findings:
    """Find lives that end before they begin, and those that never count."""
    lowest = subject.model.tiers.ladder[0].id if subject.model.tiers else ""
    for number, expiry in enumerate(subject.model.expiries):
        place: Place = ("expiries", number)
        # A life of nothing to the end of the day is a day's voucher; without rounding the points
        # would be born expired.
        if (
            isinstance(expiry, FixedExpiry)
            and expiry.round_to == "instant"
            and not (expiry.months or expiry.days)
        ):
            yield subject.error(place, "say 'months' or 'days'")
        if (
            isinstance(expiry, InactivityExpiry)
            and expiry.hard_months is not None
            and expiry.hard_months <= expiry.months
        ):
            message = (
                f"{expiry.hard_months} is not above {expiry.months}: "
                "activity would never make a difference"
            )
            yield subject.error((*place, "hard_months"), message)
        if lowest and lowest in expiry.unless_tier:
            message = f"{lowest!r} is everyone's tier; whoever has it keeps the points for ever"
            yield subject.warning((*place, "unless_tier"), message)
        if expiry.lapse == "restart" and not (expiry.unless_tier or expiry.unless_segment):
            message = "has no effect without 'unless_tier' or 'unless_segment'"
            yield subject.warning((*place, "lapse"), message)
        if expiry.kind == "never" and (expiry.unless_tier or expiry.unless_segment):
            yield subject.warning(place, "points that never expire need no exception")
        if expiry.kind == "never" and expiry.claimed_since == "claimed":
            message = "has no effect: points that never expire have no time to count"
            yield subject.warning((*place, "claimed_since"), message)
