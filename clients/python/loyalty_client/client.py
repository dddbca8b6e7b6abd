"""The client whose calls wait. Threads may share one."""

import time
from collections.abc import Iterable, Iterator, Sequence
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Self

import grpc
from google.protobuf.message import Message

from loyalty.v1.audit_service_pb2 import LanePosition, StreamEventsRequest, StreamEventsResponse
from loyalty.v1.ledger_service_pb2 import (
    BatchPostRequest,
    Posting,
    PostStreamRequest,
    PostStreamResponse,
)
from loyalty_client.batching import Batch, Pipeline, Result, batches, postings_of, together
from loyalty_client.calls import (
    After,
    Blocking,
    Call,
    Dialogue,
    DialogueCall,
    Feed,
    FeedCall,
    Question,
    Reply,
    Unary,
    UnaryCall,
)
from loyalty_client.connection import Connection
from loyalty_client.errors import LoyaltyError, failure_of
from loyalty_client.filling import fill
from loyalty_client.retrying import Attempts
from loyalty_client.surface import Surface


class Client(Surface, Blocking):
    """Calls of the ledger, each sent again where that may help, always with its own request_id."""

    def __init__(self, connection: Connection) -> None:
        """Open a channel; nothing is sent yet."""
        self.connection = connection
        credentials, options = connection.credentials(), connection.options()
        if credentials is None:
            self._channel = grpc.insecure_channel(connection.target, options)
        else:
            self._channel = grpc.secure_channel(connection.target, credentials, options)
        self._stubs: dict[str, Any] = {}

    def __enter__(self) -> Self:
        """Use it inside the block, and close it at its end."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the channel, and with it every call under way."""
        self._channel.close()

    def post_all(
        self, writes: Iterable[Message], *, timeout: float | None = None
    ) -> Iterator[Result]:
        """Send writes in batches, one after the other; yields a result for each, in order.

        A refusal of one touches no other. `timeout` is a batch's, with all its attempts.

        Raises:
            LoyaltyError: a batch is not answered; the results before it were yielded.
        """
        for items in batches(writes, self.connection.origin):
            yield from self._settled(Batch(items), timeout)

    def post_streamed(
        self, writes: Iterable[Message], *, timeout: float | None = None
    ) -> Iterator[Result]:
        """As `post_all`, through one stream in which several batches travel at once. For imports.

        A stream that breaks is begun again with what was not answered. `timeout` is how long that
        may be tried without any answer.

        Raises:
            LoyaltyError: as `post_all`.
        """
        pipeline = Pipeline(batches(writes, self.connection.origin))
        for batch in self._streamed(pipeline, timeout):
            yield from self._settled(batch, timeout)

    def post_together(
        self, writes: Iterable[Message], *, timeout: float | None = None
    ) -> list[Posting]:
        """Send up to 512 writes of which all are recorded, or none.

        Raises:
            Refusal: of the first that was refused on its own account.
        """
        request = together(writes, self.connection.origin)
        attempts = self._attempts(Surface.batch_post, timeout)
        while True:
            batch = Batch(request.items)
            batch.take(self._send(Surface.batch_post, request, attempts).results)
            try:
                return postings_of(batch.results())
            except LoyaltyError as refusal:
                time.sleep(attempts.pause_after(refusal))

    def follow_events(
        self, positions: Sequence[LanePosition] = (), *, business_unit: str = ""
    ) -> Iterator[StreamEventsResponse]:
        """Follow the history for ever, decoded; keep `positions` of what you have dealt with.

        A stream that ends or breaks is begun again after the last message.

        Raises:
            LoyaltyError: the token may not, or the server has a fault.
        """
        request = StreamEventsRequest(
            positions=positions, follow=True, business_unit=business_unit, decode=True
        )
        attempts = Attempts(float("inf"))
        while True:
            try:
                for message in self.stream_events(request):
                    attempts.succeeded()
                    del request.positions[:]
                    request.positions.extend(message.positions)
                    yield message
            except LoyaltyError as failure:
                time.sleep(attempts.pause_after(failure, stream=True))

    def send(
        self, call: Unary[Question, Reply], request: Question, *, timeout: float | None = None
    ) -> Reply:
        """Make a call with a request as it is: nothing is filled in.

        Raises:
            LoyaltyError: as every call.
        """
        return self._send(call, request, self._attempts(call, timeout))

    def bind_unary(self, call: Unary[Question, Reply]) -> UnaryCall[Question, Reply]:
        """The call, ready to be made."""

        def made(
            request: Question, /, *, timeout: float | None = None, after: After | None = None
        ) -> Reply:
            fill(request, self.connection.origin, after)
            return self.send(call, request, timeout=timeout)

        return made

    def bind_feed(self, call: Feed[Question, Reply]) -> FeedCall[Question, Reply]:
        """The call, ready to be made."""

        def made(request: Question, /, *, timeout: float | None = None) -> Iterator[Reply]:
            return self._passing(self._open(call, request, timeout))

        return made

    def bind_dialogue(self, call: Dialogue[Question, Reply]) -> DialogueCall[Question, Reply]:
        """The call, ready to be made."""

        def made(
            requests: Iterable[Question], /, *, timeout: float | None = None
        ) -> Iterator[Reply]:
            return self._passing(self._open(call, iter(requests), timeout))

        return made

    def _attempts(self, call: Call[Any, Any], timeout: float | None) -> Attempts:
        return Attempts(self.connection.seconds(call.method, timeout))

    def _send(self, call: Unary[Question, Reply], request: Question, attempts: Attempts) -> Reply:
        while True:
            try:
                answer: Reply = self._stub(call)(
                    request, timeout=attempts.remaining, metadata=self.connection.metadata()
                )
            except grpc.RpcError as error:
                failure = failure_of(error)
            else:
                return answer
            time.sleep(attempts.pause_after(failure))

    def _open(self, call: Call[Question, Reply], sent: object, timeout: float | None) -> Any:
        return self._stub(call)(
            sent,
            timeout=self.connection.seconds(call.method, timeout),
            metadata=self.connection.metadata(),
        )

    @staticmethod
    def _passing(answers: Any) -> Iterator[Reply]:
        """Pass answers on; who stops listening ends the call."""
        try:
            yield from answers
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

    def _settled(self, batch: Batch, timeout: float | None) -> list[Result]:
        """Send what is open of a batch until each item is answered for good."""
        attempts = self._attempts(Surface.batch_post, timeout)
        reason = batch.reopen()
        while items := batch.open_items:
            if reason is not None:
                time.sleep(attempts.pause_after(reason))
            request = BatchPostRequest(items=items)
            batch.take(self._send(Surface.batch_post, request, attempts).results)
            reason = batch.reopen()
        return batch.results()

    def _streamed(self, pipeline: Pipeline, timeout: float | None) -> Iterator[Batch]:
        attempts = self._attempts(Surface.batch_post, timeout)
        while not pipeline.done:
            try:
                for batch in self._one_stream(pipeline):
                    yield batch
                    attempts = self._attempts(Surface.batch_post, timeout)
            except LoyaltyError as failure:
                time.sleep(attempts.pause_after(failure, stream=True))

    def _one_stream(self, pipeline: Pipeline) -> Iterator[Batch]:
        outbox: SimpleQueue[PostStreamRequest | None] = SimpleQueue()
        for request in pipeline.begin():
            outbox.put(request)
        if pipeline.done:
            return
        try:
            answers: Iterator[PostStreamResponse] = self.post_stream(iter(outbox.get, None))
            for answer in answers:
                batch = pipeline.answered(answer)
                # None ends the stream: everything is sent.
                if (following := pipeline.following()) is not None or pipeline.done:
                    outbox.put(following)
                yield batch
            pipeline.ended()
        finally:
            # gRPC reads the outbox in a thread of its own, which would wait for ever.
            outbox.put(None)
