"""Publish checks of the tier ladder."""

from collections.abc import Iterator

from rules.loading import PolicyDocument
from rules.model import Need, PolicyModel, Tier
from rules.refusal import Finding

Choices = tuple[tuple[Need, ...], ...]


def tier_findings(document: PolicyDocument, model: PolicyModel) -> Iterator[Finding]:
    """Find ladders that nobody can climb, or that do not rise."""
    if model.tiers is None:
        return
    roles = {currency.id: currency.role for currency in model.currencies}
    ladder = model.tiers.ladder
    if ladder[0].reach_any or ladder[0].keep_any:
        message = "is the lowest tier: it is everyone's and has no thresholds"
        yield document.finding(("tiers", "ladder", 0), message)
    for number, tier in enumerate(ladder[1:], 1):
        place = ("tiers", "ladder", number)
        if not tier.reach_any:
            yield document.finding(place, "cannot be reached: say 'reach_any'")
        for need in _needs(tier):
            if need.currency is not None and roles[need.currency] != "tier_qualifying":
                message = f"{need.currency!r} is not tier_qualifying"
                yield document.finding(place, message)
        if not all(tier.reach_any) or not all(tier.keep_any):
            yield document.finding(place, "an empty list of needs would let everyone in")
        yield from _not_rising(document, ladder[number - 1], tier, number)


def _needs(tier: Tier) -> list[Need]:
    return [
        need for choices in (tier.reach_any, tier.keep_any) for all_of in choices for need in all_of
    ]


def _not_rising(
    document: PolicyDocument, below: Tier, tier: Tier, number: int
) -> Iterator[Finding]:
    reach, keep, lower = _lone(tier.reach_any), _lone(tier.keep_any), _lone(below.reach_any)
    if reach and keep and reach.currency == keep.currency and keep.at_least > reach.at_least:
        message = f"{keep.at_least} to keep is more than {reach.at_least} to reach"
        yield document.finding(("tiers", "ladder", number, "keep_any"), message)
    if reach and lower and reach.currency == lower.currency and reach.at_least <= lower.at_least:
        message = f"{reach.at_least} is not above {lower.at_least} of {below.id!r} below it"
        yield document.finding(("tiers", "ladder", number, "reach_any"), message)


def _lone(choices: Choices) -> Need | None:
    """Give the threshold of a tier that has just one."""
    return choices[0][0] if len(choices) == 1 and len(choices[0]) == 1 else None
