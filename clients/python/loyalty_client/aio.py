"""The client whose calls are awaited: the same calls by the same names."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from types import TracebackType
from typing import Any, Self

import grpc
from google.protobuf.message import Message

from loyalty.v1.audit_service_pb2 import LanePosition, StreamEventsRequest, StreamEventsResponse
from loyalty.v1.ledger_service_pb2 import BatchPostRequest, Posting, PostStreamRequest
from loyalty_client.batching import Batch, Pipeline, Result, batches, postings_of, together
from loyalty_client.calls import (
    After,
    AsyncDialogueCall,
    AsyncFeedCall,
    AsyncUnaryCall,
    Awaiting,
    Call,
    Dialogue,
    Feed,
    Question,
    Reply,
    Unary,
)
from loyalty_client.connection import Connection
from loyalty_client.errors import LoyaltyError, failure_of
from loyalty_client.filling import fill
from loyalty_client.retrying import Attempts
from loyalty_client.surface import Surface


class AsyncClient(Surface, Awaiting):
    """Calls of the ledger, each sent again where that may help, always with its own request_id."""

    def __init__(self, connection: Connection) -> None:
        """Open a channel; nothing is sent yet. Needs a running event loop."""
        self.connection = connection
        credentials, options = connection.credentials(), connection.options()
        if credentials is None:
            self._channel = grpc.aio.insecure_channel(connection.target, options)
        else:
            self._channel = grpc.aio.secure_channel(connection.target, credentials, options)
        self._stubs: dict[str, Any] = {}

    async def __aenter__(self) -> Self:
        """Use it inside the block, and close it at its end."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the channel, and with it every call under way."""
        await self._channel.close()

    async def post_all(
        self, writes: Iterable[Message], *, timeout: float | None = None
    ) -> AsyncIterator[Result]:
        """As `Client.post_all`."""
        for items in batches(writes, self.connection.origin):
            for result in await self._settled(Batch(items), timeout):
                yield result

    async def post_streamed(
        self, writes: Iterable[Message], *, timeout: float | None = None
    ) -> AsyncIterator[Result]:
        """As `Client.post_streamed`."""
        pipeline = Pipeline(batches(writes, self.connection.origin))
        async for batch in self._streamed(pipeline, timeout):
            for result in await self._settled(batch, timeout):
                yield result

    async def post_together(
        self, writes: Iterable[Message], *, timeout: float | None = None
    ) -> list[Posting]:
        """As `Client.post_together`."""
        request = together(writes, self.connection.origin)
        attempts = self._attempts(Surface.batch_post, timeout)
        while True:
            batch = Batch(request.items)
            batch.take((await self._send(Surface.batch_post, request, attempts)).results)
            try:
                return postings_of(batch.results())
            except LoyaltyError as refusal:
                pause = attempts.pause_after(refusal)
            await asyncio.sleep(pause)

    async def follow_events(
        self, positions: Sequence[LanePosition] = (), *, business_unit: str = ""
    ) -> AsyncIterator[StreamEventsResponse]:
        """As `Client.follow_events`."""
        request = StreamEventsRequest(
            positions=positions, follow=True, business_unit=business_unit, decode=True
        )
        attempts = Attempts(float("inf"))
        while True:
            try:
                async for message in self.stream_events(request):
                    attempts.succeeded()
                    del request.positions[:]
                    request.positions.extend(message.positions)
                    yield message
            except LoyaltyError as failure:
                pause = attempts.pause_after(failure, stream=True)
                await asyncio.sleep(pause)

    async def send(
        self, call: Unary[Question, Reply], request: Question, *, timeout: float | None = None
    ) -> Reply:
        """Make a call with a request as it is: nothing is filled in.

        Raises:
            LoyaltyError: as every call.
        """
        return await self._send(call, request, self._attempts(call, timeout))

    def bind_unary(self, call: Unary[Question, Reply]) -> AsyncUnaryCall[Question, Reply]:
        """The call, ready to be made."""

        async def made(
            request: Question, /, *, timeout: float | None = None, after: After | None = None
        ) -> Reply:
            fill(request, self.connection.origin, after)
            return await self.send(call, request, timeout=timeout)

        return made

    def bind_feed(self, call: Feed[Question, Reply]) -> AsyncFeedCall[Question, Reply]:
        """The call, ready to be made."""

        def made(request: Question, /, *, timeout: float | None = None) -> AsyncIterator[Reply]:
            return self._passing(self._open(call, request, timeout))

        return made

    def bind_dialogue(self, call: Dialogue[Question, Reply]) -> AsyncDialogueCall[Question, Reply]:
        """The call, ready to be made."""

        def made(
            requests: AsyncIterable[Question], /, *, timeout: float | None = None
        ) -> AsyncIterator[Reply]:
            return self._passing(self._open(call, aiter(requests), timeout))

        return made

    def _attempts(self, call: Call[Any, Any], timeout: float | None) -> Attempts:
        return Attempts(self.connection.seconds(call.method, timeout))

    async def _send(
        self, call: Unary[Question, Reply], request: Question, attempts: Attempts
    ) -> Reply:
        while True:
            try:
                answer: Reply = await self._stub(call)(
                    request, timeout=attempts.remaining, metadata=self.connection.metadata()
                )
            except grpc.RpcError as error:
                failure = failure_of(error)
            else:
                return answer
            await asyncio.sleep(attempts.pause_after(failure))

    def _open(self, call: Call[Question, Reply], sent: object, timeout: float | None) -> Any:
        return self._stub(call)(
            sent,
            timeout=self.connection.seconds(call.method, timeout),
            metadata=self.connection.metadata(),
        )

    @staticmethod
    async def _passing(answers: Any) -> AsyncIterator[Reply]:
        """Pass answers on; who stops listening ends the call."""
        try:
            async for answer in answers:
                yield answer
        except grpc.RpcError as error:
            raise failure_of(error) from error
        finally:
            answers.cancel()

    def _stub(self, call: Call[Any, Any]) -> Any:
        if call.method not in self._stubs:
            make = {
                Unary: self._channel.unary_unary,
                Feed: self._channel.unary_stream,
                Dialogue: self._channel.stream_stream,
            }[type(call)]
            self._stubs[call.method] = make(
                f"/{call.method}", call.request.SerializeToString, call.answer.FromString
            )
        return self._stubs[call.method]

    async def _settled(self, batch: Batch, timeout: float | None) -> list[Result]:
        attempts = self._attempts(Surface.batch_post, timeout)
        reason = batch.reopen()
        while items := batch.open_items:
            if reason is not None:
                await asyncio.sleep(attempts.pause_after(reason))
            request = BatchPostRequest(items=items)
            batch.take((await self._send(Surface.batch_post, request, attempts)).results)
            reason = batch.reopen()
        return batch.results()

    async def _streamed(self, pipeline: Pipeline, timeout: float | None) -> AsyncIterator[Batch]:
        attempts = self._attempts(Surface.batch_post, timeout)
        while not pipeline.done:
            try:
                async for batch in self._one_stream(pipeline):
                    yield batch
                    attempts = self._attempts(Surface.batch_post, timeout)
            except LoyaltyError as failure:
                pause = attempts.pause_after(failure, stream=True)
                await asyncio.sleep(pause)

    async def _one_stream(self, pipeline: Pipeline) -> AsyncIterator[Batch]:
        outbox: asyncio.Queue[PostStreamRequest | None] = asyncio.Queue()
        for request in pipeline.begin():
            outbox.put_nowait(request)
        if pipeline.done:
            return
        async for answer in self.post_stream(_until_none(outbox)):
            batch = pipeline.answered(answer)
            # None ends the stream: everything is sent.
            if (following := pipeline.following()) is not None or pipeline.done:
                outbox.put_nowait(following)
            yield batch
        pipeline.ended()


async def _until_none(
    outbox: "asyncio.Queue[PostStreamRequest | None]",
) -> AsyncIterator[PostStreamRequest]:
    while (request := await outbox.get()) is not None:
        yield request
