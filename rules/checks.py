"""Publish checks: what is wrong with a policy document, said like a good compiler says it.

The shape of the document was checked when it was read. Here the parts are checked against each
other: first every name, then, once all names are known, what the rules amount to.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import chain

from rules.loading import PolicyDocument
from rules.model import (
    BaseRule,
    EarnRule,
    FixedExpiry,
    GrantRule,
    MultiplierRule,
    PolicyModel,
    When,
)
from rules.money import Amount
from rules.reach_checks import rule_findings
from rules.reading import Place
from rules.refusal import Finding, alternatives
from rules.tier_checks import tier_findings

Findings = Iterator[Finding]


ERRORS_MAX = 200
"""How many errors are worth telling: who has more wrong than that begins with these."""


def check(document: PolicyDocument) -> list[Finding]:
    """Judge a document: its findings, errors first, in the order of its parts.

    After `ERRORS_MAX` errors it looks no further.
    """
    if document.model is None:
        return list(document.findings)
    found = _found(document, document.model, _NAMES)
    if not any(finding.severity == "error" for finding in found):
        found += _found(document, document.model, _MEANINGS)
    return sorted(found, key=lambda finding: finding.severity != "error")


def _found(
    document: PolicyDocument, model: PolicyModel, parts: tuple["Part", ...]
) -> list[Finding]:
    found: list[Finding] = []
    errors = 0
    for finding in chain.from_iterable(part(document, model) for part in parts):
        found.append(finding)
        errors += finding.severity == "error"
        if errors == ERRORS_MAX:
            break
    return found


def _duplicates(document: PolicyDocument, model: PolicyModel) -> Findings:
    sections: dict[Place, Iterable[str]] = {
        ("currencies",): [entry.id for entry in model.currencies],
        ("business_units",): [entry.id for entry in model.business_units],
        ("categories",): [entry.id for entry in model.categories],
        ("groups",): [entry.id for entry in model.groups],
        ("expiries",): [entry.id for entry in model.expiries],
        ("earn",): [entry.id for entry in model.earn],
        ("redemptions",): [entry.id for entry in model.redemptions],
        ("tiers", "ladder"): [tier.id for tier in model.tiers.ladder] if model.tiers else [],
    }
    for place, ids in sections.items():
        seen: set[str] = set()
        for number, name in enumerate(ids):
            if name in seen:
                yield document.finding((*place, number), f"duplicate id {name!r}")
            seen.add(name)


def _unknown(
    document: PolicyDocument, place: Place, names: Iterable[str | None], known: Collection[str]
) -> Findings:
    """Find the names that are not known; `known` answers at once what it contains."""
    for name in names:
        if name is not None and name not in known:
            yield document.finding(place, f"unknown {name!r}{alternatives(name, known)}")


def _references(document: PolicyDocument, model: PolicyModel) -> Findings:
    currencies = {entry.id for entry in model.currencies}
    units = {entry.id for entry in model.business_units}
    expiries = {entry.id for entry in model.expiries}
    place: Place
    for number, currency in enumerate(model.currencies):
        place = ("currencies", number, "expiry")
        yield from _unknown(document, place, [currency.expiry], expiries)
    groups = {entry.id for entry in model.groups}
    words = _Words(model)
    for number, rule in enumerate(model.earn):
        here: Place = ("earn", number)
        if isinstance(rule, GrantRule):
            continue
        group = [rule.group] if isinstance(rule, MultiplierRule) else []
        yield from _unknown(document, (*here, "currency"), [rule.currency], currencies)
        yield from _unknown(document, (*here, "group"), group, groups)
        yield from _unknown(document, (*here, "expiry"), [rule.expiry], expiries)
        yield from _unknown(document, (*here, "funder"), [rule.funder], units)
        yield from words.unknown(document, (*here, "when"), rule.when)
    for number, entry in enumerate(model.redemptions):
        here = ("redemptions", number)
        yield from _unknown(document, (*here, "currency"), [entry.currency], currencies)
        yield from _unknown(document, (*here, "business_unit"), entry.business_unit, units)
    for number, hold in enumerate(model.holds):
        place = ("holds", number, "business_unit")
        yield from _unknown(document, place, hold.business_unit, units)
    for place, need in tier_needs(model):
        yield from _unknown(document, (*place, "currency"), [need], currencies)


def tier_needs(model: PolicyModel) -> Iterator[tuple[Place, str]]:
    """Name the place and the currency of every threshold of the ladder."""
    for number, tier in enumerate(model.tiers.ladder if model.tiers else ()):
        for key, any_of in (("reach_any", tier.reach_any), ("keep_any", tier.keep_any)):
            for choice, all_of in enumerate(any_of):
                for position, need in enumerate(all_of):
                    yield ("tiers", "ladder", number, key, choice, position), need.currency or ""


class _Words:
    """What the conditions of a rule may name."""

    def __init__(self, model: PolicyModel) -> None:
        self._units = {entry.id for entry in model.business_units}
        self._tiers = {tier.id for tier in model.tiers.ladder} if model.tiers else set[str]()
        self._any_category = model.unlisted_categories == "earn"
        self._listed = {entry.id for entry in model.categories}
        # Sets of names, so that a pattern is looked up and not held against every category.
        self._above = {above for name in self._listed for above in _above(name)}

    def unknown(self, document: PolicyDocument, place: Place, when: When) -> Findings:
        yield from _unknown(document, (*place, "business_unit"), when.business_unit, self._units)
        if when.tier and not self._tiers:
            yield document.finding((*place, "tier"), "the policy has no 'tiers'")
        else:
            yield from _unknown(document, (*place, "tier"), when.tier, self._tiers)
        if self._any_category:
            return
        for key, patterns in (("category", when.category), ("category_not", when.category_not)):
            for pattern in patterns:
                name = pattern.removesuffix("/*")
                if not self._has_family(name):
                    message = f"{pattern!r} matches no category{alternatives(name, self._listed)}"
                    yield document.finding((*place, key), message)

    def _has_family(self, name: str) -> bool:
        """Say whether a category of this name is listed, or one above or below it."""
        return (
            name in self._listed
            or name in self._above
            or any(above in self._listed for above in _above(name))
        )


def _above(name: str) -> Iterator[str]:
    """Name the categories that a category lies in: of a/b/c they are a/b and a."""
    while "/" in name:
        name = name.rpartition("/")[0]
        yield name


def _money(document: PolicyDocument, model: PolicyModel) -> Findings:
    codes = {unit.id: unit.currency for unit in model.business_units}
    for number, unit in enumerate(model.business_units):
        place: Place = ("business_units", number, "point_value")
        yield from _money_at(document, place, unit.point_value, [unit.currency])
        yield from _positive(document, place, unit.point_value)
    for number, rule in enumerate(model.earn):
        bound = [codes[name] for name in rule.when.business_unit] or list(codes.values())
        narrow = bool(rule.when.business_unit)
        for key, amount in _rule_amounts(rule):
            place = ("earn", number, *key)
            yield from _money_at(document, place, amount, bound, all_of_them=narrow)
            yield from _whole_minor(document, place, amount, bound)
        if isinstance(rule, BaseRule) and rule.rate.per is not None:
            yield from _positive(document, ("earn", number, "rate", "per"), rule.rate.per)
    for number, entry in enumerate(model.redemptions):
        place = ("redemptions", number, "point_value")
        bound = [codes[name] for name in entry.business_unit] or list(codes.values())
        yield from _money_at(document, place, entry.point_value, bound)
        yield from _positive(document, place, entry.point_value)


def _rule_amounts(rule: EarnRule) -> Iterator[tuple[tuple[str, ...], Amount]]:
    if isinstance(rule, BaseRule) and rule.rate.per is not None:
        yield ("rate", "per"), rule.rate.per
    if rule.when.basket_min is not None:
        yield ("when", "basket_min"), rule.when.basket_min
    if rule.when.line_min is not None:
        yield ("when", "line_min"), rule.when.line_min


def _money_at(
    document: PolicyDocument,
    place: Place,
    amount: Amount | None,
    codes: list[str],
    *,
    all_of_them: bool = True,
) -> Findings:
    """Check that an amount's currency is that of the units it is for: of all, or of any."""
    code = amount.currency_code if amount else None
    if code is None or (set(codes) == {code} if all_of_them else code in codes):
        return
    theirs = ", ".join(sorted(set(codes)))
    yield document.finding(place, f"{amount} is for units whose money is {theirs}")


