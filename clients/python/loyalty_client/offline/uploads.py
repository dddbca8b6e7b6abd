"""Writes that wait for the line, in the order in which they came."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import uuid4

from google.protobuf.message import Message
from google.rpc.status_pb2 import Status

from loyalty.v1.types_pb2 import Origin
from loyalty_client.building import timestamp
from loyalty_client.calls import method_of
from loyalty_client.errors import Refusal
from loyalty_client.filling import fill_origin
from loyalty_client.offline.errors import OtherContent, QueueUnusable
from loyalty_client.offline.store import Store
from loyalty_client.surface import CALLS

Clock = Callable[[], datetime]
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class State(StrEnum):
    """How far a write has come."""

    WAITING = "waiting"
    """It has to be sent, or its answer is not known."""
    POSTED = "posted"
    """The ledger has answered."""
    REFUSED = "refused"
    """The ledger has said no for good: somebody has to look at it."""
    DISMISSED = "dismissed"
    """Somebody has."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A write in the queue."""

    number: int
    request_id: str
    method: str
    """As "loyalty.v1.LedgerService/BurnPoints"."""
    request: Any
    """The message as it is sent."""
    state: State
    answer: Any
    """The message that came back; None unless POSTED."""
    refusal: Refusal | None
    """Why not; None unless the ledger refused it."""
    queued_at: datetime


class Uploads:
    """The writes of a queue."""

    def __init__(self, store: Store, origin: Origin | None, clock: Clock) -> None:
        """Keep them in `store`; fill in `origin` and the time, where a write says neither."""
        self._store = store
        self._origin = origin
        self._clock = clock

    def put(self, write: Message, *, hold_id: str | None = None) -> None:
        """Write a write down, inside the store's `writing`; the very same again does nothing.

        Args:
            write: its request_id is filled in in the message itself.
            hold_id: the allowance that it is spent from.

        Raises:
            ValueError: it is no write that can wait.
            OtherContent: its request_id is another write's.
        """
        message: Any = write
        method = _method_of(message)
        message.request_id = message.request_id or str(uuid4())
        given = digest_of(write)
        known = self._store.row(
            "SELECT method, given FROM upload WHERE request_id = ?", message.request_id
        )
        if known is not None:
            if (known["method"], known["given"]) != (method, given):
                raise OtherContent(f"request_id {message.request_id!r} is another write's")
            return
        self._store.change(
            "INSERT INTO upload (request_id, method, request, given, state, hold_id, queued_at)"
            " VALUES (?, ?, ?, ?, 'waiting', ?, ?)",
            message.request_id,
            method,
            self._complete(message).SerializeToString(deterministic=True),
            given,
            hold_id,
            micros(self._clock()),
        )

    def find(self, request_id: str) -> Upload | None:
        """A write by its request_id."""
        row = self._store.row("SELECT * FROM upload WHERE request_id = ?", request_id)
        return None if row is None else _upload(row)

    def head(self) -> Upload | None:
        """The write to send next: the oldest that waits."""
        row = self._store.row(
            "SELECT * FROM upload WHERE state = 'waiting' ORDER BY number LIMIT 1"
        )
        return None if row is None else _upload(row)

    def in_state(self, state: State) -> list[Upload]:
        """All writes of a state, oldest first."""
        rows = self._store.rows("SELECT * FROM upload WHERE state = ? ORDER BY number", state.value)
        return [_upload(row) for row in rows]

    def count(self, state: State) -> int:
        """How many writes are in a state."""
        found: int = self._store.row("SELECT count(*) FROM upload WHERE state = ?", state.value)[0]
        return found

    def sent_as(self, upload: Upload) -> str | None:
        """Digest of the token that it was first sent with; None: it never was."""
        found: str | None = self._store.row(
            "SELECT sent_as FROM upload WHERE number = ?", upload.number
        )["sent_as"]
        return found

    def sending(self, upload: Upload, token: str) -> None:
        """Note that it is about to be sent."""
        with self._store.writing():
            self._store.change(
                "UPDATE upload SET sent_as = ? WHERE number = ?", token, upload.number
            )

    def answered(self, upload: Upload, answer: Message, state: State) -> bool:
        """Note what became of it; False: somebody else has noted that."""
        with self._store.writing():
            changed = self._store.change(
                "UPDATE upload SET state = ?, answer = ?, answered_at = ?"
                " WHERE number = ? AND state = 'waiting'",
                state.value,
                answer.SerializeToString(),
                micros(self._clock()),
                upload.number,
            )
        return changed == 1

    def dismiss(self, request_id: str) -> bool:
        """Take a refused write, or one that waits, off the list; False: it is neither."""
        with self._store.writing():
            changed = self._store.change(
                "UPDATE upload SET state = 'dismissed', answered_at = ?"
                " WHERE request_id = ? AND state IN ('waiting', 'refused')",
                micros(self._clock()),
                request_id,
            )
        return changed == 1

    def forget(self, older_than: timedelta) -> int:
        """Delete what was posted or dismissed so long ago; how many.

        What was spent from an open allowance stays, lest the same be spent again.
        """
        with self._store.writing():
            return self._store.change(
                "DELETE FROM upload WHERE state IN ('posted', 'dismissed') AND answered_at < ?"
                " AND (hold_id IS NULL OR hold_id NOT IN"
                " (SELECT hold_id FROM allowance WHERE state = 'open'))",
                micros(self._clock() - older_than),
            )

    def _complete(self, write: Any) -> Any:
        """A copy with all that is sent: later on, nothing may change any more."""
        copy = type(write)()
        copy.CopyFrom(write)
        if "origin" in write.DESCRIPTOR.fields_by_name:
            if self._origin is not None:
                fill_origin(copy.origin, self._origin)
            if not copy.origin.HasField("occurred_time"):
                copy.origin.occurred_time.CopyFrom(timestamp(self._clock()))
        return copy


def _method_of(write: Message) -> str:
    """The call that takes it. Raises ValueError when it is none that can wait."""
    fields = write.DESCRIPTOR.fields_by_name
    if "request_id" not in fields:
        raise ValueError(f"{write.DESCRIPTOR.name} has no request_id: it is no single write")
    if getattr(write, "validate_only", False):
        raise ValueError("validate_only is answered at once or never: it cannot wait")
    return method_of(type(write))


def digest_of(message: Message) -> bytes:
    """SHA-256 of a message."""
    return hashlib.sha256(message.SerializeToString(deterministic=True)).digest()


def micros(at: datetime) -> int:
    """Microseconds since the Unix epoch."""
    return (at - EPOCH) // timedelta(microseconds=1)


def _upload(row: Any) -> Upload:
    if row["method"] not in CALLS:
        raise QueueUnusable(f"it holds a {row['method']}, which this release does not know")
    call, state, answer = CALLS[row["method"]], State(row["state"]), row["answer"]
    refused = answer is not None and state is not State.POSTED
    return Upload(
        number=row["number"],
        request_id=row["request_id"],
        method=row["method"],
        request=call.request.FromString(row["request"]),
        state=state,
        answer=call.answer.FromString(answer) if state is State.POSTED else None,
        refusal=Refusal.of(Status.FromString(answer)) if refused else None,
        queued_at=EPOCH + timedelta(microseconds=row["queued_at"]),
    )
