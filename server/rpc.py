"""The thin skin around every call: who calls, may they, is it well formed; then count and answer.

One wrapper per method and no interceptors: a till's sale must cost little more than an echo. Bytes
are parsed here rather than by gRPC, which would answer malformed ones with a bare INTERNAL.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from logging import DEBUG
from time import perf_counter
from typing import Any, Final, Generic, NamedTuple, NoReturn, TypeVar

import grpc
import structlog
from google.protobuf.message import Message

from ledger.core.refusals import NotServing, Refusal
from ledger.writer import DATABASE_LOST
from server.auth import Principal, Tokens, Verb
from server.metrics import Done, Metrics
from server.parsing import parse
from server.paths import place
from server.status import INTERNAL_REASON, code_of, internal_status, status_of, trailers_of

Context = grpc.aio.ServicerContext[Any, Any]
Question = TypeVar("Question", bound=Message)
Item = TypeVar("Item")
Reply = Message | bytes
"""An answer, or the bytes of one."""

OK: Final = grpc.StatusCode.OK
QUIET_SECONDS: Final = 0.05
DRAINING: Final = "it is shutting down"
log = structlog.get_logger(__name__)


class Call(NamedTuple):
    """What a servicer knows of a call besides its request."""

    principal: Principal
    deadline: float | None
    """Instant of the event loop's clock, in seconds, after which the answer is of no use."""


@dataclass(frozen=True, slots=True)
class Rpc(Generic[Question]):
    """One call of the contract, as a servicer offers it."""

    name: str
    request: type[Question]
    verb: Verb | None
    """What the token must allow; None: the servicer looks at each item."""
    check: Callable[[Question], None]
    answer: Callable[[Question, Call], Awaitable[Reply]]
    for_unit: bool = False
    """Whether it acts for the business unit of its origin, where the token must allow the verb."""


@dataclass(frozen=True, slots=True)
class Feed(Generic[Question]):
    """A call with one request and many answers."""

    name: str
    request: type[Question]
    verb: Verb
    check: Callable[[Question], None]
    answers: Callable[[Question, Call], AsyncIterator[Message]]


@dataclass(frozen=True, slots=True)
class Dialogue(Generic[Question]):
    """A call with many requests, each answered in order. Any valid token may begin it."""

    name: str
    request: type[Question]
    answers: Callable[[AsyncIterator[Question], Call], AsyncIterator[Reply]]


class _Visit:
    """One call while it is inside, for the log and the metrics."""

    __slots__ = ("began", "call", "done", "method", "request")

    def __init__(self, method: str, done: Done, began: float) -> None:
        self.method = method
        self.done = done
        self.began = began
        self.call: Call | None = None
        self.request: Message | None = None

    def ended(self, code: grpc.StatusCode) -> None:
        self.done(code, perf_counter() - self.began)

    def names(self) -> dict[str, str]:
        return {
            "method": self.method,
            "client": self.call.principal.client if self.call is not None else "",
            "request_id": getattr(self.request, "request_id", ""),
        }


