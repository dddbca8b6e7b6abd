"""An event loop whose time is made up: it never waits, and the same program runs the same way."""

import asyncio
import selectors
from collections.abc import Callable, Mapping
from typing import Any


class Stuck(Exception):
    """Everybody waits, and nothing will ever wake them."""


class _NoWaiting(selectors.BaseSelector):
    """A selector that answers at once, and lets the loop's time pass instead."""

    def __init__(self, loop: "VirtualLoop") -> None:
        self._loop = loop
        self._real = selectors.DefaultSelector()

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Stuck
        if timeout > 0:
            self._loop.seconds += timeout
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs what is ready; when nothing is, its clock jumps to the next timer."""

    def __init__(self) -> None:
        self.seconds = 0.0
        super().__init__(_NoWaiting(self))

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self.seconds

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, function: Callable[..., Any], *arguments: Any
    ) -> asyncio.Future[Any]:
        """Run it here and now: a thread would take real time, and come back when it likes."""
        del executor
        done: asyncio.Future[Any] = self.create_future()
        try:
            done.set_result(function(*arguments))
        except Exception as error:
            done.set_exception(error)
        return done
