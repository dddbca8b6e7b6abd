"""The ledger as adapters see it: gRPC calls, and what its answers mean for what was asked."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import grpc
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from adapters.frame.words import Parked, RetryLater, Unreadable
from loyalty.v1 import audit_service_pb2 as audit_pb
from loyalty.v1 import ledger_service_pb2 as ledger_pb
from loyalty.v1 import member_service_pb2 as member_pb
from loyalty.v1.account_service_pb2_grpc import AccountServiceStub
from loyalty.v1.audit_service_pb2_grpc import AuditServiceStub
from loyalty.v1.ledger_service_pb2_grpc import LedgerServiceStub
from loyalty.v1.member_service_pb2_grpc import MemberServiceStub
from loyalty.v1.programme_service_pb2_grpc import ProgrammeServiceStub
from loyalty.v1.types_pb2 import Identity, MemberRef, Origin

CALL_SECONDS: Final = 30.0
BATCH_BYTES: Final = 3_000_000
_DETAILS: Final = "grpc-status-details-bin"

LATER: Final = frozenset({"NOT_SERVING", "QUEUE_FULL", "DEADLINE_PASSED", "UNAUTHENTICATED"})
"""Refusals that say nothing about what was asked."""
UNTIL_MENDED: Final = frozenset(
    {
        "ACCOUNT_CLOSED",
        "CLAWBACK_REFUSED",
        "DOCUMENT_OF_ANOTHER_MEMBER",
        "FOREIGN_CURRENCY",
        "NO_POLICY",
        "OCCURRED_IN_FUTURE",
        "PERMISSION",
        "RATE_MISSING",
        "TOO_MANY_LOTS",
        "UNKNOWN_ACTIVITY",
        "UNKNOWN_BUSINESS_UNIT",
        "UNKNOWN_CATEGORY",
        "UNKNOWN_CURRENCY",
        "UNKNOWN_MEMBER",
        "UNKNOWN_PAYMENT",
        "VELOCITY_EXCEEDED",
    }
)
"""Refusals that a policy, a token, a mapping or time can mend: parked, and asked again now and
then. All others are dead letters."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The ledger's no."""

    reason: str
    message: str
    fields: Mapping[str, str] = field(default_factory=dict)
    """What the refusal tells besides, by the names that docs/refusals.md gives them."""

    def raised(self) -> Exception:
        """Return what this means for the subject."""
        if self.reason in LATER:
            return RetryLater(f"the ledger answers {self.reason}")
        if self.reason in UNTIL_MENDED:
            return Parked(f"ledger_{self.reason.lower()}", self.message)
        return Unreadable(f"the ledger refuses it as {self.reason}: {self.message}")


Answer = ledger_pb.Posting | Refused


class Ledger:
    """Calls under one token. Raises RetryLater where the ledger does not answer."""

    def __init__(self, channel: grpc.aio.Channel, token: str) -> None:
        """Call through `channel`; the caller closes it."""
        self.posts = LedgerServiceStub(channel)
        self.members = MemberServiceStub(channel)
        self.accounts = AccountServiceStub(channel)
        self.programme = ProgrammeServiceStub(channel)
        self.audit = AuditServiceStub(channel)
        self._metadata = (("authorization", f"Bearer {token}"),)

    async def call(self, method: Any, request: Any) -> Any:
        """Call any method of the contract with the token and a time limit.

        Returns the answer, or Refused. Raises RetryLater.
        """
        try:
            return await method(request, metadata=self._metadata, timeout=CALL_SECONDS)
        except grpc.aio.AioRpcError as error:
            return _refused_or_lost(error)

    async def post(self, items: Sequence[ledger_pb.BatchItem]) -> list[Answer]:
        """Send writes as few batches; answers by index. Raises RetryLater: no answer at all."""
        answers: list[Answer] = []
        for batch in _batches(items):
            given = await self.call(
                self.posts.BatchPost, ledger_pb.BatchPostRequest(items=list(batch))
            )
            if isinstance(given, Refused):
                answers += [given] * len(batch)
                continue
            for result in given.results:
                if result.HasField("refusal"):
                    answers.append(_refused(result.refusal))
                else:
                    answers.append(result.posting)
        return answers

    async def history(
        self, positions: Mapping[int, int]
    ) -> AsyncGenerator[audit_pb.StreamEventsResponse, None]:
        """Events from a position of each lane on, to the present. Raises RetryLater.

        A refusal is no answer either: whoever follows the history goes on when it is mended.
        """
        request = audit_pb.StreamEventsRequest(
            positions=[
                audit_pb.LanePosition(lane=lane, next_pos=pos) for lane, pos in positions.items()
            ]
        )
        call = self.audit.StreamEvents(request, metadata=self._metadata, timeout=CALL_SECONDS)
        try:
            async for message in call:
                yield message
        except grpc.aio.AioRpcError as error:
            refused = _refused_or_lost(error)
            raise RetryLater(f"the ledger refuses its history: {refused.message}") from None
        finally:
            call.cancel()

    async def member_id(self, identity: Identity) -> str:
        """Return the id of the member with an identity; empty when nobody has it.

        Raises RetryLater, Parked, Unreadable.
        """
        request = member_pb.GetMemberRequest(member=MemberRef(identity=identity))
        given = await self.call(self.members.GetMember, request)
        if isinstance(given, Refused):
            if given.reason == "UNKNOWN_MEMBER":
                return ""
            raise given.raised()
        return str(given.member.member_id)

    async def link(
        self, request_id: str, origin: Origin, member: Identity, added: Identity
    ) -> Refused | None:
        """Link an identity to the member who has another one. None: it is linked now."""
        request = member_pb.LinkIdentityRequest(
            request_id=request_id,
            origin=origin,
            member=MemberRef(identity=member),
            identity=added,
        )
        given = await self.call(self.members.LinkIdentity, request)
        return given if isinstance(given, Refused) else None


def _batches(items: Sequence[ledger_pb.BatchItem]) -> list[list[ledger_pb.BatchItem]]:
    batches: list[list[ledger_pb.BatchItem]] = [[]]
    size = 0
    for item in items:
        size += item.ByteSize() + 8
        if batches[-1] and (size > BATCH_BYTES or len(batches[-1]) == 1_000):
            batches.append([])
            size = item.ByteSize() + 8
        batches[-1].append(item)
    return [batch for batch in batches if batch]


def _refused_or_lost(error: grpc.aio.AioRpcError) -> Refused:
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS:
            status = Status.FromString(value if isinstance(value, bytes) else value.encode())
            return _refused(status)
    raise RetryLater(f"the ledger does not answer: {error.code().name}")


def _refused(status: Status) -> Refused:
    info = ErrorInfo()
    for detail in status.details:
        if detail.Unpack(info):
            return Refused(info.reason, status.message, dict(info.metadata))
    return Refused("", status.message)


def channel_to(server: str, authority: bytes | None) -> grpc.aio.Channel:
    """Return a channel to a ledger; the caller closes it."""
    if authority is None:
        return grpc.aio.insecure_channel(server)
    return grpc.aio.secure_channel(server, grpc.ssl_channel_credentials(authority))
