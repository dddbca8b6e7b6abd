"""Bounds: what the rules may cost at worst, and that no document can outgrow the numbers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache

from rules.checking.asked import ANY, Asked, Reader, can_meet
from rules.checking.subject import Findings, Subject
from rules.model import (
    BaseRule,
    BonusRule,
    BusinessUnit,
    Currency,
    Group,
    MultiplierRule,
    PointsRule,
)
from rules.money import MINOR_DIGITS

MINOR_MAX = 10**15
"""Minor units of money that the lines of a document may sum to."""
LINES_MAX = 500
QUANTITY_MAX = 10**9
"""Quantity of a line."""
NIGHTS_MAX = 999
POINTS_MAX = 2**63 - 1
SHARE_MAX = Fraction(1, 2)
"""Points worth more than this share of what was paid for them are hardly meant."""
_PAIRS_MAX = 400_000
"""Pairs of a base rule and a multiplier that are looked at, over all units."""
_TOLD_APART_MAX = 10_000
"""Such pairs of a unit up to which tiers and categories are told apart."""


def overflow_findings(subject: Subject) -> Findings:
    """Find rules that could give one document more points than a whole number holds."""
    worst: dict[str, int] = {}
    for rule in subject.points_rules:
        if isinstance(rule, BaseRule):
            most = _most_of_base(subject, rule)
            worst[rule.currency] = max(worst.get(rule.currency, 0), most)
            yield from _too_many(subject, rule, most)
        elif isinstance(rule, BonusRule):
            times = {"transaction": 1, "line": LINES_MAX, "unit": LINES_MAX * QUANTITY_MAX}
            # A cap limits what is given and not what is wanted, which is recorded too.
            yield from _too_many(subject, rule, rule.points * times[rule.per])
    for rule in subject.points_rules:
        if isinstance(rule, MultiplierRule):
            most = int(worst.get(rule.currency, 0) * (rule.factor - 1))
            yield from _too_many(subject, rule, most)


def _most_of_base(subject: Subject, rule: BaseRule) -> int:
    rate = rule.rate
    if rate.per is not None:
        if rate.per.decimal == 0:
            return 0
        codes = {rate.per.currency_code} if rate.per.currency_code else _codes(subject, rule)
        least = min(rate.per.minor(code) for code in codes if code is not None)
        return int(rate.points * MINOR_MAX / least)
    if rate.per_quantity is not None:
        return int(rate.points * LINES_MAX * QUANTITY_MAX / rate.per_quantity)
    return rate.points * NIGHTS_MAX // (rate.per_nights or 1)


def _codes(subject: Subject, rule: PointsRule) -> set[str | None]:
    return {subject.units[name].currency for name in rule.when.business_unit or subject.units}


def _too_many(subject: Subject, rule: PointsRule, most: int) -> Findings:
    if most > POINTS_MAX:
        message = (
            f"could give one document {most} points, and {POINTS_MAX} is the most there can be: "
            "give fewer points, or a currency of a lower 'scale'"
        )
        yield subject.error(subject.rule_place(rule), message)


@dataclass(frozen=True)
class _Worst:
    """The most points per minor unit of money, and the rules that give them."""

    points: Fraction = Fraction(0)
    rules: tuple[str, ...] = ()


@dataclass
class _Unit:
    """What one or more units give at worst in one currency."""

    worst: _Worst
    bonuses: int
    units: list[BusinessUnit] = field(default_factory=list)


def liability_findings(subject: Subject) -> Findings:
    """Say for every unit and currency how many points 100 of its money may give at worst.

    The bound reckons with every condition that can hold at once holding: the tier, the category and
    the time that give most. What a document gets beside its money, fixed bonuses, is said apart.
    """
    yield from _Liability(subject).findings()


class _Liability:
    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._reader = Reader(subject)
        self._asked = {rule.id: self._reader.rule(rule) for rule in subject.points_rules}
        self._groups = {group.id: group for group in subject.model.groups}
        self._pairs = _PAIRS_MAX

    def findings(self) -> Findings:
        for currency in self._subject.model.currencies:
            if currency.role == "stamp":
                continue
            for found in self._by_unit(currency):
                yield from self._say(currency, found)
        if self._pairs < 0:
            yield self._subject.info(("earn",), "too many rules to say what money may earn at most")

    def _by_unit(self, currency: Currency) -> list[_Unit]:
        """Bound each unit; those with the same rules and the same money are said together."""
        rules = [
            (rule, self._asked[rule.id].get("business_unit", ANY))
            for rule in self._subject.points_rules
            if rule.currency == currency.id
        ]
        bit = self._reader.numbers["business_unit"].bits
        alike: dict[object, _Unit] = {}
        for unit in self._subject.model.business_units:
            here = bit((unit.id,))
            ours = [rule for rule, units in rules if units & here]
            key = (tuple(r.id for r in ours), unit.currency, str(unit.point_value))
            if key not in alike:
                self._pairs -= _pairs(ours)
                if self._pairs < 0:
                    return []
                alike[key] = _Unit(self._worst(ours, unit), _bonuses(ours))
            alike[key].units.append(unit)
        return [found for found in alike.values() if found.worst.points]

    def _worst(self, rules: list[PointsRule], unit: BusinessUnit) -> _Worst:
        """Find the base rule that with its multipliers gives most for this unit's money."""
        best = _Worst()
        boosts = [rule for rule in rules if isinstance(rule, MultiplierRule)]
        for base in rules:
            per = base.rate.per if isinstance(base, BaseRule) else None
            if per is None or per.decimal == 0 or per.currency_code not in (None, unit.currency):
                continue
            assert isinstance(base, BaseRule), "only a base rule has a rate"
            rate = Fraction(base.rate.points) / per.minor(unit.currency)
            fitting = [
                boost for boost in boosts if can_meet(self._asked[boost.id], self._asked[base.id])
            ]
            apart = len(rules) * len(boosts) <= _TOLD_APART_MAX
            together = self._together(self._asked[base.id], fitting) if apart else [fitting]
            excess, names = self._raised(together)
            points = rate * (1 + excess)
            if points > best.points:
                best = _Worst(points, (base.id, *names))
        return best

    def _raised(self, sets: Iterable[list[MultiplierRule]]) -> tuple[Fraction, tuple[str, ...]]:
        """Find the excess that multipliers which can all count on one line give at most."""
        best: tuple[Fraction, tuple[str, ...]] = (Fraction(0), ())
        for together in sets:
            by_group: dict[str, list[MultiplierRule]] = {}
            for boost in together:
                by_group.setdefault(boost.group, []).append(boost)
            made = {name: _of_group(self._groups[name], got) for name, got in by_group.items()}
            found = self._without_excluded(made)
            best = max(best, found, key=lambda one: one[0])
        return best

    def _together(
        self, asked: Asked, boosts: list[MultiplierRule]
    ) -> Iterable[list[MultiplierRule]]:
        """Find the largest sets of multipliers that one line of one document can satisfy.

        Only tiers and categories are told apart; whatever else is asked is taken to hold.
        """
        splitting = [
            {
                key: bits
                for key, bits in self._asked[boost.id].items()
                if key in ("tier", "category")
            }
            for boost in boosts
        ]
        cells: dict[tuple[int, int], list[MultiplierRule]] = {
            (asked.get("tier", ANY), asked.get("category", ANY)): []
        }
        for boost, split in zip(boosts, splitting, strict=True):
            tiers, categories = split.get("tier", ANY), split.get("category", ANY)
            parted: dict[tuple[int, int], list[MultiplierRule]] = {}
            for (tier, category), got in cells.items():
                inside = (tier & tiers, category & categories)
                if all(inside):
                    parted[inside] = [*got, boost]
                for outside in ((tier & ~tiers, category), (tier & tiers, category & ~categories)):
                    if all(outside):
                        parted.setdefault(outside, got)
            if len(parted) > 256:
                # Too many to tell apart: a bound that reckons with all of them is still a bound.
                return [boosts]
            cells = parted
        return cells.values()

    def _without_excluded(
        self, made: Mapping[str, tuple[Fraction, tuple[str, ...]]]
    ) -> tuple[Fraction, tuple[str, ...]]:
        """Add the groups up, of two that keep each other out only one."""
        for name in made:
            for other in self._groups[name].excludes:
                if other in made and other != name:
                    left = {key: value for key, value in made.items() if key != other}
                    right = {key: value for key, value in made.items() if key != name}
                    one, two = self._without_excluded(left), self._without_excluded(right)
                    return max(one, two, key=lambda found: found[0])
        return (
            sum((excess for excess, _ in made.values()), Fraction(0)),
            tuple(rule for _, rules in made.values() for rule in rules),
        )

    def _say(self, currency: Currency, found: _Unit) -> Findings:
        unit = found.units[0]
        hundred = found.worst.points * 100 * 10 ** MINOR_DIGITS[unit.currency]
        points = f"{_decimal(hundred / 10**currency.scale)} {currency.id!r}"
        message = f"100 {unit.currency} earn at most {points}"
        share = Fraction(0)
        if unit.point_value is not None and currency.role == "spendable":
            share = found.worst.points * unit.point_value.minor(unit.currency)
            message += f", worth {_decimal(share * 100)} {unit.currency}"
        message += f", by {_listed(found.worst.rules)}"
        if found.bonuses:
            fixed = _decimal(Fraction(found.bonuses, 10**currency.scale))
            message += f"; besides, bonuses of up to {fixed} for each document, line or piece"
        if len(found.units) > 1:
            message += f"; so at {_listed(tuple(one.id for one in found.units))}"
        number = self._subject.model.business_units.index(unit)
        yield self._subject.info(("business_units", number), message)
        if share > SHARE_MAX:
            message = (
                f"100 {unit.currency} may earn points worth {_decimal(share * 100)} "
                f"{unit.currency}, by {_listed(found.worst.rules)}"
            )
            yield self._subject.warning(("business_units", number), message)


