"""One clock for two processes: the demo turns it, its server reads it."""

from multiprocessing.sharedctypes import Synchronized

from ledger.core.instant import Instant


class SharedClock:
    """A clock in shared memory that stands where it was put, so that a year passes in a minute."""

    follows_database = False

    def __init__(self, cell: "Synchronized[int]") -> None:
        """Read and write `cell`, 64 bits that both processes see."""
        self._cell = cell

    def now(self) -> Instant:
        """Where it was put."""
        return self._cell.value

    def set(self, at: Instant) -> None:
        """Put it somewhere else; never back, or the ledger would rightly refuse to believe it."""
        assert at >= self._cell.value, "time went backwards"
        self._cell.value = at