class Door:
    """Lets calls in, and knows how many are inside."""

    def __init__(self, tokens: Tokens, metrics: Metrics) -> None:
        """Ask `tokens` who calls, and count into `metrics`."""
        self._tokens = tokens
        self._metrics = metrics
        # Asked once: every call passes here, and hardly any server is told to log them all.
        self._debug = log.is_enabled_for(DEBUG)
        self._inside = 0
        self._knocks = 0
        self._empty = asyncio.Event()
        self._empty.set()
        self._closing = asyncio.Event()
        self._time = asyncio.get_running_loop().time

    async def close(self) -> None:
        """Let nobody in any more, end the streams, and wait until every call inside is answered."""
        self._closing.set()
        await self._empty.wait()

    async def quiet(self) -> None:
        """Wait until nobody has knocked for a moment."""
        knocks = -1
        while knocks != self._knocks:
            knocks = self._knocks
            await asyncio.sleep(QUIET_SECONDS)

    def service(
        self, name: str, *offers: Rpc[Any] | Feed[Any] | Dialogue[Any]
    ) -> grpc.GenericRpcHandler:
        """Return what gRPC asks for the handlers of a service."""
        handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}
        for offer in offers:
            done = self._metrics.for_method(offer.name)
            handler: grpc.RpcMethodHandler[Any, Any]
            match offer:
                case Rpc():
                    handler = grpc.unary_unary_rpc_method_handler(self._unary(offer, done))
                case Feed():
                    handler = grpc.unary_stream_rpc_method_handler(self._feed(offer, done))
                case Dialogue():
                    handler = grpc.stream_stream_rpc_method_handler(self._dialogue(offer, done))
            handlers[offer.name] = handler
        return grpc.method_handlers_generic_handler(name, handlers)

    def _unary(self, rpc: Rpc[Any], done: Done) -> Callable[[bytes, Context], Awaitable[bytes]]:
        async def handle(raw: bytes, context: Context) -> bytes:
            visit = _Visit(rpc.name, done, perf_counter())
            self._enter()
            try:
                visit.call = call = await self._call(context)
                visit.request = request = parse(rpc.request, raw)
                if rpc.verb is not None:
                    unit = request.origin.business_unit if rpc.for_unit else ""
                    call.principal.require(rpc.verb, unit)
                rpc.check(request)
                answer = _encoded(await rpc.answer(request, call))
            except BaseException as error:
                await self._fail(error, visit, context)
            else:
                self._succeed(visit)
                return answer
            finally:
                self._leave()

        return handle

    def _feed(self, feed: Feed[Any], done: Done) -> Callable[[bytes, Context], Awaitable[None]]:
        async def handle(raw: bytes, context: Context) -> None:
            visit = _Visit(feed.name, done, perf_counter())
            self._enter()
            try:
                visit.call = call = await self._call(context)
                visit.request = request = parse(feed.request, raw)
                call.principal.require(feed.verb)
                feed.check(request)
                answering = self._while_welcome(feed.answers(request, call), context)
                async with aclosing(answering) as answers:
                    async for answer in answers:
                        await context.write(answer.SerializeToString())
            except BaseException as error:
                await self._fail(error, visit, context)
            else:
                self._succeed(visit)
            finally:
                self._leave()

        return handle

    def _dialogue(
        self, dialogue: Dialogue[Any], done: Done
    ) -> Callable[[AsyncIterator[bytes], Context], Awaitable[None]]:
        async def handle(raws: AsyncIterator[bytes], context: Context) -> None:
            visit = _Visit(dialogue.name, done, perf_counter())
            self._enter()
            try:
                visit.call = call = await self._call(context)
                async with aclosing(self._while_welcome(aiter(raws), context)) as arriving:
                    requests = (parse(dialogue.request, raw) async for raw in arriving)
                    async for answer in dialogue.answers(requests, call):
                        await context.write(_encoded(answer))
            except BaseException as error:
                await self._fail(error, visit, context)
            else:
                self._succeed(visit)
            finally:
                self._leave()

        return handle

    async def _call(self, context: Context) -> Call:
        if self._closing.is_set():
            raise NotServing(cause=DRAINING)
        header = _authorization(context)
        principal = self._tokens.remembered(header) or await self._tokens.principal(header)
        remaining: float | None = context.time_remaining()
        return Call(principal, None if remaining is None else self._time() + remaining)

    async def _while_welcome(
        self, items: AsyncIterator[Item], context: Context
    ) -> AsyncGenerator[Item, None]:
        """Pass items on until the door closes or the token is revoked; then refuse to go on.

        The token is looked at before every item, and as often as it is forgotten when none comes.
        """
        header = _authorization(context)
        closing = asyncio.ensure_future(self._closing.wait())
        try:
            while True:
                following = asyncio.ensure_future(_next(items))
                try:
                    await self._first_of(following, closing, header)
                finally:
                    await _put_away(following)
                if following.cancelled():
                    raise NotServing(cause=DRAINING)
                try:
                    item = following.result()
                except StopAsyncIteration:
                    return
                if self._tokens.remembered(header) is None:
                    await self._tokens.principal(header)
                yield item
        finally:
            closing.cancel()

    async def _first_of(
        self, following: asyncio.Future[Any], closing: asyncio.Future[Any], header: str
    ) -> None:
        """Wait for either; meanwhile refuse a token that is revoked."""
        ended: set[asyncio.Future[Any]] = set()
        while not ended:
            ended, _ = await asyncio.wait(
                {following, closing},
                timeout=self._tokens.ttl_seconds,
                return_when="FIRST_COMPLETED",
            )
            if not ended:
                await self._tokens.principal(header)

    def _succeed(self, visit: _Visit) -> None:
        visit.ended(OK)
        if self._debug:
            log.debug("answered", **visit.names())

    async def _fail(self, error: BaseException, visit: _Visit, context: Context) -> NoReturn:
        if isinstance(error, DATABASE_LOST):
            error = NotServing(cause="the database does not answer")
        if isinstance(error, Refusal):
            place(error, visit.request)
            status = status_of(error)
            self._metrics.told(error.reason, error)
            log.info("refused", reason=error.reason, fields=error.fields, **visit.names())
        elif isinstance(error, Exception):
            status = internal_status()
            self._metrics.told(INTERNAL_REASON)
            log.error("failed", exc_info=error, **visit.names())
        else:
            visit.ended(grpc.StatusCode.CANCELLED)
            raise error
        code = code_of(status.code)
        visit.ended(code)
        await context.abort(code, status.message, trailers_of(status))

    def _enter(self) -> None:
        self._knocks += 1
        self._inside += 1
        self._empty.clear()

    def _leave(self) -> None:
        self._inside -= 1
        if not self._inside:
            self._empty.set()


def _encoded(reply: Reply) -> bytes:
    return reply if isinstance(reply, bytes) else reply.SerializeToString()


def _authorization(context: Context) -> str:
    for key, value in context.invocation_metadata() or ():
        if key == "authorization":
            return str(value)
    return ""


async def _put_away(following: asyncio.Future[Any]) -> None:
    """End what is awaited no more; how it ended is asked for, or asyncio complains at the end."""
    if not following.done():
        following.cancel()
        with suppress(asyncio.CancelledError, StopAsyncIteration):
            await following
    elif not following.cancelled():
        following.exception()


async def _next(items: AsyncIterator[Item]) -> Item:
    return await anext(items)
