"""Where the server's CPU goes: the product's own functions, timed from outside.

Times are CPU time of the event loop's thread and exclusive: what a function called, if that is
timed too, is not counted again. Waiting counts for nobody. Only the stage `split` installs this.
"""

import types
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Generator
from importlib import import_module
from time import thread_time_ns
from typing import Any, Final, NamedTuple


class Place(NamedTuple):
    """A function of the product: where it is looked up when it is called."""

    part: str
    module: str
    owner: str
    """Class in the module; empty: the module itself."""
    name: str
    waits: bool = False
    """A coroutine function."""


PLACES: Final = (
    Place("fingerprint", "ledger.service", "", "prepare"),
    Place("lookup", "ledger.lookup", "Lookup", "fill", waits=True),
    Place("decide", "ledger.deciding", "", "decide_act"),
    Place("rules", "ledger.handlers.versions", "", "award"),
    Place("rules", "ledger.handlers.versions", "", "facts_of"),
    Place("append", "ledger.work", "Work", "append"),
    Place("append", "ledger.store", "Store", "append", waits=True),
)
DOOR: Final = "door"
"""Token, parsing, checks, metrics and writing the answer; the handlers are wrapped one by one."""
PARTS: Final = (DOOR, "fingerprint", "lookup", "rules", "decide", "append")


class Stopwatch:
    """Nanoseconds by part. For one thread."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self.spent: dict[str, int] = defaultdict(int)
        self._stack: list[str] = []
        self._since = 0

    def install(self) -> None:
        """Put a timed function in the place of each of `PLACES`."""
        for place in PLACES:
            module: Any = import_module(place.module)
            owner = getattr(module, place.owner) if place.owner else module
            function = getattr(owner, place.name)
            wrap = self.waiting if place.waits else self.timed
            setattr(owner, place.name, wrap(place.part, function))

    def timed(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, timed."""

        def call(*arguments: Any, **named: Any) -> Any:
            self._enter(part)
            try:
                return function(*arguments, **named)
            finally:
                self._leave()

        return call

    def waiting(
        self, part: str, function: Callable[..., Coroutine[Any, Any, Any]]
    ) -> Callable[..., Awaitable[Any]]:
        """The coroutine function, timed while it runs and not while it waits."""

        async def call(*arguments: Any, **named: Any) -> Any:
            return await self._driven(part, function(*arguments, **named))

        return call

    @types.coroutine
    def _driven(self, part: str, coroutine: Coroutine[Any, Any, Any]) -> Generator[Any, Any, Any]:
        resume: Callable[[], Any] = lambda: coroutine.send(None)  # noqa: E731
        while True:
            self._enter(part)
            try:
                awaited = resume()
            except StopIteration as done:
                return done.value
            finally:
                self._leave()
            try:
                sent = yield awaited
            except BaseException as error:
                resume = _throwing(coroutine, error)
            else:
                resume = _sending(coroutine, sent)

    def _enter(self, part: str) -> None:
        now = thread_time_ns()
        if self._stack:
            self.spent[self._stack[-1]] += now - self._since
        self._stack.append(part)
        self._since = now

    def _leave(self) -> None:
        now = thread_time_ns()
        self.spent[self._stack.pop()] += now - self._since
        self._since = now


def _sending(coroutine: Coroutine[Any, Any, Any], value: Any) -> Callable[[], Any]:
    return lambda: coroutine.send(value)


def _throwing(coroutine: Coroutine[Any, Any, Any], error: BaseException) -> Callable[[], Any]:
    return lambda: coroutine.throw(error)
