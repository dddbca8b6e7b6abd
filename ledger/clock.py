"""Clocks: the only place where the write side learns what time it is."""

import time
from typing import Protocol

from ledger.core.instant import Instant


class Clock(Protocol):
    """Tells the time; the writer makes it strictly rising per lane."""

    follows_database: bool
    """The database's clock must agree within half a second, or nothing is written."""

    def now(self) -> Instant:
        """Microseconds since the Unix epoch, UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    follows_database = True

    def now(self) -> Instant:
        """Time of the machine."""
        return time.time_ns() // 1000


class SettableClock:
    """A clock that stands where it was put: for tests, and for showing a year in a minute."""

    follows_database = False

    def __init__(self, at: Instant) -> None:
        """Begin at an instant."""
        self._at = at

    def now(self) -> Instant:
        """Where it was put."""
        return self._at

    def set(self, at: Instant) -> None:
        """Put it somewhere else."""
        self._at = at
