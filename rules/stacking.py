"""How multipliers stack on a line: within their group, and one group against another."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from rules.earning import CompiledRule
from rules.model import Group

_ONE = Fraction(1)


class Boost(NamedTuple):
    """A multiplier that counts, and the part of the base that it adds."""

    rule: CompiledRule
    share: Fraction


@dataclass(frozen=True, slots=True)
class Stack:
    """What a line's multipliers come to; `beaten` says by id why one does not count."""

    boosts: tuple[Boost, ...]
    beaten: Mapping[str, str]


class Groups:
    """The groups of a policy, those that keep others out before those that they keep out."""

    def __init__(self, groups: Iterable[Group]) -> None:
        self._groups = {group.id: group for group in groups}
        self._order: dict[str, int] = {}
        for name in self._groups:
            self._place(name, frozenset())

    def __getitem__(self, group: str) -> Group:
        return self._groups[group]

    def _place(self, name: str, waiting: frozenset[str]) -> None:
        """Number a group after those that exclude it; of two that do, the first listed is first."""
        if name in self._order or name in waiting:
            return
        excluded, listed = self._groups[name].excludes, tuple(self._groups)
        for other, group in self._groups.items():
            first = other in excluded and listed.index(name) < listed.index(other)
            if name in group.excludes and not first:
                self._place(other, waiting | {name})
        self._order[name] = len(self._order)

    def stack(self, multipliers: Sequence[CompiledRule]) -> Stack:
        """Pick the multipliers of one line, which come in the order of evaluation."""
        by_group: dict[str, list[CompiledRule]] = {}
        for rule in multipliers:
            by_group.setdefault(rule.group, []).append(rule)
        beaten: dict[str, str] = {}
        out: dict[str, str] = {}
        found: dict[str, list[Boost]] = {}
        for name in sorted(by_group, key=self._order.__getitem__):
            if name in out:
                why = f"its group is kept out by group {out[name]!r}"
                beaten.update({rule.id: why for rule in by_group[name]})
                continue
            found[name] = _within(self._groups[name], by_group[name], beaten)
            if found[name]:
                for excluded in self._groups[name].excludes:
                    out.setdefault(excluded, name)
        boosts = (boost for name in by_group for boost in found.get(name, ()))
        return Stack(tuple(boosts), beaten)


def _within(group: Group, rules: list[CompiledRule], beaten: dict[str, str]) -> list[Boost]:
    """Share out what a group adds: each rule in turn raises what those before it made."""
    chosen = rules
    if group.combine == "first":
        chosen = rules[:1]
    elif group.combine == "best_of":
        chosen = [max(rules, key=lambda rule: rule.factor)]
    for rule in rules:
        if rule not in chosen:
            beaten[rule.id] = f"{chosen[0].id!r} of its group counts instead"
    boosts: list[Boost] = []
    so_far = _ONE
    for rule in chosen:
        raised = so_far * rule.factor if group.combine == "product" else so_far + rule.factor - 1
        if group.max_factor is not None and raised > group.max_factor:
            raised = group.max_factor
        if raised > so_far:
            boosts.append(Boost(rule, raised - so_far))
        elif rule.factor > 1:
            beaten[rule.id] = f"its group has reached its factor of {group.max_factor}"
        so_far = raised
    return boosts
