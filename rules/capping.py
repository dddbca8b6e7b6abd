"""Caps and budgets: how much of what rules want may be granted, in the order of the grants."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rules.award import CapUse
from rules.model import BaseRule, BonusRule, Campaign, CurrencyCap, MultiplierRule
from rules.room import CapKey, Room
from rules.windows import period_of

_TRANSACTION = "transaction"


@dataclass(frozen=True, slots=True)
class CapTerms:
    """A purse: `name` is `CapKey.name`, `per` transaction needs no room."""

    name: str
    per: str
    window: str
    limit: int


def caps_of(
    rule: BaseRule | MultiplierRule | BonusRule,
    campaigns: Mapping[str, Campaign],
    caps: Iterable[CurrencyCap],
) -> tuple[CapTerms, ...]:
    """Give the purses of a rule: its own, its campaign's, the programme's, in that order."""
    own = [
        CapTerms(f"cap/{rule.id}.{number}", cap.per, cap.window, cap.points)
        for number, cap in enumerate(rule.caps, 1)
    ]
    shared = [cap for cap in caps if cap.currency == rule.currency]
    of_campaign = [_terms(cap) for cap in shared if cap.campaign and cap.campaign == rule.campaign]
    campaign = campaigns.get(rule.campaign or "")
    budgets = [
        CapTerms(
            f"budget/{rule.campaign}/{rule.currency}", "campaign", budget.window, budget.points
        )
        for budget in (campaign.budgets if campaign else ())
        if budget.currency == rule.currency
    ]
    of_all = [_terms(cap) for cap in shared if cap.campaign is None]
    return (*own, *of_campaign, *budgets, *of_all)


def _terms(cap: CurrencyCap) -> CapTerms:
    return CapTerms(f"cap/{cap.id}", cap.per, cap.window, cap.points)


class Purses:
    """The purses that one document takes from; `day` is its day in the programme's zone."""

    def __init__(self, room: Room, day: int) -> None:
        self._room = room
        self._day = day
        self._others: dict[CapKey, int] = {}
        self._taken: dict[CapKey, int] = {}

    def take(self, wanted: int, caps: Iterable[CapTerms]) -> tuple[int, str]:
        """Take at most `wanted` points; with less, name the purse that left the least."""
        granted, cut_by = wanted, ""
        keys: list[CapKey] = []
        for cap in caps:
            key = self._key(cap)
            keys.append(key)
            left = max(0, cap.limit - self._others[key] - self._taken[key])
            if left < granted:
                granted, cut_by = left, cap.name
        for key in keys:
            self._taken[key] += granted
        return granted, cut_by

    def _key(self, cap: CapTerms) -> CapKey:
        alone = cap.per == _TRANSACTION
        key = CapKey(cap.name, cap.per, "" if alone else period_of(cap.window, self._day))
        if key not in self._others:
            self._others[key] = 0 if alone else self._room.used(key)
            self._taken[key] = 0
        return key

    def uses(self) -> tuple[CapUse, ...]:
        """Give what was taken of every purse that was asked, those left at nothing included."""
        return tuple(
            CapUse(key, self._others[key], taken)
            for key, taken in self._taken.items()
            if key.per != _TRANSACTION
        )
