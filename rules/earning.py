"""One earn rule, compiled: its conditions as named closures, its amounts as exact numbers."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

from rules.model import BaseRule, BonusRule, GrantRule, MultiplierRule, PointsRule, When
from rules.money import Amount

PHASES = ("base", "multiplier", "bonus")


@dataclass(frozen=True, slots=True)
class Context:
    """What many documents have in common, so that a plan made for one serves them all."""

    unit: str
    currency_code: str
    channel: str
    kind: str
    tier: str | None


@dataclass(frozen=True, slots=True)
class ContextTest:
    """A condition on the whole document; `name` is its key in the policy."""

    name: str
    holds: Callable[[Context], bool]


@dataclass(frozen=True, slots=True)
class CategoryTest:
    """A condition on a line's category; `name` is its key in the policy."""

    name: str
    holds: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """An earn rule: `points` per `per` of money for a base rule, `points` alone for a bonus.

    `excess` is a multiplier's factor less 1. `categories` and `categories_not` are the patterns and
    `words` the channels, kinds and tiers that its conditions name.
    """

    id: str
    kind: str
    currency: str
    group: str
    funder: str | None
    expiry: str | None
    pending_days: int | None
    context_tests: tuple[ContextTest, ...]
    category_tests: tuple[CategoryTest, ...]
    categories: tuple[str, ...]
    categories_not: tuple[str, ...]
    words: tuple[str, ...]
    basket_min: Amount | None
    line_min: Amount | None
    points: int
    per: Amount | None
    excess: Fraction

    def wants_category(self, category: str) -> bool:
        """Say whether the rule looks at lines of this category."""
        return all(test.holds(category) for test in self.category_tests)


def compile_rules(rules: Iterable[PointsRule | GrantRule]) -> tuple[CompiledRule, ...]:
    """Compile earn rules into the order of evaluation: phase, higher priority first, id."""
    earning = [rule for rule in rules if not isinstance(rule, GrantRule)]
    ordered = sorted(earning, key=lambda rule: (PHASES.index(rule.kind), -rule.priority, rule.id))
    return tuple(map(_compile, ordered))


def _compile(rule: PointsRule) -> CompiledRule:
    return CompiledRule(
        id=rule.id,
        kind=rule.kind,
        currency=rule.currency,
        group=rule.group if isinstance(rule, MultiplierRule) else "",
        funder=rule.funder,
        expiry=rule.expiry,
        pending_days=rule.pending_days,
        context_tests=tuple(_context_tests(rule)),
        category_tests=tuple(_category_tests(rule.when)),
        categories=rule.when.category,
        categories_not=rule.when.category_not,
        words=(*rule.when.channel, *rule.when.kind, *rule.when.tier),
        basket_min=rule.when.basket_min,
        line_min=rule.when.line_min,
        points=rule.rate.points if isinstance(rule, BaseRule) else _bonus_points(rule),
        per=rule.rate.per if isinstance(rule, BaseRule) else None,
        excess=rule.factor - 1 if isinstance(rule, MultiplierRule) else Fraction(0),
    )


def _bonus_points(rule: PointsRule) -> int:
    return rule.points if isinstance(rule, BonusRule) else 0


def _context_tests(rule: PointsRule) -> Iterable[ContextTest]:
    when = rule.when
    if when.business_unit:
        units = frozenset(when.business_unit)
        yield ContextTest("when.business_unit", lambda context: context.unit in units)
    for name, amount in amounts_of(rule):
        if amount.currency_code is not None:
            yield ContextTest(name, _in_currency(amount.currency_code))
    if when.channel:
        channels = frozenset(when.channel)
        yield ContextTest("when.channel", lambda context: context.channel in channels)
    if when.kind:
        kinds = frozenset[str](when.kind)
        yield ContextTest("when.kind", lambda context: context.kind in kinds)
    if when.tier:
        tiers = frozenset(when.tier)
        yield ContextTest("when.tier", lambda context: context.tier in tiers)


def amounts_of(rule: PointsRule) -> Iterable[tuple[str, Amount]]:
    """Name every amount of money in a rule; one with a currency binds the rule to it."""
    if isinstance(rule, BaseRule) and rule.rate.per is not None:
        yield "rate.per", rule.rate.per
    if rule.when.basket_min is not None:
        yield "when.basket_min", rule.when.basket_min
    if rule.when.line_min is not None:
        yield "when.line_min", rule.when.line_min


def _in_currency(code: str) -> Callable[[Context], bool]:
    return lambda context: context.currency_code == code


def _category_tests(when: When) -> Iterable[CategoryTest]:
    if when.category:
        yield CategoryTest("when.category", matcher(when.category))
    if when.category_not:
        unwanted = matcher(when.category_not)
        yield CategoryTest("when.category_not", lambda category: not unwanted(category))


def matcher(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Compile category patterns: `room` is that category alone, `room/*` all that is below it."""
    exact = frozenset(pattern for pattern in patterns if not pattern.endswith("/*"))
    below = tuple(pattern[:-1] for pattern in patterns if pattern.endswith("/*"))
    return lambda category: category in exact or category.startswith(below)
