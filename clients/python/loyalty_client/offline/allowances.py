"""Points that were set aside while the line was up, to be spent while it is down."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from loyalty.v1.ledger_service_pb2 import (
    CaptureHoldRequest,
    HoldPointsRequest,
    HoldPointsResponse,
    ReleaseHoldRequest,
)
from loyalty.v1.types_pb2 import Origin
from loyalty_client.filling import fill_origin
from loyalty_client.offline.errors import (
    AllowanceOver,
    BeyondAllowance,
    OtherContent,
    UnknownAllowance,
)
from loyalty_client.offline.store import Store
from loyalty_client.offline.uploads import EPOCH, Clock, Uploads, micros

HELD: Final = "points_held"


@dataclass(frozen=True, slots=True)
class Allowance:
    """A hold that a till spends from."""

    hold_id: str
    points: int
    """Held, in the smallest unit."""
    spent: int
    """Spent of them here, whether the ledger knows already or not."""
    ends_at: datetime | None
    """When the ledger gives the rest back by itself; None: never."""
    state: str
    """asked: not answered yet; open; refused; unwanted, ended: nothing more is spent."""

    @property
    def left(self) -> int:
        """What can still be spent."""
        return self.points - self.spent


class Allowances:
    """The allowances of a queue."""

    def __init__(self, store: Store, uploads: Uploads, origin: Origin | None, clock: Clock) -> None:
        """Keep them in `store`, and put what is spent among `uploads`."""
        self._store = store
        self._uploads = uploads
        self._origin = origin
        self._clock = clock

    def ask(self, hold: HoldPointsRequest) -> HoldPointsRequest | None:
        """Write down that a hold is asked for; the request to send, None if it was answered.

        Raises:
            ValueError: the ledger is not to hold anything.
            OtherContent: the hold_id is another hold's.
        """
        if hold.validate_only:
            raise ValueError("validate_only holds nothing that could be spent")
        hold.hold_id = hold.hold_id or str(uuid4())
        hold.request_id = hold.request_id or str(uuid4())
        request = HoldPointsRequest()
        request.CopyFrom(hold)
        if self._origin is not None:
            fill_origin(request.origin, self._origin)
        encoded = request.SerializeToString(deterministic=True)
        with self._store.writing():
            known = self._row(hold.hold_id)
            # A hold_id that was refused is as good as new.
            taken = known is not None and known["state"] != "refused"
            if taken and known["request"] != encoded:
                raise OtherContent(f"hold_id {hold.hold_id!r} is another allowance's")
            if taken and known["state"] in ("open", "ended"):
                return None
            self._store.change(
                "INSERT INTO allowance (hold_id, request, state) VALUES (?, ?, 'asked')"
                " ON CONFLICT DO UPDATE SET state = 'asked', request = excluded.request",
                hold.hold_id,
                encoded,
            )
        return request

    def unanswered(self) -> list[HoldPointsRequest]:
        """The holds of which it is not known whether the ledger has them."""
        rows = self._store.rows(
            "SELECT request FROM allowance WHERE state IN ('asked', 'unwanted') ORDER BY rowid"
        )
        return [HoldPointsRequest.FromString(row["request"]) for row in rows]

    def sent_as(self, hold_id: str) -> str | None:
        """Digest of the token that it was first asked for with; None: it never was."""
        found: str | None = self._row(hold_id)["sent_as"]
        return found

    def sending(self, hold_id: str, token: str) -> None:
        """Note that it is about to be asked for."""
        with self._store.writing():
            self._store.change("UPDATE allowance SET sent_as = ? WHERE hold_id = ?", token, hold_id)

    def granted(self, hold_id: str, answer: HoldPointsResponse) -> Allowance:
        """Note that the ledger holds it; what nobody wants any more is given back."""
        held = next(each for each in answer.posting.movements if each.kind == HELD)
        ends = None
        if held.HasField("expire_time"):
            ends = micros(held.expire_time.ToDatetime(UTC))
        with self._store.writing():
            state = self._row(hold_id)["state"]
            if state not in ("open", "ended"):
                self._store.change(
                    "UPDATE allowance SET state = 'open', points = ?, ends_at = ?"
                    " WHERE hold_id = ?",
                    held.points,
                    ends,
                    hold_id,
                )
            if state in ("unwanted", "refused"):
                self._give_back(self._row(hold_id))
        return self.find(hold_id)

    def refused(self, hold_id: str) -> None:
        """Note that there is no such hold."""
        with self._store.writing():
            self._store.change(
                "UPDATE allowance SET state = 'refused'"
                " WHERE hold_id = ? AND state IN ('asked', 'unwanted')",
                hold_id,
            )

    def spend(self, hold_id: str, points: int, request_id: str) -> str:
        """Spend from an allowance: count it, and put its capture into the queue; the request_id.

        Raises:
            ValueError, OtherContent: as `Uploads.put`; less than one point.
            UnknownAllowance, AllowanceOver, BeyondAllowance: nothing was spent.
        """
        if points < 1:
            raise ValueError(f"points = {points}: expected 1 or more")
        capture = CaptureHoldRequest(request_id=request_id, hold_id=hold_id, points=points)
        with self._store.writing():
            row = self._known(hold_id)
            capture.origin.CopyFrom(_origin_of(row))
            if request_id and self._uploads.find(request_id) is not None:
                # Spent before: it is either the same, or refused for its content.
                self._uploads.put(capture)
                return request_id
            self._check(row, points)
            self._store.change(
                "UPDATE allowance SET spent = spent + ? WHERE hold_id = ?", points, hold_id
            )
            self._uploads.put(capture, hold_id=hold_id)
        return capture.request_id

    def end(self, hold_id: str) -> None:
        """Spend no more of an allowance, and give the rest back. Raises UnknownAllowance."""
        with self._store.writing():
            row = self._known(hold_id)
            if row["state"] == "asked":
                self._store.change(
                    "UPDATE allowance SET state = 'unwanted' WHERE hold_id = ?", hold_id
                )
            elif row["state"] == "open":
                self._give_back(row)

    def find(self, hold_id: str) -> Allowance:
        """An allowance. Raises UnknownAllowance."""
        return _allowance(self._known(hold_id))

    def spendable(self) -> list[Allowance]:
        """The allowances that are open, and whose time is not over."""
        rows = self._store.rows("SELECT * FROM allowance WHERE state = 'open' ORDER BY rowid")
        return [_allowance(row) for row in rows if not self._over(row)]

    def owns(self, hold_id: str) -> bool:
        """Whether a hold is one of these."""
        return self._row(hold_id) is not None

    def _check(self, row: Any, points: int) -> None:
        if row["state"] in ("asked", "unwanted"):
            raise AllowanceOver(f"whether hold {row['hold_id']!r} was taken is not known yet")
        if row["state"] != "open" or self._over(row):
            raise AllowanceOver(f"the allowance {row['hold_id']!r} is over")
        left = row["points"] - row["spent"]
        if points > left:
            raise BeyondAllowance(left=left, requested=points)

    def _over(self, row: Any) -> bool:
        return row["ends_at"] is not None and micros(self._clock()) >= row["ends_at"]

    def _give_back(self, row: Any) -> None:
        self._store.change("UPDATE allowance SET state = 'ended' WHERE hold_id = ?", row["hold_id"])
        # The capture that takes the last point ends the hold by itself.
        if row["spent"] < row["points"]:
            release = ReleaseHoldRequest(hold_id=row["hold_id"], origin=_origin_of(row))
            self._uploads.put(release)

    def _known(self, hold_id: str) -> Any:
        row = self._row(hold_id)
        if row is None:
            raise UnknownAllowance(f"no allowance {hold_id!r} was taken with this queue")
        return row

    def _row(self, hold_id: str) -> Any:
        return self._store.row("SELECT * FROM allowance WHERE hold_id = ?", hold_id)


def _origin_of(row: Any) -> Origin:
    """Where the hold was taken; its time is its own."""
    origin = HoldPointsRequest.FromString(row["request"]).origin
    origin.ClearField("occurred_time")
    return origin


def _allowance(row: Any) -> Allowance:
    ends = row["ends_at"]
    return Allowance(
        hold_id=row["hold_id"],
        points=row["points"],
        spent=row["spent"],
        ends_at=None if ends is None else EPOCH + timedelta(microseconds=ends),
        state=row["state"],
    )
