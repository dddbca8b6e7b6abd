"""Limits of velocity that a command counts under."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ledger.core.instant import Instant
from ledger.core.usage import UsageKey


class Step(Protocol):
    """A stretch of time, and when it ceases to count."""

    @property
    def period(self) -> str: ...
    @property
    def free_at(self) -> Instant: ...


class SpeedLimit(Protocol):
    """A limit of the policy with the steps of now. The rules' own tuple fits it."""

    @property
    def id(self) -> str: ...
    @property
    def per(self) -> str: ...
    @property
    def window(self) -> str: ...
    @property
    def steps(self) -> Sequence[Step]: ...
    @property
    def times(self) -> int | None: ...
    @property
    def points(self) -> int | None: ...
    @property
    def kept(self) -> bool: ...
    @property
    def period(self) -> str: ...
    @property
    def currency(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Speed:
    """A limit that applies, and what is used of it."""

    limit: SpeedLimit
    scope: str
    """Whose doings are added up; empty: the member's, which the account knows."""
    shared: Mapping[UsageKey, int]
    """What is used of purses that the account does not know."""