def _positive(document: PolicyDocument, place: Place, amount: Amount | None) -> Findings:
    if amount is not None and amount.decimal == 0:
        yield document.finding(place, "must be above zero")


def _whole_minor(
    document: PolicyDocument, place: Place, amount: Amount, codes: list[str]
) -> Findings:
    for code in sorted({amount.currency_code} if amount.currency_code else set(codes)):
        if amount.minor(code).denominator != 1:
            message = f"{amount} is not a whole number of the minor unit of {code}"
            yield document.finding(place, message)


def _expiries(document: PolicyDocument, model: PolicyModel) -> Findings:
    for number, expiry in enumerate(model.expiries):
        # A life of nothing to the end of the day is a day's voucher; without rounding the points
        # would be born expired.
        if (
            isinstance(expiry, FixedExpiry)
            and expiry.round_to == "instant"
            and not (expiry.months or expiry.days)
        ):
            yield document.finding(("expiries", number), "say 'months' or 'days'")


def _redemptions(document: PolicyDocument, model: PolicyModel) -> Findings:
    roles = {currency.id: currency.role for currency in model.currencies}
    units = {unit.id: unit for unit in model.business_units}
    taken: dict[tuple[str, str], str] = {}
    for number, entry in enumerate(model.redemptions):
        if roles[entry.currency] != "spendable":
            message = f"{entry.currency!r} is not spendable, so it cannot be redeemed"
            yield document.finding(("redemptions", number, "currency"), message)
        for name in entry.business_unit or units:
            if entry.point_value is None and units[name].point_value is None:
                message = f"neither it nor business unit {name!r} says a 'point_value'"
                yield document.finding(("redemptions", number), message)
            first = taken.get((entry.currency, name))
            if first is not None:
                message = f"{entry.currency!r} at {name!r} is already redeemed by {first!r}"
                yield document.finding(("redemptions", number), message)
            elif not entry.tier and entry.window is None:
                # Those before it were for some tiers or times; this one leaves nothing to others.
                taken[entry.currency, name] = entry.id


def _holds(document: PolicyDocument, model: PolicyModel) -> Findings:
    taken: set[str] = set()
    for number, entry in enumerate(model.holds):
        for name in entry.business_unit or ("",):
            if name in taken:
                what = repr(name) if name else "all units"
                yield document.finding(("holds", number), f"a time for {what} is already given")
            taken.add(name)


Part = Callable[[PolicyDocument, PolicyModel], Iterable[Finding]]
_NAMES: tuple[Part, ...] = (_duplicates, _references)
_MEANINGS: tuple[Part, ...] = (
    _money,
    _expiries,
    _redemptions,
    _holds,
    tier_findings,
    rule_findings,
)
