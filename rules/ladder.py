"""The tier ladder, compiled: plain tuples that are asked after every purchase."""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from rules.facts import Instant
from rules.model import Need, Tiers
from rules.zones import DAY, LocalZone, date_of, day_number

Qualifying = Mapping[tuple[str, str], int]
"""Qualifying points by (point currency, window), as `Grant.currency` and `Grant.window` say."""
_Choices = tuple[tuple[tuple[str, int], ...], ...]
"""Any of the lists suffices; in a list (currency, least points) every one must be met."""


class TierAnswer(NamedTuple):
    """A tier, None where the programme has none, and the first instant at which it is over."""

    tier: str | None
    valid_until: Instant | None


class _Step(NamedTuple):
    tier: str
    rank: int
    reach: _Choices
    keep: _Choices


class Ladder:
    """Tiers by rank, the lowest is 0; years are those of the programme's zone."""

    def __init__(self, tiers: Tiers, zone: LocalZone) -> None:
        self._zone = zone
        self._ranks = {tier.id: rank for rank, tier in enumerate(tiers.ladder)}
        self._lowest = TierAnswer(tiers.ladder[0].id, None)
        self._highest_first = tuple(
            _Step(tier.id, rank, _choices(tier.reach_any), _choices(tier.keep_any))
            for rank, tier in reversed(list(enumerate(tiers.ladder))[1:])
        )
        self._year_starts: dict[int, Instant] = {}

    def answer(self, qualifying: Qualifying, at: Instant, current: str | None) -> TierAnswer:
        """Give the highest tier that the points support at an instant."""
        year, window, last_window = _windows(self._zone.wall(at) // DAY)
        held = 0 if current is None else self._ranks.get(current, 0)
        for tier, rank, reach, keep in self._highest_first:
            if _met(reach, qualifying, window):
                return TierAnswer(tier, self._year_start(year + 2))
            carried = _met(reach, qualifying, last_window)
            if carried or (held >= rank and _met(keep, qualifying, last_window)):
                years = 2 if _met(keep, qualifying, window) else 1
                return TierAnswer(tier, self._year_start(year + years))
        return self._lowest

    def _year_start(self, year: int) -> Instant:
        start = self._year_starts.get(year)
        if start is None:
            first = day_number(date_of(0).replace(year=year))
            start = self._year_starts[year] = self._zone.instant(first * DAY)
        return start


def _choices(any_of: tuple[tuple[Need, ...], ...]) -> _Choices:
    return tuple(tuple((need.currency or "", need.at_least) for need in needs) for needs in any_of)


def _met(choices: _Choices, qualifying: Qualifying, window: str) -> bool:
    for needs in choices:
        for currency, least in needs:
            if qualifying.get((currency, window), 0) < least:
                break
        else:
            return True
    return False


@lru_cache(maxsize=4096)
def _windows(day: int) -> tuple[int, str, str]:
    """Give the year of a day, its window, and the window before it."""
    year = date_of(day).year
    return year, f"{year:04}", f"{year - 1:04}"
