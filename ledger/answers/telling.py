"""How facts are told to a person: in which language, with which points, by whose days."""

from collections.abc import Callable
from typing import NamedTuple

from ledger.answers.receipts import Language
from ledger.core.instant import DAY, Instant, to_datetime
from rules.zones import LocalZone

Shown = Callable[[str, int], str]
"""Points of a currency, as people write them."""


class Telling(NamedTuple):
    """How it is told."""

    language: Language
    shown: Shown
    zone: LocalZone | None
    """The programme's, whose days are told; instants are, where it is not known."""

    def day(self, at: Instant) -> str:
        """The day of an instant."""
        if self.zone is None:
            return f"{to_datetime(at):%Y-%m-%d %H:%M} UTC"
        return self.zone.day_text(self.zone.wall(at) // DAY)

    def last_day(self, end: Instant) -> str:
        """The last day of what is over from an instant on."""
        return self.day(end if self.zone is None else end - 1)
