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


class _Purse:
    """What of one purse is taken; by `key` None for the document's own."""

    __slots__ = ("key", "left", "others", "taken")

    def __init__(self, key: CapKey | None, limit: int, *, others: int = 0, had: int = 0) -> None:
        self.key = key
        # What was had before, and the room that there is besides.
        self.left = max(had, limit - others)
        self.others = others
        self.taken = 0


class Purses:
    """The purses that one document takes from; `day` is its day in the programme's zone."""

    def __init__(self, room: Room, day: int) -> None:
        self._room = room
        self._day = day
        # A campaign may have several budgets of one name, each for a window of its own.
        self._purses: dict[tuple[str, str], _Purse] = {}

    def take(self, wanted: int, caps: Iterable[CapTerms]) -> tuple[int, str]:
        """Take at most `wanted` points; with less, name the purse that left the least."""
        granted, cut_by = wanted, ""
        asked: list[_Purse] = []
        for cap in caps:
            purse = self._purses.get((cap.name, cap.window)) or self._open(cap)
            asked.append(purse)
            if purse.left < granted:
                granted, cut_by = purse.left, cap.name
        for purse in asked:
            purse.left -= granted
            purse.taken += granted
        return granted, cut_by

    def _open(self, cap: CapTerms) -> _Purse:
        if cap.per == _TRANSACTION:
            purse = _Purse(None, cap.limit)
        else:
            key = CapKey(cap.name, cap.per, period_of(cap.window, self._day))
            others, had = self._room.used(key), self._room.had(key)
            purse = _Purse(key, cap.limit, others=others, had=had)
        self._purses[cap.name, cap.window] = purse
        return purse

    def uses(self) -> tuple[CapUse, ...]:
        """Give what was taken of every purse that was asked, those left at nothing included."""
        return tuple(
            CapUse(purse.key, purse.others, purse.taken)
            for purse in self._purses.values()
            if purse.key is not None
        )
