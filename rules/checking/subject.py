"""What a check looks at: the document, its model, and every name that it declares."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cached_property

from rules.loading import PolicyDocument
from rules.model import (
    ACTIVITIES,
    EXTENDERS,
    BusinessUnit,
    Currency,
    EarnRule,
    GrantRule,
    Part,
    PointsRule,
    PolicyModel,
    When,
)
from rules.reading import Place
from rules.refusal import Finding, alternatives
from rules.shapes import keys_of, walk

Findings = Iterator[Finding]

_SECTIONS = (
    "currencies",
    "business_units",
    "member_attributes",
    "segments",
    "activities",
    "payments",
    "counters",
    "campaigns",
    "groups",
    "expiries",
    "benefits",
)


class Subject:
    """A document under check, and what the checks ask of it again and again."""

    def __init__(self, document: PolicyDocument, model: PolicyModel) -> None:
        self.document = document
        self.model = model
        self.names = _names(document, model)

    def error(self, place: Place, message: str) -> Finding:
        """Make a finding that refuses the document."""
        return self.document.finding(place, message)

    def warning(self, place: Place, message: str) -> Finding:
        """Make a finding about what is hardly meant."""
        return self.document.finding(place, message, "warning")

    def info(self, place: Place, message: str) -> Finding:
        """Make a finding that is worth knowing."""
        return self.document.finding(place, message, "info")

    def unknown(self, section: str, name: str) -> str:
        """Say that a name is not declared, and which are."""
        known = self.names[section]
        if not known:
            return f"unknown {name!r}: the policy has no {section!r}"
        return f"unknown {name!r}{alternatives(name, known)}"

    @cached_property
    def parts(self) -> tuple[tuple[Place, Part], ...]:
        """All parts of the document with their places, in the order of the document."""
        return tuple(walk(self.model))

    @cached_property
    def units(self) -> Mapping[str, BusinessUnit]:
        """The business units by id."""
        return {unit.id: unit for unit in self.model.business_units}

    @cached_property
    def currencies(self) -> Mapping[str, Currency]:
        """The point currencies by id."""
        return {currency.id: currency for currency in self.model.currencies}

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """The place of every earn rule in its list, by id."""
        return {rule.id: number for number, rule in enumerate(self.model.earn)}

    @cached_property
    def points_rules(self) -> tuple[PointsRule, ...]:
        """The rules that give points, in the order in which they compete."""
        giving = [rule for rule in self.model.earn if not isinstance(rule, GrantRule)]
        return tuple(sorted(giving, key=lambda rule: (-rule.priority, rule.id)))

    @cached_property
    def campaign_when(self) -> Mapping[str, When]:
        """The conditions of each campaign, by its id."""
        return {campaign.id: campaign.when for campaign in self.model.campaigns}

    def whens(self, rule: EarnRule) -> tuple[When, ...]:
        """Give the conditions of a rule's campaign, and its own."""
        if rule.campaign is None:
            return (rule.when,)
        return self.campaign_when[rule.campaign], rule.when

    def rule_place(self, rule: EarnRule) -> Place:
        """Say where a rule stands."""
        return "earn", self.numbers[rule.id]


def used_names(part: Part) -> Iterator[tuple[str, tuple[str, ...], Place]]:
    """Give the names that a part uses, with the section that declares them and their key."""
    for key in keys_of(type(part)):
        if key.names:
            value = getattr(part, key.field)
            names = (value,) if isinstance(value, str) else value or ()
            yield key.names, names, (key.written,)


Check = Callable[[Subject], Iterable[Finding]]


def _names(document: PolicyDocument, model: PolicyModel) -> Mapping[str, Collection[str]]:
    """Collect the names that are declared, those of entries that cannot be read included."""
    names: dict[str, set[str]] = {}
    for section in _SECTIONS:
        declared = {str(getattr(entry, "id", entry)) for entry in getattr(model, section)}
        names[section] = declared | _written(document.tree, section)
    names["activities"].update(ACTIVITIES)
    names["extenders"] = {*EXTENDERS, *names["activities"]}
    tiers = document.tree.get("tiers") if isinstance(document.tree, dict) else None
    names["tiers"] = {tier.id for tier in model.tiers.ladder} if model.tiers else set()
    names["tiers"] |= _written(tiers, "ladder")
    return names


def _written(tree: object, section: str) -> set[str]:
    entries = tree.get(section) if isinstance(tree, dict) else None
    if not isinstance(entries, list):
        return set()
    ids = [entry.get("id") if isinstance(entry, dict) else entry for entry in entries]
    return {name for name in ids if isinstance(name, str)}
