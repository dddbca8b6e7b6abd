"""Checks of what limits and gathers rules: groups, caps, campaigns and their budgets."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from math import lcm

from rules.checking.subject import Findings, Subject, used_names
from rules.model import (
    BaseRule,
    BonusRule,
    Budget,
    Campaign,
    Cap,
    GrantRule,
    Group,
    MultiplierRule,
    PointsRule,
)
from rules.reading import Place

_WINDOWS = ("transaction", "local_day", "local_week", "local_month", "local_year", "lifetime")
_PER = ("transaction", "member", "household", "campaign")
DENOMINATOR_BITS_MAX = 8192
"""Of exact points. Hundreds of rules with prices and percentages need a tenth of it."""


def limit_findings(subject: Subject) -> Findings:
    """Find groups that contradict each other, and caps and budgets without effect."""
    excluded = {group.id: group.excludes for group in subject.model.groups}
    for number, group in enumerate(subject.model.groups):
        yield from _group(subject, ("groups", number), group, excluded)
    for rule in subject.points_rules:
        yield from _rule_caps(subject, rule)
    given = {rule.currency for rule in subject.points_rules}
    of_campaign = {(rule.campaign, rule.currency) for rule in subject.points_rules}
    for number, cap in enumerate(subject.model.caps):
        if cap.currency not in given:
            message = f"has no effect: no rule gives {cap.currency!r}"
            yield subject.warning(("caps", number), message)
        elif cap.campaign is not None and (cap.campaign, cap.currency) not in of_campaign:
            message = f"has no effect: no rule of {cap.campaign!r} gives {cap.currency!r}"
            yield subject.warning(("caps", number), message)
    for number, other in _covered(subject.model.caps):
        message = f"has no effect: {subject.model.caps[other].id!r} is reached first"
        yield subject.warning(("caps", number), message)
    for number, campaign in enumerate(subject.model.campaigns):
        yield from _campaign(subject, ("campaigns", number), campaign)
    yield from _unused(subject)
    yield from _unwieldy(subject)


def _group(
    subject: Subject, place: Place, group: Group, excluded: dict[str, tuple[str, ...]]
) -> Findings:
    if group.id in group.excludes:
        yield subject.error((*place, "excludes"), "a group cannot keep itself out")
    for other in group.excludes:
        if other > group.id and group.id in excluded.get(other, ()):
            message = f"keeps out {other!r}, which keeps it out: the order of the groups decides"
            yield subject.warning((*place, "excludes"), message)
    if group.max_factor == 1:
        message = "lets the group add nothing: leave its multipliers out instead"
        yield subject.warning((*place, "max_factor"), message)


def _covered(caps: Iterable[Cap]) -> Iterator[tuple[int, int]]:
    """Find caps that others, as wide and as low, make superfluous: the numbers of both."""
    known = list(caps)
    for number, cap in enumerate(known):
        for other, wide in enumerate(known):
            same_purse = (getattr(cap, "currency", None), getattr(cap, "campaign", None)) == (
                getattr(wide, "currency", None),
                getattr(wide, "campaign", None),
            )
            wider = (
                _PER.index(wide.per) >= _PER.index(cap.per)
                and _WINDOWS.index(wide.window) >= _WINDOWS.index(cap.window)
                and wide.points <= cap.points
            )
            # Of two that are the same, the later one is superfluous.
            same = (wide.per, wide.window, wide.points) == (cap.per, cap.window, cap.points)
            if other != number and same_purse and wider and (not same or other < number):
                yield number, other
                break


def _rule_caps(subject: Subject, rule: PointsRule) -> Findings:
    place: Place = (*subject.rule_place(rule), "caps")
    for number, other in _covered(rule.caps):
        message = f"has no effect: cap {other} of the rule is reached first"
        yield subject.warning((*place, number), message)
    budgets = [
        budget
        for campaign in subject.model.campaigns
        if campaign.id == rule.campaign
        for budget in campaign.budgets
        if budget.currency == rule.currency
    ]
    for number, cap in enumerate(rule.caps):
        for budget in budgets:
            longer = _WINDOWS.index(budget.window) >= _WINDOWS.index(cap.window)
            if longer and cap.points > budget.points:
                message = (
                    f"has no effect: {cap.points} is more than the {budget.points} "
                    f"of the budget of {rule.campaign!r}"
                )
                yield subject.warning((*place, number), message)
        if not isinstance(rule, BonusRule) or rule.per != "transaction":
            continue
        if cap.points < rule.points:
            message = f"is less than the {rule.points} points that the rule gives at once"
            yield subject.warning((*place, number), message)
        elif cap.per == "transaction":
            yield subject.warning((*place, number), "has no effect: the rule never gives more")


def _campaign(subject: Subject, place: Place, campaign: Campaign) -> Findings:
    rules = [rule for rule in subject.model.earn if rule.campaign == campaign.id]
    if not rules:
        yield subject.warning(place, "has no rules")
    if campaign.holdout is not None and campaign.holdout >= 1:
        yield subject.error((*place, "holdout"), "holds out every member: it is less than 1")
    gives = {rule.currency for rule in rules if not isinstance(rule, GrantRule)}
    taken: dict[tuple[str, str], int] = {}
    for number, budget in enumerate(campaign.budgets):
        at: Place = (*place, "budgets", number)
        if rules and budget.currency not in gives:
            message = f"has no effect: no rule of the campaign gives {budget.currency!r}"
            yield subject.warning(at, message)
        first = taken.setdefault((budget.currency, budget.window), number)
        if first != number:
            message = f"a budget of {budget.currency!r} for {budget.window!r} is already given"
            yield subject.error(at, message)
        if any(_is_below(other, budget) for other in campaign.budgets):
            yield subject.warning(at, "has no effect: a longer budget has fewer points")


def _is_below(longer: Budget, budget: Budget) -> bool:
    return (
        longer.currency == budget.currency
        and longer.points <= budget.points
        and _WINDOWS.index(longer.window) > _WINDOWS.index(budget.window)
    )


def _unused(subject: Subject) -> Findings:
    """Note what is declared and not used, where nothing but the policy can use it."""
    used: dict[str, set[str]] = {}
    for _, part in subject.parts:
        for section, names, _ in used_names(part):
            used.setdefault(section, set()).update(names)
    for section in ("groups", "expiries", "benefits"):
        for number, entry in enumerate(getattr(subject.model, section)):
            if entry.id not in used.get(section, set()):
                yield subject.info((section, number), "nothing in the policy uses it")


def _unwieldy(subject: Subject) -> Findings:
    """Find currencies whose exact points have a denominator that would take seconds to reckon with.

    The first document that rules meet would wait for it, and every other one behind it.
    """
    combine = {group.id: group.combine for group in subject.model.groups}
    for number, currency in enumerate(subject.model.currencies):
        shares: dict[str, int] = {}
        for rule in subject.points_rules:
            if rule.currency != currency.id or isinstance(rule, BonusRule):
                continue
            # Bases have no group, and share a denominator as those of a group do.
            group = rule.group if isinstance(rule, MultiplierRule) else ""
            below = _denominator(rule)
            known = shares.get(group, 1)
            together = known * below if combine.get(group) == "product" else lcm(known, below)
            shares[group] = together
            if sum(share.bit_length() for share in shares.values()) > DENOMINATOR_BITS_MAX:
                message = (
                    f"{rule.id!r} and the rules before it have no common denominator of less than "
                    f"{DENOMINATOR_BITS_MAX} bits: write rates and factors with fewer digits"
                )
                yield subject.error(("currencies", number), message)
                break


def _denominator(rule: BaseRule | MultiplierRule) -> int:
    """Give the denominator of a factor, or of the points for one unit of what a rate counts."""
    if isinstance(rule, MultiplierRule):
        return rule.factor.denominator
    rate = rule.rate
    each = rate.per.decimal if rate.per else rate.per_quantity or Fraction(rate.per_nights or 1)
    # An amount of nothing is refused where money is checked.
    return (rate.points / each).denominator if each else 1
