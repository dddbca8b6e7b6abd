"""Checks of the tier ladder."""

from collections.abc import Iterator

from rules.checking.subject import Findings, Subject
from rules.model import Need, Tier, Tiers
from rules.reading import Place

Choices = tuple[tuple[Need, ...], ...]
_KEYS = ("reach_any", "keep_any", "lifetime_any")
_TWO_YEARS = 24
"""Months."""


def ladder_findings(subject: Subject) -> Findings:
    """Find ladders that nobody can climb, or that do not rise."""
    tiers = subject.model.tiers
    if tiers is None:
        return
    ladder = tiers.ladder
    lowest = ladder[0]
    if lowest.reach_any or lowest.keep_any or lowest.lifetime_any or lowest.invite_only:
        message = "is the lowest tier: it is everyone's and has no thresholds"
        yield subject.error(("tiers", "ladder", 0), message)
    for number, tier in enumerate(ladder):
        place: Place = ("tiers", "ladder", number)
        if number:
            yield from _reached(subject, place, tier)
            yield from _rising(subject, ladder[number - 1], tier, number)
        for at, need in _needs(place, tier):
            yield from _need(subject, at, need)
    yield from _terms(subject, tiers)
    yield from _kept_for_ever(subject, tiers)


def _reached(subject: Subject, place: Place, tier: Tier) -> Findings:
    ways = tier.reach_any or tier.lifetime_any
    if tier.invite_only and ways:
        message = "is for the invited only, and can be reached: say one or the other"
        yield subject.error((*place, "invite_only"), message)
    if not tier.invite_only and not ways:
        yield subject.error(place, "cannot be reached: say 'reach_any'")
    if tier.keep_any and not tier.reach_any and not tier.invite_only:
        yield subject.warning((*place, "keep_any"), "has no effect: the tier is for ever")
    if not all(all(getattr(tier, key)) for key in _KEYS):
        yield subject.error(place, "an empty list of needs would let everyone in")


def _needs(place: Place, tier: Tier) -> Iterator[tuple[Place, Need]]:
    for key in _KEYS:
        for choice, all_of in enumerate(getattr(tier, key)):
            for position, need in enumerate(all_of):
                yield (*place, key, choice, position), need


def _need(subject: Subject, place: Place, need: Need) -> Findings:
    tier_place = place[:3]
    if need.currency is not None:
        if subject.currencies[need.currency].role != "tier_qualifying":
            yield subject.error(tier_place, f"{need.currency!r} is not tier_qualifying")
        elif all(rule.currency != need.currency for rule in subject.points_rules):
            message = f"cannot be met: no rule gives {need.currency!r}"
            yield subject.warning((*place, "currency"), message)
    codes = {subject.units[name].currency for name in need.business_unit or subject.units}
    if need.money is not None and need.money not in codes:
        theirs = ", ".join(sorted(codes))
        message = f"{need.money} is not the money of its units, which is {theirs}"
        yield subject.error((*place, "money"), message)


def _rising(subject: Subject, below: Tier, tier: Tier, number: int) -> Findings:
    reach, keep, lower = _lone(tier.reach_any), _lone(tier.keep_any), _lone(below.reach_any)
    if reach and keep and _counts(reach) == _counts(keep) and keep.at_least > reach.at_least:
        message = f"{keep.at_least} to keep is more than {reach.at_least} to reach"
        yield subject.error(("tiers", "ladder", number, "keep_any"), message)
    if reach and lower and _counts(reach) == _counts(lower) and reach.at_least <= lower.at_least:
        message = f"{reach.at_least} is not above {lower.at_least} of {below.id!r} below it"
        yield subject.error(("tiers", "ladder", number, "reach_any"), message)


def _counts(need: Need) -> Need:
    """Give the need without its number: what is counted."""
    return need.model_copy(update={"at_least": 1})


def _lone(choices: Choices) -> Need | None:
    """Give the threshold of a tier that has just one."""
    return choices[0][0] if len(choices) == 1 and len(choices[0]) == 1 else None


def _terms(subject: Subject, tiers: Tiers) -> Findings:
    if tiers.window_months != 12 and tiers.window != "rolling_months":
        message = f"has no effect: 'window: {tiers.window}' has its own length"
        yield subject.warning(("tiers", "window_months"), message)
    if tiers.upgrade == "at_period_end" and tiers.upgrading_order != "before":
        message = "has no effect: no document reaches a tier when tiers rise at the period's end"
        yield subject.warning(("tiers", "upgrading_order"), message)
    if tiers.upgrading_order == "split":
        counted = {need.metric for tier in tiers.ladder for _, need in _needs((), tier)}
        others = sorted(counted - {"spend", "qualifying_points"})
        if others:
            message = f"'split' divides money at the threshold, and {others[0]!r} is none"
            yield subject.error(("tiers", "upgrading_order"), message)


def _kept_for_ever(subject: Subject, tiers: Tiers) -> Findings:
    """Find qualifying points that a ladder by days leaves in the account for ever.

    Those of each day are a lot of their own. A refund looks for them there, so they have to outlive
    every window that is asked: of membership years the running one and the one before.
    """
    if tiers.window == "calendar_year":
        return
    months = tiers.window_months if tiers.window == "rolling_months" else _TWO_YEARS
    ends = {expiry.id for expiry in subject.model.expiries if expiry.kind != "never"}
    for number, currency in enumerate(subject.model.currencies):
        if currency.role != "tier_qualifying":
            continue
        given = [rule for rule in subject.points_rules if rule.currency == currency.id]
        if any((rule.expiry or currency.expiry) not in ends for rule in given):
            message = (
                f"{currency.id!r} never expires, and 'window: {tiers.window}' makes a lot of each "
                f"day: give it an expiry of at least {months + 1} months, or accounts keep them all"
            )
            yield subject.warning(("currencies", number), message)
