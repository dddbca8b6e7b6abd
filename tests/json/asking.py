"""An HTTP client, and the gateway to ask: it answers on a loopback port inside the test."""

import asyncio
import contextlib
import json
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPSConnection
from typing import Any

import grpc
import uvicorn

from server.gateway.app import Gateway
from server.gateway.serving import CHANNEL_OPTIONS, Listening, server_for


@dataclass(frozen=True)
class Answer:
    """What came back."""

    code: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.text)

    @property
    def reason(self) -> str:
        """Reason of a refusal, from its ErrorInfo."""
        return str(self.detail("ErrorInfo")["reason"])

    @property
    def fields(self) -> list[str]:
        """Paths of the fields at fault, from its BadRequest."""
        return [fault["field"] for fault in self.detail("BadRequest")["field_violations"]]

    def detail(self, kind: str) -> dict[str, Any]:
        """The detail of this kind."""
        found: dict[str, Any] = next(
            detail for detail in self.json["details"] if detail["@type"].endswith(f".{kind}")
        )
        return found


@dataclass(frozen=True)
class Web:
    """A client with a token."""

    host: str
    port: int
    token: str
    trust: ssl.SSLContext | None = None

    def with_token(self, token: str) -> "Web":
        """Another client."""
        return replace(self, token=token)

    async def post(self, path: str, body: object) -> Answer:
        """Send a body: bytes as they are, anything else as JSON."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.ask("POST", path, raw, {"content-type": "application/json"})

    async def get(self, path: str) -> Answer:
        """Ask without a body."""
        return await self.ask("GET", path)

    async def ask(
        self,
        verb: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send anything."""
        return await asyncio.to_thread(self._ask, verb, path, body, dict(headers or {}))

    def _ask(self, verb: str, path: str, body: bytes | None, sent: dict[str, str]) -> Answer:
        if self.token:
            sent["authorization"] = f"Bearer {self.token}"
        connection: HTTPConnection
        if self.trust is None:
            connection = HTTPConnection(self.host, self.port, timeout=20)
        else:
            connection = HTTPSConnection(self.host, self.port, timeout=20, context=self.trust)
        with contextlib.closing(connection):
            connection.request(verb, path, body, sent)
            got = connection.getresponse()
            names = {name.lower(): value for name, value in got.getheaders()}
            return Answer(got.status, names, got.read().decode())


@asynccontextmanager
async def gateway_to(address: str, *, timeout_seconds: float = 20) -> AsyncIterator[Web]:
    """A gateway to the server at `address`, and a client of it without a token."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host, port = listener.getsockname()
        async with grpc.aio.insecure_channel(address, CHANNEL_OPTIONS) as channel:
            gateway = Gateway(channel, timeout_seconds=timeout_seconds)
            server = server_for(gateway, Listening(host, port))
            async with _running(server, listener):
                yield Web(host, port, "")


@asynccontextmanager
async def _running(server: uvicorn.Server, listener: socket.socket) -> AsyncIterator[None]:
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await task
