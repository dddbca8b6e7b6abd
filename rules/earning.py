"""One earn rule, compiled: its condition as a tree of data, its amounts as exact numbers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from rules.atoms import Among, Bought
from rules.capping import CapTerms, caps_of
from rules.conditions import All, Node, Not, Test, condition_of, names_activity
from rules.model import (
    BaseRule,
    BonusRule,
    Campaign,
    CurrencyCap,
    EarnRule,
    GrantRule,
    MultiplierRule,
    PolicyModel,
    When,
)
from rules.money import Amount
from rules.predicates import Predicates
from rules.values import Title

PHASES = ("base", "multiplier", "bonus", "grant")
NOBODY_ACTS = Test("when.activity", Among("activity", frozenset(("",))))
"""Rules that name no activity are for purchases."""


@dataclass(frozen=True, slots=True, eq=False)
class CompiledRule:
    """An earn rule of any kind; what a kind has not is empty.

    `condition` holds all that must be true: hold-out and `when` of the campaign, then its own.
    `points` are given per `per` of money, `per_quantity` or `per_nights` by a base rule, of `whole`
    ones alone if so, and per `per_what` by a bonus. `paid` are the kinds of payment that a base
    rule's `paid_share` is of. `funder` is the rule's or its campaign's. `categories` are the
    patterns of its own `when`.
    """

    id: str
    kind: str
    title: Title
    campaign: str
    condition: Node
    categories: tuple[str, ...]
    categories_not: tuple[str, ...]
    currency: str = ""
    funder: str | None = None
    points: int = 0
    per: Amount | None = None
    per_quantity: Fraction | None = None
    per_nights: int | None = None
    whole: bool = False
    paid: frozenset[str] | None = None
    group: str = ""
    factor: Fraction = Fraction(1)
    on_rounded: bool = False
    per_what: str = "transaction"
    expiry: str | None = None
    pending_days: int | None = None
    caps: tuple[CapTerms, ...] = ()
    benefit: str = ""
    quantity: int = 0
    valid_days: int = 0


def compile_rules(
    rules: Iterable[EarnRule],
    campaigns: Iterable[Campaign] = (),
    caps: Iterable[CurrencyCap] = (),
    predicates: Predicates | None = None,
) -> tuple[CompiledRule, ...]:
    """Compile earn rules into the order of evaluation: phase, higher priority first, id."""
    ordered = sorted(rules, key=lambda rule: (PHASES.index(rule.kind), -rule.priority, rule.id))
    compiler = _Compiler({c.id: c for c in campaigns}, tuple(caps), predicates or Predicates())
    return tuple(map(compiler.rule, ordered))


def rules_of(model: PolicyModel, predicates: Predicates) -> tuple[CompiledRule, ...]:
    """Compile the earn rules of a whole policy."""
    return compile_rules(model.earn, model.campaigns, model.caps, predicates)


def for_purchases(node: Node) -> Node:
    """Bind a condition that names no activity to purchases."""
    return node if names_activity(node) else All((NOBODY_ACTS, node))


def of_something_bought(when: When, node: Node) -> Node:
    """Ask that something is left of a purchase, unless `basket_min: 0` says otherwise.

    What is given for a purchase, and not for its money, would outlive it.
    """
    if when.basket_min is not None:
        return node
    return All((node, Test("no eligible line", Bought())))


class _Compiler:
    """What the rules of a policy have in common while they are compiled."""

    def __init__(
        self,
        campaigns: Mapping[str, Campaign],
        caps: tuple[CurrencyCap, ...],
        predicates: Predicates,
    ) -> None:
        self._campaigns = campaigns
        self._caps = caps
        self._predicates = predicates

    def rule(self, rule: EarnRule) -> CompiledRule:
        found = CompiledRule(
            id=rule.id,
            kind=rule.kind,
            title=rule.title,
            campaign=rule.campaign or "",
            condition=self._condition(rule),
            categories=rule.when.category,
            categories_not=rule.when.category_not,
        )
        if isinstance(rule, GrantRule):
            return replace(
                found,
                benefit=rule.benefit,
                quantity=rule.quantity,
                valid_days=rule.valid_days,
            )
        campaign = self._campaigns.get(rule.campaign or "")
        found = replace(
            found,
            currency=rule.currency,
            funder=rule.funder or (campaign.funder if campaign else None),
            expiry=rule.expiry,
            pending_days=rule.pending_days,
            caps=caps_of(rule, self._campaigns, self._caps),
        )
        if isinstance(rule, MultiplierRule):
            rounded = rule.on == "rounded"
            return replace(found, group=rule.group, factor=rule.factor, on_rounded=rounded)
        if isinstance(rule, BonusRule):
            return replace(found, points=rule.points, per_what=rule.per)
        return _base(found, rule)

    def _condition(self, rule: EarnRule) -> Node:
        parts: list[Node] = []
        campaign = self._campaigns.get(rule.campaign or "")
        if campaign is not None:
            if campaign.holdout:
                out = self._predicates.hold_out(campaign.id, campaign.holdout)
                parts.append(Not("campaign.holdout", Test("campaign.holdout", out)))
            parts.append(condition_of(campaign.when, self._predicates, "campaign.when"))
        parts.append(condition_of(rule.when, self._predicates))
        whole = for_purchases(All(tuple(parts)))
        return whole if rule.kind in PHASES[:2] else of_something_bought(rule.when, whole)


def _base(found: CompiledRule, rule: BaseRule) -> CompiledRule:
    return replace(
        found,
        points=rule.rate.points,
        per=rule.rate.per,
        per_quantity=rule.rate.per_quantity,
        per_nights=rule.rate.per_nights,
        whole=rule.rate.whole,
        paid=frozenset(rule.when.payment) if rule.paid_share else None,
    )
