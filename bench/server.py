"""The server that is measured, as a process of its own: python -m bench.server '{…}'.

It is the product's service with more methods beside its own, which exist only here:

* `bench.Echo/Call` makes a request like the others do and answers 85 bytes.
* `bench.Warm/…`, `bench.Cold/…`, `bench.Hot/…` put fresh ids and a member into the request and hand
  it to the product's handler: members of the window, of all, or one member at a time.
* `bench.PerCall/…` likewise, to the ledger of `bench.per_call`, for members that are set apart: it
  has a cache of its own, which the other measures must not spoil.
* `bench.Control/Window` sets the window; `bench.Control/Split` tells what the stopwatch saw.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import random
from typing import Any, Final, NamedTuple, cast

import grpc
import uvloop

from bench.baskets import Template, bodies, documents, earns
from bench.per_call import PerCallLedger
from bench.stopwatch import DOOR, Stopwatch
from ledger.clock import SystemClock
from ledger.service import Ledger
from server import logs
from server.config import load
from server.identity_key import identity_key
from server.service import Service
from server.services import ledger_service

ECHO: Final = "/bench.Echo/Call"
ECHO_BYTES: Final = 85
HOT_DOCUMENTS: Final = 500
"""Documents that a hot account takes before another one does."""
LOG_LEVEL: Final = "warning"

Behaviour = Callable[[bytes, Any], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """What the measured server is told."""

    url: str
    data_dir: str
    members: int
    occurred_seconds: int
    cache_accounts: int = 200_000
    projections: bool = False
    split: bool = False

    def as_json(self) -> str:
        """For the command line of the process."""
        return json.dumps(asdict(self))


class _Details(NamedTuple):
    """What gRPC asks a handler with."""

    method: str
    invocation_metadata: tuple[()] = ()


class _Handlers(grpc.GenericRpcHandler):
    """Unary methods by path."""

    def __init__(self, behaviours: dict[str, Behaviour]) -> None:
        self._handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
            path: grpc.unary_unary_rpc_method_handler(behaviour)
            for path, behaviour in behaviours.items()
        }

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[Any, Any] | None":
        return self._handlers.get(handler_call_details.method)


class _Timed(grpc.GenericRpcHandler):
    """Another handler, whose unary methods are timed."""

    def __init__(self, inner: grpc.GenericRpcHandler, stopwatch: Stopwatch) -> None:
        self._inner = inner
        self._stopwatch = stopwatch
        self._made: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[Any, Any] | None":
        method = handler_call_details.method
        if method in self._made:
            return self._made[method]
        found: Any = self._inner.service(handler_call_details)
        if found is None or found.unary_unary is None:
            return cast("grpc.RpcMethodHandler[Any, Any] | None", found)
        timed: Any = self._stopwatch.waiting(DOOR, found.unary_unary)
        self._made[method] = grpc.unary_unary_rpc_method_handler(timed)
        return self._made[method]


class Population:
    """Which members the rewritten requests name."""

    def __init__(self, members: int) -> None:
        """All of them are in the window at first."""
        self._members = members
        self._start, self._size, self._apart = 0, members, 1
        self._turns = 0
        self._swept = 0

    def move(self, start: int, size: int, apart: int) -> None:
        """Set the window: `size` members, and `apart` members right after them."""
        self._start, self._size, self._apart = start, size, apart
        self._swept = 0

    def warm(self) -> int:
        """Any member of the window."""
        return self._start + int(random() * self._size)

    def cold(self) -> int:
        """Any member."""
        return int(random() * self._members)

    def apart(self) -> int:
        """Any member set apart; each of them once before any of them again."""
        self._swept += 1
        place = self._swept if self._swept < self._apart else int(random() * self._apart)
        return self._start + self._size + place

    def hot(self) -> int:
        """One member of the window at a time."""
        self._turns += 1
        return self._start + self._turns // HOT_DOCUMENTS % self._size


class MeasuredService(Service):
    """The product's service with the benchmark's methods beside its own."""

    options: ServerOptions
    stopwatch: Stopwatch | None = None
    per_call: PerCallLedger

    def _handlers(self) -> list[grpc.GenericRpcHandler]:
        own = super()._handlers()
        if self.stopwatch is not None:
            own[0] = _Timed(own[0], self.stopwatch)
        servicer = ledger_service.LedgerServicer(cast(Ledger, self.per_call), self._metrics)
        return [*own, _Handlers(self._behaviours(own[0], servicer.handler(self._door)))]

    def _behaviours(
        self, product: grpc.GenericRpcHandler, per_call: grpc.GenericRpcHandler
    ) -> dict[str, Behaviour]:
        people = Population(self.options.members)
        posts = documents(self.options.occurred_seconds)
        short = earns(self.options.occurred_seconds)

        def rewriting(
            inner: grpc.GenericRpcHandler,
            method: str,
            templates: tuple[Template, ...],
            draw: Callable[[], int],
        ) -> Behaviour:
            return _rewriting(_behaviour(inner, method), bodies(templates, draw))

        return {
            ECHO: _echoing(bodies(posts, people.warm)),
            "/bench.Warm/PostDocument": rewriting(product, "PostDocument", posts, people.warm),
            "/bench.Warm/EarnPoints": rewriting(product, "EarnPoints", short, people.warm),
            "/bench.Cold/PostDocument": rewriting(product, "PostDocument", posts, people.cold),
            "/bench.Hot/PostDocument": rewriting(product, "PostDocument", posts, people.hot),
            "/bench.PerCall/PostDocument": rewriting(per_call, "PostDocument", posts, people.apart),
            "/bench.Control/Window": _moving(people),
            "/bench.Control/Split": _telling(self.stopwatch),
        }


def _behaviour(inner: grpc.GenericRpcHandler, method: str) -> Behaviour:
    found: Any = inner.service(
        cast(grpc.HandlerCallDetails, _Details(f"/{ledger_service.SERVICE}/{method}"))
    )
    return cast(Behaviour, found.unary_unary)


def _rewriting(behaviour: Behaviour, requests: Iterator[bytes]) -> Behaviour:
    async def handle(_raw: bytes, context: Any) -> bytes:
        return await behaviour(next(requests), context)

    return handle


def _echoing(requests: Iterator[bytes]) -> Behaviour:
    answer = bytes(ECHO_BYTES)

    async def handle(_raw: bytes, _context: Any) -> bytes:
        next(requests)
        return answer

    return handle


def _moving(people: Population) -> Behaviour:
    async def handle(raw: bytes, _context: Any) -> bytes:
        start, size, apart = raw.split()
        people.move(int(start), int(size), int(apart))
        return b""

    return handle


def _telling(stopwatch: Stopwatch | None) -> Behaviour:
    async def handle(_raw: bytes, _context: Any) -> bytes:
        if stopwatch is None:
            return b"{}"
        told = json.dumps(dict(stopwatch.spent)).encode()
        stopwatch.spent.clear()
        return told

    return handle


async def serve(options: ServerOptions) -> None:
    """Serve until stdin ends; the address is the first line on stdout."""
    settings = load(
        database_url=options.url,
        database_url_file=None,
        data_dir=Path(options.data_dir),
        listen="127.0.0.1:0",
        metrics_listen="127.0.0.1:0",
        tls_cert=None,
        tls_key=None,
        log_level=LOG_LEVEL,
        cache_accounts=options.cache_accounts,
        projections=options.projections,
    )
    clock = SystemClock()
    if options.split:
        MeasuredService.stopwatch = Stopwatch()
        MeasuredService.stopwatch.install()
    key = identity_key(settings)
    async with PerCallLedger.open(
        options.url, clock=clock, identity_key=key, accounts=options.cache_accounts
    ) as per_call:
        MeasuredService.options, MeasuredService.per_call = options, per_call
        service = await MeasuredService.open(settings, dsn=options.url, clock=clock)
        try:
            print(json.dumps({"grpc": service.address}), flush=True)
            await asyncio.to_thread(sys.stdin.read)
        finally:
            await service.drain()


def main(arguments: Sequence[str]) -> None:
    """Run the process."""
    logs.configure(LOG_LEVEL)
    uvloop.run(serve(ServerOptions(**json.loads(arguments[0]))))


if __name__ == "__main__":
    main(sys.argv[1:])
