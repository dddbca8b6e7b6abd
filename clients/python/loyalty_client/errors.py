"""What a call may end with instead of an answer: a refusal, or not knowing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, LocalizedMessage, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

DOMAIN: Final = "loyalty"
FAULT: Final = "INTERNAL"
"""The reason that a server gives for a fault of its own, which is no refusal."""
_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}
_TRY_AGAIN: Final = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED})


class LoyaltyError(Exception):
    """A call without an answer. `str()` of it is one English sentence."""

    retry_seconds: float | None = None
    """How long the server asks to wait before the same request is sent again; None: it did not."""

    def __init__(self, message: str, code: grpc.StatusCode) -> None:
        """Tell what happened, and as which gRPC code."""
        super().__init__(message)
        self.code = code

    @property
    def transient(self) -> bool:
        """Whether the same request may be answered when it is sent again a little later."""
        return self.retry_seconds is not None or self.code in _TRY_AGAIN


class NoAnswer(LoyaltyError):
    """Nobody knows here whether it was recorded: no line, no time left, or a fault of the server.

    Sending the same message again, with its request_id, is always safe and tells.
    """

    @staticmethod
    def of(status: Status) -> "NoAnswer":
        """From the Status of an item of a batch that is no refusal."""
        code = _CODES.get(status.code, grpc.StatusCode.UNKNOWN)
        return NoAnswer(f"{code.name}: {status.message}", code)


@dataclass(frozen=True, slots=True)
class Violation:
    """A field of the request that is at fault."""

    field: str
    """Its path: "document.lines[3].category"."""
    description: str
    """What is wrong, and what would be right."""


class Refusal(LoyaltyError):
    """The ledger says no, and recorded nothing; the request_id stays free.

    Each reason of docs/refusals.md is a class in `loyalty_client.refusals`, with its fields. A
    reason that this release does not know, or a known one without its fields, is a plain Refusal.
    """

    reason: str = ""
    """UPPER_SNAKE, as docs/refusals.md lists it."""
    _fields: ClassVar[Mapping[str, type]] = {}
    _known: ClassVar[dict[str, type["Refusal"]]] = {}

    def __init_subclass__(cls) -> None:
        """Register a class for its reason; its annotations are the fields."""
        cls._fields = dict(cls.__annotations__)
        cls._known[cls.reason] = cls

    def __init__(self, status: Status, info: ErrorInfo) -> None:
        """Take everything that the server told."""
        super().__init__(status.message, _CODES.get(status.code, grpc.StatusCode.UNKNOWN))
        self.status = status
        self.reason = info.reason
        self.metadata: Mapping[str, str] = dict(info.metadata)
        self.violations: tuple[Violation, ...] = ()
        self.spoken: Mapping[str, str] = {}
        """A sentence that a cashier may read aloud, by locale: "en", "zh-CN"."""
        for name, kind in self._fields.items():
            setattr(self, name, kind(self.metadata.get(name, "")))
        self._read_details(status)

    @staticmethod
    def of(status: Status) -> "Refusal | None":
        """The refusal in a Status, of a failed call or of an item of a batch; None: it is none."""
        info = ErrorInfo()
        if not any(detail.Unpack(info) for detail in status.details):
            return None
        if info.domain != DOMAIN or info.reason == FAULT:
            return None
        try:
            return Refusal._known.get(info.reason, Refusal)(status, info)
        except ValueError:
            # A number that is none: the server is of a release with other fields.
            return Refusal(status, info)

    def _read_details(self, status: Status) -> None:
        retry, request, text = RetryInfo(), BadRequest(), LocalizedMessage()
        spoken = {}
        for detail in status.details:
            if detail.Unpack(retry):
                self.retry_seconds = retry.retry_delay.ToTimedelta().total_seconds()
            elif detail.Unpack(request):
                self.violations = tuple(
                    Violation(each.field, each.description) for each in request.field_violations
                )
            elif detail.Unpack(text):
                spoken[text.locale] = text.message
        self.spoken = spoken


def failure_of(error: grpc.RpcError) -> LoyaltyError:
    """What a failed call means."""
    try:
        status = rpc_status.from_call(error)
        refusal = Refusal.of(status) if status is not None else None
    except (ValueError, DecodeError):
        # Somebody on the way has changed the answer, so there is only its code to go by.
        refusal = None
    if refusal is not None:
        return refusal
    return NoAnswer(f"{error.code().name}: {error.details()}", error.code())
