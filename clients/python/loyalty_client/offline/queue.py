"""A till's queue: what it writes down is sent in order, once, however often it is interrupted."""

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from os import PathLike
from types import TracebackType
from typing import Any, Final, Self

from google.protobuf.message import Message

from loyalty.v1.ledger_service_pb2 import (
    CaptureHoldRequest,
    HoldPointsRequest,
    ReleaseHoldRequest,
)
from loyalty.v1.types_pb2 import Origin
from loyalty_client.client import Client
from loyalty_client.errors import LoyaltyError, Refusal
from loyalty_client.offline.allowances import Allowance, Allowances
from loyalty_client.offline.errors import TokenChanged
from loyalty_client.offline.store import Store
from loyalty_client.offline.uploads import Clock, State, Upload, Uploads
from loyalty_client.refusals import (
    DeadlinePassed,
    HoldResolved,
    OccurredInFuture,
    Permission,
    Unauthenticated,
)
from loyalty_client.surface import CALLS, Surface

POST_SECONDS: Final = 2.0
"""How long a cashier may wait for a line that is down."""
FAST_SECONDS: Final = 2.0
"""How much a till's clock may be fast without a sale having to wait for the next upload."""
# They say nothing about the write: it goes through once the token or the clock is mended.
_NOT_FINAL: Final = (DeadlinePassed, OccurredInFuture, Permission, Unauthenticated)


@dataclass(slots=True)
class Progress:
    """What an upload has done."""

    posted: int = 0
    refused: int = 0
    left: int = 0
    """Writes that still wait."""
    stopped_by: LoyaltyError | None = None
    """Why it ended before all was sent; None: it did not, or its seconds were over."""


def _now() -> datetime:
    return datetime.now(UTC)


