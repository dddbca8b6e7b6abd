"""A mapping under change: copied once, then changed in place, until somebody is shown it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Changing(Generic[K, V]):
    """Begins as a mapping of a frozen state. Who was shown it keeps what they saw."""

    __slots__ = ("_own", "_shown")

    def __init__(self, shown: Mapping[K, V]) -> None:
        """Begin with what nobody changes."""
        self._shown = shown
        self._own: dict[K, V] | None = None

    @property
    def shown(self) -> Mapping[K, V]:
        """The mapping as it is now; the very one it began with while nothing was changed."""
        if self._own is not None:
            self._shown, self._own = MappingProxyType(self._own), None
        return self._shown

    @property
    def now(self) -> Mapping[K, V]:
        """As `shown`, for who looks into it at once and does not keep it."""
        return self._shown if self._own is None else self._own

    def own(self) -> dict[K, V]:
        """The mapping, to be changed."""
        if self._own is None:
            self._own = dict(self._shown)
        return self._own
