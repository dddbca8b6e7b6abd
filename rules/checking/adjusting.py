"""Checks of what staff may give and take by hand, and of limits of velocity."""

from collections.abc import Sequence

from rules.checking.subject import Findings, Subject
from rules.model import ApprovalLimit
from rules.reading import Place


def adjusting_findings(subject: Subject) -> Findings:
    """Find limits that contradict each other, and units at which nothing can be adjusted."""
    adjustments = subject.model.adjustments
    place: Place = ("adjustments",)
    yield from _limits(subject, (*place, "limits"), adjustments.limits)
    for number, reason in enumerate(adjustments.reasons):
        at: Place = (*place, "reasons", number)
        yield from _limits(subject, (*at, "limits"), reason.limits)
        most = reason.max_points
        alone = [limit.points for limit in reason.limits]
        if reason.points_alone is not None:
            alone.append(reason.points_alone)
        if most is not None and alone and min(alone) >= most:
            message = f"nobody is ever asked: one person may move all of the {most} at once"
            yield subject.warning((*at, "max_points"), message)
        for limit_number, limit in enumerate(reason.limits):
            for name in limit.business_unit:
                if reason.business_unit and name not in reason.business_unit:
                    message = f"has no effect: {reason.id!r} is no reason at {name!r}"
                    yield subject.warning((*at, "limits", limit_number), message)


def _limits(subject: Subject, place: Place, limits: Sequence[ApprovalLimit]) -> Findings:
    taken: set[str] = set()
    for number, limit in enumerate(limits):
        for name in limit.business_unit:
            if name in taken:
                yield subject.error((*place, number), f"a limit for {name!r} is already given")
            taken.add(name)


def velocity_findings(subject: Subject) -> Findings:
    """Find limits that count what cannot happen, or nothing that anybody would reach."""
    for number, terms in enumerate(subject.model.velocity):
        place: Place = ("velocity", number)
        if len(set(terms.verbs)) < len(terms.verbs):
            yield subject.error((*place, "verbs"), "names something twice")
        if "earn_by_staff" in terms.verbs and terms.per not in ("member", "operator"):
            message = "what staff earn is counted per 'member' or per 'operator'"
            yield subject.error((*place, "per"), message)
        if "transfer" in terms.verbs and not subject.model.transfers:
            yield subject.warning((*place, "verbs"), "points are not transferred")
        spends = {"burn", "hold"}.intersection(terms.verbs)
        if spends and not (subject.model.redemptions or subject.model.rewards):
            yield subject.warning((*place, "verbs"), "points are not spent")
        qualifying = {c.id for c in subject.model.currencies if c.role == "tier_qualifying"}
        if terms.currency in qualifying and terms.verbs != ("earn_by_staff",):
            message = f"{terms.currency!r} decides tiers and is not moved"
            yield subject.error((*place, "currency"), message)