class OfflineQueue:
    """Writes and allowances of one till, in a file. Threads may share one, processes the file.

    What it guarantees, and what not, stands in docs/clients.md.
    """

    def __init__(
        self, path: str | PathLike[str], *, origin: Origin | None = None, clock: Clock = _now
    ) -> None:
        """Open the file, and make it if it is not there.

        Args:
            path: on a disk of this machine, not of the network.
            origin: stands in every write, where the write says nothing else.
            clock: the time that writes get which do not say when they happened.

        Raises:
            QueueUnusable: the file is another release's, or its disk cannot keep it safe.
        """
        self._store = Store(path)
        self._uploads = Uploads(self._store, origin, clock)
        self._allowances = Allowances(self._store, self._uploads, origin, clock)
        self._uploading = threading.Lock()

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
        """Close the file."""
        self._store.close()

    def put(self, write: Message) -> str:
        """Write a write down, durably, and return its request_id. The very same again is no other.

        Its id is filled in in the message itself; in what is sent also the queue's origin, and now
        as the time when it happened.

        Raises:
            ValueError: it is no single write, or it belongs to an allowance.
            OtherContent: its request_id is another write's.
        """
        if isinstance(write, CaptureHoldRequest | ReleaseHoldRequest) and self._allowances.owns(
            write.hold_id
        ):
            raise ValueError(f"hold {write.hold_id!r} is an allowance: use spend or end_allowance")
        with self._store.writing():
            self._uploads.put(write)
        message: Any = write
        request_id: str = message.request_id
        return request_id

    def post(self, client: Client, write: Message, *, seconds: float = POST_SECONDS) -> Upload:
        """Write a write down, upload for some seconds, and tell how far it has come.

        Raises:
            As `put` and `upload`; it is written down once `put` is through.
        """
        request_id = self.put(write)
        self.upload(client, timeout=seconds, within=seconds)
        found = self._uploads.find(request_id)
        assert found is not None, "it was written down just now"
        return found

    def upload(
        self,
        client: Client,
        *,
        timeout: float | None = None,
        within: float | None = None,
        any_token: bool = False,
    ) -> Progress:
        """Send what waits, in order, each when the one before it was answered.

        A refusal for good is kept for `refused` and passed by; anything else stops the upload, and
        the next one begins at the same write with the same bytes.

        Args:
            client: as whom; its origin is not used.
            timeout: seconds for each write.
            within: seconds after which no further write is begun; None: all are sent.
            any_token: send also what may have been sent with another token.

        Raises:
            TokenChanged: see there.
        """
        progress = Progress()
        ends = None if within is None else time.monotonic() + within
        # Another thread that uploads sends this one's writes as well.
        if self._uploading.acquire(timeout=-1 if within is None else within):
            try:
                self._settle_allowances(client, timeout, any_token=any_token)
                self._send_waiting(client, timeout, ends, progress, any_token=any_token)
            except LoyaltyError as error:
                progress.stopped_by = error
            finally:
                self._uploading.release()
        progress.left = self._uploads.count(State.WAITING)
        return progress

    def waiting(self) -> list[Upload]:
        """The writes that are not answered, oldest first."""
        return self._uploads.in_state(State.WAITING)

    def refused(self) -> list[Upload]:
        """The writes that the ledger refused for good, and nobody has dismissed yet."""
        return self._uploads.in_state(State.REFUSED)

    def find(self, request_id: str) -> Upload | None:
        """A write by its request_id, with its answer; None: it is not in the queue."""
        return self._uploads.find(request_id)

    def dismiss(self, request_id: str) -> bool:
        """Take a refused write off the list; or one that waits, which is then never sent again.

        False: it is neither.
        """
        return self._uploads.dismiss(request_id)

    def forget(self, older_than: timedelta) -> int:
        """Delete what was posted or dismissed so long ago; how many writes."""
        return self._uploads.forget(older_than)

    def take_allowance(
        self, client: Client, hold: HoldPointsRequest, *, timeout: float | None = None
    ) -> Allowance:
        """Set points aside while the line is up, so that they can be spent while it is down.

        Without an answer the allowance is asked for again by the next upload, with the same ids;
        `end_allowance` gives it back if it is not wanted any more.

        Raises:
            Refusal: there is no allowance.
            NoAnswer: it is not known yet.
            OtherContent: the hold_id is another allowance's.
        """
        request = self._allowances.ask(hold)
        if request is None:
            return self._allowances.find(hold.hold_id)
        return self._ask(client, request, timeout, any_token=False)

    def spend(self, hold_id: str, points: int, *, request_id: str = "") -> str:
        """Spend from an allowance, with or without a line: durably, and in the queue as a capture.

        Args:
            hold_id: the allowance.
            points: in the smallest unit; at most what is left.
            request_id: give one of your own, from the receipt say, so that doing the same again
                after a crash does not spend twice; returned if empty.

        Raises:
            BeyondAllowance, AllowanceOver, UnknownAllowance: nothing was spent.
            OtherContent: the request_id is another write's.
            ValueError: less than one point.
        """
        return self._allowances.spend(hold_id, points, request_id)

    def end_allowance(self, hold_id: str) -> None:
        """Spend no more from an allowance; the queue gives the rest back.

        Raises:
            UnknownAllowance: there is none.
        """
        self._allowances.end(hold_id)

    def allowance(self, hold_id: str) -> Allowance:
        """An allowance, with what is left of it.

        Raises:
            UnknownAllowance: there is none.
        """
        return self._allowances.find(hold_id)

    def allowances(self) -> list[Allowance]:
        """The allowances that can be spent from."""
        return self._allowances.spendable()

    def _settle_allowances(self, client: Client, timeout: float | None, *, any_token: bool) -> None:
        for hold in self._allowances.unanswered():
            try:
                self._ask(client, hold, timeout, any_token=any_token)
            except Refusal as refusal:
                if not _final(refusal):
                    raise

    def _ask(
        self, client: Client, hold: HoldPointsRequest, timeout: float | None, *, any_token: bool
    ) -> Allowance:
        token = _token_digest(client)
        _same_token(self._allowances.sent_as(hold.hold_id), token, any_token=any_token)
        self._allowances.sending(hold.hold_id, token)
        try:
            answer = client.send(Surface.hold_points, hold, timeout=timeout)
        except Refusal as refusal:
            if _final(refusal):
                self._allowances.refused(hold.hold_id)
            raise
        return self._allowances.granted(hold.hold_id, answer)

    def _send_waiting(
        self,
        client: Client,
        timeout: float | None,
        ends: float | None,
        progress: Progress,
        *,
        any_token: bool,
    ) -> None:
        token = _token_digest(client)
        while (head := self._uploads.head()) is not None:
            if ends is not None and time.monotonic() >= ends:
                return
            _same_token(self._uploads.sent_as(head), token, any_token=any_token)
            self._uploads.sending(head, token)
            self._send(client, head, timeout, progress)

    def _send(
        self, client: Client, head: Upload, timeout: float | None, progress: Progress
    ) -> None:
        call: Any = CALLS[head.method]
        try:
            answer = _once_it_is_time(lambda: client.send(call, head.request, timeout=timeout))
        except Refusal as refusal:
            if not _final(refusal):
                raise
            # Nothing is left to give back: that is as good as given back.
            given_back = isinstance(refusal, HoldResolved) and call is Surface.release_hold
            state = State.DISMISSED if given_back else State.REFUSED
            noted = self._uploads.answered(head, refusal.status, state)
            progress.refused += noted and not given_back
        else:
            progress.posted += self._uploads.answered(head, answer, State.POSTED)


def _once_it_is_time(send: Callable[[], Message]) -> Message:
    """Send; if the till's clock is a little fast, wait until the ledger's has caught up."""
    try:
        return send()
    except OccurredInFuture as refusal:
        said, now = map(datetime.fromisoformat, (refusal.occurred_time, refusal.now))
        if (said - now).total_seconds() > FAST_SECONDS:
            raise
        time.sleep((said - now).total_seconds())
        return send()


def _final(refusal: Refusal) -> bool:
    return not refusal.transient and not isinstance(refusal, _NOT_FINAL)


def _token_digest(client: Client) -> str:
    return hashlib.sha256(client.connection.present_token().encode()).hexdigest()


def _same_token(first: str | None, now: str, *, any_token: bool) -> None:
    if first is not None and first != now and not any_token:
        raise TokenChanged("this write may have been sent with another token; see docs/clients.md")
