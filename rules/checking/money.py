"""Checks of amounts: each is of the money of the units it is for, and whole in its minor unit."""

from collections.abc import Collection

from rules.checking.subject import Findings, Subject
from rules.model import BaseRule, When
from rules.money import Amount
from rules.reading import Place
from rules.shapes import walk


def money_findings(subject: Subject) -> Findings:
    """Find amounts that no document could be held against."""
    codes = {unit.id: unit.currency for unit in subject.model.business_units}
    for number, unit in enumerate(subject.model.business_units):
        place: Place = ("business_units", number, "point_value")
        yield from _of_money(subject, place, unit.point_value, {unit.currency}, all_of_them=True)
        yield from _above_zero(subject, place, unit.point_value)
    for number, rule in enumerate(subject.model.earn):
        units = rule.when.business_unit
        yield from _conditions(subject, ("earn", number, "when"), rule.when, codes, units)
        if isinstance(rule, BaseRule) and rule.rate.per is not None:
            yield from _rate(
                subject, ("earn", number, "rate", "per"), rule.rate.per, _codes(codes, units)
            )
    for section in ("campaigns", "counters"):
        for number, entry in enumerate(getattr(subject.model, section)):
            place = (section, number, "when")
            yield from _conditions(subject, place, entry.when, codes, ())
    for section, key in (
        ("redemptions", "point_value"),
        ("rewards", "value"),
        ("benefits", "value"),
    ):
        for number, entry in enumerate(getattr(subject.model, section)):
            place, amount = (section, number, key), getattr(entry, key)
            bound = _codes(codes, entry.business_unit)
            yield from _of_money(subject, place, amount, bound, all_of_them=True)
            yield from _above_zero(subject, place, amount)
            if amount is not None and section != "redemptions":
                yield from _whole_minor(subject, place, amount, bound)


def settlement_findings(subject: Subject) -> Findings:
    """Find prices of points that nobody could pay, or that are given twice."""
    taken: set[tuple[str, str]] = set()
    for number, entry in enumerate(subject.model.settlement.prices):
        place: Place = ("settlement", "prices", number)
        if entry.price.currency_code is None:
            message = f"{entry.price} of which money? Units have their own: write it with a code"
            yield subject.error((*place, "price"), message)
        yield from _above_zero(subject, (*place, "price"), entry.price)
        if subject.currencies[entry.currency].role == "tier_qualifying":
            message = f"{entry.currency!r} decides tiers: it is never taken elsewhere"
            yield subject.error((*place, "currency"), message)
        for name in entry.business_unit or ("",):
            if (entry.currency, name) in taken:
                what = repr(name) if name else "all units"
                yield subject.error(place, f"a price of {entry.currency!r} for {what} is given")
            taken.add((entry.currency, name))


def _codes(codes: dict[str, str], units: Collection[str]) -> frozenset[str]:
    return frozenset(codes[name] for name in units or codes)


def _conditions(
    subject: Subject, place: Place, when: When, codes: dict[str, str], units: Collection[str]
) -> Findings:
    """Check the thresholds of conditions and of those within them, which may name units anew."""
    for at, part in walk(when, place):
        if isinstance(part, When):
            named = part.business_unit or units
            bound = _codes(codes, named)
            for key, amount in (("basket_min", part.basket_min), ("line_min", part.line_min)):
                if amount is not None:
                    there = (*at, key)
                    yield from _of_money(subject, there, amount, bound, all_of_them=bool(named))
                    yield from _whole_minor(subject, there, amount, bound)


def _rate(subject: Subject, place: Place, per: Amount, bound: Collection[str]) -> Findings:
    yield from _above_zero(subject, place, per)
    yield from _whole_minor(subject, place, per, bound)
    code = per.currency_code
    foreign = sorted({one for one in bound if code is not None and one != code})
    if foreign:
        message = f"documents in {', '.join(foreign)} must state the rate of {code}, or are refused"
        yield subject.warning(place, message)


def _of_money(
    subject: Subject,
    place: Place,
    amount: Amount | None,
    codes: Collection[str],
    *,
    all_of_them: bool,
) -> Findings:
    """Check that an amount's currency is that of the units it is for: of all, or of any."""
    code = amount.currency_code if amount else None
    if code is None or (set(codes) == {code} if all_of_them else code in codes):
        return
    theirs = ", ".join(sorted(set(codes)))
    yield subject.error(place, f"{amount} is for units whose money is {theirs}")


def _above_zero(subject: Subject, place: Place, amount: Amount | None) -> Findings:
    if amount is not None and amount.decimal == 0:
        yield subject.error(place, "must be above zero")


def _whole_minor(
    subject: Subject, place: Place, amount: Amount, codes: Collection[str]
) -> Findings:
    for code in sorted({amount.currency_code} if amount.currency_code else codes):
        if amount.minor(code).denominator != 1:
            message = f"{amount} is not a whole number of the minor unit of {code}"
            yield subject.error(place, message)
