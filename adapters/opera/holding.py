"""Points set aside under approval codes, spent and given back: what awards and redemptions share.

The code of an approval is the id of a hold. It follows from what was asked for, so a call that is
sent again meets its own hold; and the ledger tells of every hold what became of it.
"""

import base64
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final

from adapters.frame.mapping import PlaceRow
from adapters.frame.posting import Refused
from adapters.opera.calling import Declined, Vendor, declined
from loyalty.v1 import ledger_service_pb2 as ledger_pb
from loyalty.v1.types_pb2 import MemberRef, Money, Points

CODE_LENGTH: Final = 20
"""OPERA takes no longer approval code."""
SEQUENCE_MAX: Final = 50
"""How often the very same may be asked for, one after the other is over."""


class State(StrEnum):
    """What became of a hold."""

    OPEN = "OPEN"
    CAPTURED = "CAPTURED"
    RELEASED = "RELEASED"
    TIMED_OUT = "TIMED_OUT"
    EXPIRED = "EXPIRED"
    NEVER = "NEVER"


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a hold, and the entry that ended it."""

    state: State
    entry_id: str = ""
    refused: Refused | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be held."""

    place: PlaceRow
    member: MemberRef
    amount: Points | Money
    seed: str
    """What this is about: the same for a call that is sent again."""
    key: str
    """OPERA's id of the call; empty: it gave none."""


def approval(vendor: Vendor, seed: str, number: int) -> str:
    """Return the code of the approval with a running number."""
    digest = sha256(f"{vendor.connection.name}\0{seed}\0{number}".encode()).digest()
    return base64.b32encode(digest).decode()[:CODE_LENGTH]


async def hold(vendor: Vendor, wanted: Wanted) -> tuple[str, bool]:
    """Set points aside; return the approval code, and whether it is new.

    A call with an id is the same call for ever. One without is the same as long as what it asked
    for is still held: then it is not held twice.

    Raises:
        Declined: the ledger's refusal.
    """
    for number in range(SEQUENCE_MAX):
        code = approval(vendor, f"{wanted.seed}\0{wanted.key}", number)
        posting = await vendor.ask(vendor.ledger.posts.HoldPoints, _holding(vendor, wanted, code))
        if posting.posting.outcome != ledger_pb.OUTCOME_REPLAYED:
            return code, True
        fate = await fate_of(vendor, wanted.place, code)
        if fate.state is State.OPEN or (wanted.key and fate.state is State.CAPTURED):
            return code, False
    raise declined("LIMIT_REACHED", "the same was approved too often; send an x-request-id")


def _holding(vendor: Vendor, wanted: Wanted, code: str) -> ledger_pb.HoldPointsRequest:
    request = ledger_pb.HoldPointsRequest(
        request_id=vendor.name("hold", code),
        origin=vendor.origin(wanted.place),
        member=wanted.member,
        hold_id=code,
    )
    if isinstance(wanted.amount, Points):
        request.points.CopyFrom(wanted.amount)
    else:
        request.money.CopyFrom(wanted.amount)
    return request


async def fate_of(vendor: Vendor, place: PlaceRow, code: str) -> Fate:
    """Return what became of a hold. Nothing is recorded. Raises Declined."""
    request = ledger_pb.ReleaseHoldRequest(
        request_id=vendor.name("fate", code),
        validate_only=True,
        origin=vendor.origin(place),
        hold_id=code,
    )
    given = await vendor.ledger.call(vendor.ledger.posts.ReleaseHold, request)
    if not isinstance(given, Refused):
        return Fate(State.OPEN)
    if given.reason == "UNKNOWN_HOLD":
        return Fate(State.NEVER, refused=given)
    if given.reason == "HOLD_RESOLVED":
        outcome = State(given.fields.get("first_outcome", State.RELEASED))
        return Fate(outcome, given.fields.get("resolved_by", ""), given)
    raise Declined(given)


async def capture(
    vendor: Vendor, place: PlaceRow, code: str, points: int
) -> ledger_pb.CaptureHoldResponse:
    """Spend of an approval, and let the rest of it go. Raises Declined."""
    request = ledger_pb.CaptureHoldRequest(
        request_id=vendor.name("capture", code),
        origin=vendor.origin(place),
        hold_id=code,
        points=points,
        final=True,
    )
    return await vendor.ask(vendor.ledger.posts.CaptureHold, request)  # type: ignore[no-any-return]


async def release(vendor: Vendor, place: PlaceRow, code: str) -> None:
    """Give held points back. Raises Declined."""
    request = ledger_pb.ReleaseHoldRequest(
        request_id=vendor.name("release", code), origin=vendor.origin(place), hold_id=code
    )
    await vendor.ask(vendor.ledger.posts.ReleaseHold, request)


async def give_back(
    vendor: Vendor,
    place: PlaceRow,
    entry_id: str,
    points: int,
    key: str,
    *,
    validate_only: bool = False,
) -> ledger_pb.ReverseEntryResponse:
    """Take back a capture, or a part of it; points of 0 are all that is left. Raises Declined."""
    request = ledger_pb.ReverseEntryRequest(
        request_id=vendor.name("reverse", entry_id, points, key),
        validate_only=validate_only,
        origin=vendor.origin(place),
        entry_id=entry_id,
        points=points,
    )
    return await vendor.ask(vendor.ledger.posts.ReverseEntry, request)  # type: ignore[no-any-return]
