"""A real server on a loopback port with a real database, and callers of it."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status

from ledger.clock import Clock
from loyalty.v1.account_service_pb2_grpc import AccountServiceStub
from loyalty.v1.audit_service_pb2_grpc import AuditServiceStub
from loyalty.v1.ledger_service_pb2_grpc import LedgerServiceStub
from loyalty.v1.member_service_pb2_grpc import MemberServiceStub
from loyalty.v1.programme_service_pb2 import PublishPolicyRequest
from loyalty.v1.programme_service_pb2_grpc import ProgrammeServiceStub
from server.auth import Verb, create_token
from server.config import Settings, load
from server.database import connect
from server.main import running_server
from server.status import DETAILS_KEY
from tests.server import requests

POLICY = Path(__file__).resolve().parents[1] / "policies" / "harbour.yaml"
EVERY_VERB = tuple(verb.value for verb in Verb)


class Caller:
    """A client with a token, on a channel of its own."""

    def __init__(self, channel: grpc.aio.Channel, token: str) -> None:
        """Call through `channel`; an empty token sends none."""
        self.channel = channel
        self.metadata = (("authorization", f"Bearer {token}"),) if token else ()
        self.ledger: Any = _Stub(LedgerServiceStub(channel), self.metadata)
        self.members: Any = _Stub(MemberServiceStub(channel), self.metadata)
        self.accounts: Any = _Stub(AccountServiceStub(channel), self.metadata)
        self.audit: Any = _Stub(AuditServiceStub(channel), self.metadata)
        self.programme: Any = _Stub(ProgrammeServiceStub(channel), self.metadata)

    async def raw(self, method: str, request: bytes) -> bytes:
        """Send bytes to a method, as they are."""
        call: Any = self.channel.unary_unary(f"/loyalty.v1.{method}")
        answer: bytes = await call(request, metadata=self.metadata, timeout=20)
        return answer


class _Stub:
    """A generated stub whose calls carry the token and a deadline."""

    def __init__(self, stub: object, metadata: Any) -> None:
        self._stub = stub
        self._metadata = metadata

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._stub, name)

        def call(request: Any = None, *, timeout: float = 20) -> Any:
            return method(request, metadata=self._metadata, timeout=timeout)

        return call


@dataclass(frozen=True)
class Served:
    """A running server."""

    address: str
    dsn: str

    async def token(
        self,
        name: str,
        units: tuple[str, ...] = ("*",),
        verbs: tuple[str, ...] = EVERY_VERB,
    ) -> str:
        """A token, straight from the store."""
        connection = await connect(self.dsn)
        try:
            return await create_token(connection, name=name, business_units=units, verbs=verbs)
        finally:
            await connection.close()

    @asynccontextmanager
    async def caller(self, token: str) -> AsyncIterator[Caller]:
        """A client on a connection of its own."""
        async with grpc.aio.insecure_channel(self.address) as channel:
            yield Caller(channel, token)

    async def with_member(self, caller: Caller) -> None:
        """Publish the policy and enrol the card of the requests."""
        await caller.programme.PublishPolicy(
            PublishPolicyRequest(
                request_id="p-1",
                document=POLICY.read_text(encoding="utf-8"),
                allow_retroactive=True,
            )
        )
        await caller.members.EnrolMember(requests.enrolment())


def settings_for(dsn: str, folder: Path, **changes: Any) -> Settings:
    """Settings of a server for a test: any free port, nothing beside the service itself."""
    return load(
        **{
            "database_url": dsn,
            "data_dir": folder,
            "listen": "127.0.0.1:0",
            "metrics_listen": "off",
            "projections": False,
            "drain_grace_seconds": 10,
            **changes,
        }
    )


@asynccontextmanager
async def serving(
    dsn: str, folder: Path, clock: Clock | None = None, **changes: Any
) -> AsyncIterator[Served]:
    """A server over a migrated database, drained at the end."""
    async with running_server(settings_for(dsn, folder, **changes), clock) as address:
        yield Served(address, dsn)


async def refused(call: Awaitable[object], code: grpc.StatusCode, reason: str) -> Status:
    """Await a call that must be refused in just this way; the Status for a closer look."""
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call
    assert error.value.code() is code, error.value
    status = status_of(error.value)
    assert info_of(status).reason == reason
    return status


def status_of(error: grpc.aio.AioRpcError) -> Status:
    """The Status that came with a failed call."""
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS_KEY:
            return Status.FromString(value if isinstance(value, bytes) else value.encode())
    raise AssertionError(f"no details came with {error}")


def info_of(status: Status) -> ErrorInfo:
    """Reason and fields of a Status."""
    info = ErrorInfo()
    assert any(detail.Unpack(info) for detail in status.details)
    return info


def violations_of(status: Status) -> list[str]:
    """Paths of the fields at fault."""
    request = BadRequest()
    any(detail.Unpack(request) for detail in status.details)
    return [violation.field for violation in request.field_violations]
