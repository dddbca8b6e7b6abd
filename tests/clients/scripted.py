"""A gRPC server that answers as a test says: for what a real ledger does only in bad moments."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from loyalty_client.surface import Surface
from server.status import DETAILS_KEY

Script = Callable[[Any], Message]


class Failed(Exception):
    """What a script raises instead of answering."""

    def __init__(self, status: Status) -> None:
        super().__init__(status.message)
        self.status = status


def failed(
    code: grpc.StatusCode,
    reason: str = "",
    *,
    wait_ms: int | None = None,
    **metadata: str,
) -> Failed:
    """A Status as the ledger makes them; without a reason, a bare one."""
    number: int = code.value[0]
    status = Status(code=number, message=f"{reason or code.name} as the script says")
    if reason:
        status.details.add().Pack(ErrorInfo(reason=reason, domain="loyalty", metadata=metadata))
    if wait_ms is not None:
        delay = Duration()
        delay.FromMilliseconds(wait_ms)
        status.details.add().Pack(RetryInfo(retry_delay=delay))
    return Failed(status)


class Scripted:
    """What was asked, and the address."""

    def __init__(self, *script: Message | Failed) -> None:
        self.seen: list[Any] = []
        self.metadata: list[dict[str, str | bytes]] = []
        self.remaining: list[float] = []
        self._script = list(script)
        self.address = ""

    def answer(self, request: Any, context: grpc.ServicerContext) -> Message:
        """The next answer of the script; its last one for ever."""
        self.seen.append(request)
        self.metadata.append(dict(context.invocation_metadata()))
        self.remaining.append(context.time_remaining())
        said = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if isinstance(said, Failed):
            details = ((DETAILS_KEY, said.status.SerializeToString()),)
            context.set_trailing_metadata(details if said.status.details else ())
            code = next(code for code in grpc.StatusCode if code.value[0] == said.status.code)
            context.abort(code, said.status.message)
        return said


@contextmanager
def scripted(*script: Message | Failed, port: int = 0) -> Iterator[Scripted]:
    """Serve BurnPoints, GetAccount and BatchPost as the script says."""
    asked = Scripted(*script)
    server = grpc.server(ThreadPoolExecutor(2), options=[("grpc.so_reuseport", 0)])
    for call in (Surface.burn_points, Surface.get_account, Surface.batch_post):
        service, _, name = call.method.partition("/")
        handler: grpc.RpcMethodHandler[Any, Any] = grpc.unary_unary_rpc_method_handler(
            asked.answer, call.request.FromString, lambda answer: answer.SerializeToString()
        )
        server.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler(service, {name: handler})]
        )
    asked.address = f"127.0.0.1:{server.add_insecure_port(f'127.0.0.1:{port}')}"
    server.start()
    try:
        yield asked
    finally:
        server.stop(None).wait()
