"""What the writer tells whoever counts: the server's registry listens, and tests may, too."""

from typing import Protocol


class WriterMetrics(Protocol):
    """Listens to the writer. Calls are on the hot path: they must be cheap and never raise."""

    def batch_committed(self, commands: int, events: int, seconds: float) -> None:
        """A batch was committed; `seconds` is the time the append took."""

    def queue_depth(self, interactive: int, bulk: int) -> None:
        """Writes that wait in each queue."""

    def refused(self, reason: str) -> None:
        """A write was refused."""

    def replayed(self) -> None:
        """A write was answered with its first answer."""

    def lane_moved(self, lane: int, next_pos: int) -> None:
        """A lane stands here now."""


class NoMetrics:
    """Counts nothing."""

    def batch_committed(self, commands: int, events: int, seconds: float) -> None:
        """Ignore it."""

    def queue_depth(self, interactive: int, bulk: int) -> None:
        """Ignore it."""

    def refused(self, reason: str) -> None:
        """Ignore it."""

    def replayed(self) -> None:
        """Ignore it."""

    def lane_moved(self, lane: int, next_pos: int) -> None:
        """Ignore it."""
