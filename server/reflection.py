"""Server reflection for tools such as grpcurl, behind the same door as every other call."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import grpc
from google.protobuf.message import Message
from grpc_reflection.v1alpha import reflection
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest

from server.rpc import Call, Dialogue, Door

SERVICE: Final[str] = reflection.SERVICE_NAME


class ReflectionServicer:
    """Describes the contract to whoever has a token, whatever the token is for."""

    def __init__(self, services: Sequence[str]) -> None:
        """Describe these services."""
        self._servicer = reflection.aio.ReflectionServicer([*services, SERVICE])

    def handler(self, door: Door) -> grpc.GenericRpcHandler:
        """Return what gRPC serves."""
        return door.service(
            SERVICE, Dialogue("ServerReflectionInfo", ServerReflectionRequest, self._describe)
        )

    async def _describe(
        self, requests: AsyncIterator[ServerReflectionRequest], _call: Call
    ) -> AsyncIterator[Message]:
        # The stubs take the generator for a coroutine.
        answers: Any = self._servicer.ServerReflectionInfo(requests, None)
        async for answer in answers:
            yield answer
