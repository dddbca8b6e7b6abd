"""Deadlines and retries, as service_config.json says, which any gRPC client can be given."""

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import grpc

from loyalty_client.errors import LoyaltyError

DEADLINE_EXCEEDED: Final = grpc.StatusCode.DEADLINE_EXCEEDED
SPREAD: Final = 0.2
"""Waits differ by up to so much, lest all tills of a group return in the same instant."""


@cache
def service_config() -> str:
    """The gRPC service config that ships with the client, as JSON."""
    return files(__package__).joinpath("service_config.json").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before another attempt."""

    first_seconds: float
    most_seconds: float
    factor: float

    def pause(self, attempt: int) -> float:
        """Seconds to wait after so many attempts, without a say of the server."""
        growing = self.first_seconds * self.factor ** min(attempt - 1, 32)
        return min(growing, self.most_seconds) * random.uniform(1 - SPREAD, 1 + SPREAD)


@cache
def deadline_seconds(method: str) -> float:
    """The deadline of a call, "loyalty.v1.LedgerService/BurnPoints", where none is given."""
    return _seconds(_config_of(method)["timeout"])


@cache
def backoff() -> Backoff:
    """The waits between attempts."""
    stated = _config_of("")["retryPolicy"]
    return Backoff(
        _seconds(stated["initialBackoff"]),
        _seconds(stated["maxBackoff"]),
        float(stated["backoffMultiplier"]),
    )


def _config_of(method: str) -> dict[str, Any]:
    """The entry for the method, else that for its service, else everybody's."""
    service, _, name = method.partition("/")
    configs = json.loads(service_config())["methodConfig"]
    for wanted in ({"service": service, "method": name}, {"service": service}, {}):
        for config in configs:
            if wanted in config["name"]:
                found: dict[str, Any] = config
                return found
    raise AssertionError("service_config.json has no entry for every call")


def _seconds(duration: str) -> float:
    """Seconds of a protobuf duration in JSON, "0.2s"."""
    return float(duration.removesuffix("s"))


class Attempts:
    """The attempts of one call, all within its one deadline."""

    def __init__(
        self,
        seconds: float,
        *,
        waits: Backoff | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin now, and be over after `seconds`."""
        self._waits = waits or backoff()
        self._clock = clock
        self._ends = clock() + seconds
        self._made = 0

    @property
    def remaining(self) -> float:
        """Seconds left; what gRPC takes as the deadline of an attempt."""
        return max(self._ends - self._clock(), 0.001)

    def pause_after(self, failure: LoyaltyError, *, stream: bool = False) -> float:
        """Seconds to wait before the same request is sent again.

        Args:
            failure: of the last attempt.
            stream: it was a stream's, whose own deadline is no reason to give up.

        Raises:
            LoyaltyError: the failure itself, when another attempt is of no use or comes too late.
        """
        self._made += 1
        asked = failure.retry_seconds
        pause = self._waits.pause(self._made)
        if asked:
            # The server's word counts; later is fine, earlier is not.
            pause = asked * random.uniform(1, 1 + SPREAD)
        again = failure.transient or (stream and failure.code is DEADLINE_EXCEEDED)
        if not again or pause >= self.remaining:
            raise failure
        return pause

    def succeeded(self) -> None:
        """Something was answered: the next wait is a first one again."""
        self._made = 0