def _pairs(rules: list[PointsRule]) -> int:
    bases = sum(isinstance(rule, BaseRule) for rule in rules)
    return bases * sum(isinstance(rule, MultiplierRule) for rule in rules)


def _of_group(group: Group, boosts: list[MultiplierRule]) -> tuple[Fraction, tuple[str, ...]]:
    """Give the most that a group adds to the base, and by which rules."""
    if group.combine in ("first", "best_of"):
        boosts = [max(boosts, key=lambda boost: boost.factor)]
    excess = sum((boost.factor - 1 for boost in boosts), Fraction(0))
    if group.combine == "product":
        product = Fraction(1)
        for boost in boosts:
            product *= boost.factor
        excess = product - 1
    if group.max_factor is not None:
        excess = min(excess, group.max_factor - 1)
    return excess, tuple(boost.id for boost in boosts)


def _bonuses(rules: list[PointsRule]) -> int:
    return sum(rule.points for rule in rules if isinstance(rule, BonusRule))


def _listed(names: tuple[str, ...]) -> str:
    shown = ", ".join(repr(name) for name in names[:6])
    return shown + (f" and {len(names) - 6} more" if len(names) > 6 else "")


@cache
def _decimal(value: Fraction) -> str:
    """Write a number with two digits after the point, rounded up: it is a bound."""
    cents = -(-value.numerator * 100 // value.denominator)
    whole, rest = divmod(cents, 100)
    return f"{whole}.{rest:02}" if rest else str(whole)
