"""Checks of what a member gets for bringing another."""

from rules.checking.asked import asks_for_activity
from rules.checking.subject import Findings, Subject
from rules.model import When
from rules.reading import Place
from rules.shapes import walk


def referring_findings(subject: Subject) -> Findings:
    """Find minimums of no money, or of one twice, and a reward that nothing gives."""
    terms = subject.model.referrals
    if terms is None:
        return
    place: Place = ("referrals",)
    codes = {unit.currency for unit in subject.model.business_units}
    taken: set[str | None] = set()
    for number, amount in enumerate(terms.minimums):
        at: Place = (*place, "minimums", number)
        code = amount.currency_code
        if code is not None and code not in codes:
            yield subject.error(at, f"{amount} is of the money of no business unit")
        elif code in taken or (taken and None in {code, *taken}):
            yield subject.error(at, f"{amount}: a minimum for that money is already given")
        taken.add(code)
        for each in sorted(codes if code is None else {code} & codes):
            if amount.minor(each).denominator != 1:
                message = f"{amount} is not a whole number of the minor unit of {each}"
                yield subject.error(at, message)
    if not any(_gives(when, terms.activity) for when in _whens(subject)):
        message = f"no rule gives anything for activity {terms.activity!r}"
        yield subject.warning((*place, "activity"), message)


def _whens(subject: Subject) -> list[When]:
    return [when for rule in subject.model.earn for when in subject.whens(rule)]


def _gives(when: When, activity: str) -> bool:
    """Say whether conditions can hold for an activity, as far as they name any."""
    named = [part for _, part in walk(when, ()) if isinstance(part, When) and part.activity]
    return asks_for_activity(when) and any(activity in part.activity for part in named)
