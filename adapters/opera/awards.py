"""Awards: points for a stay, spent when OPERA redeems one and given back when it cancels one."""

from typing import Annotated, Final

from pydantic import Field
from starlette.responses import Response

from adapters.frame.adapter import read_as
from adapters.frame.fields import Amount, Sent, Word
from adapters.frame.mapping import PlaceRow
from adapters.frame.money import whole
from adapters.frame.posting import Refused
from adapters.frame.words import Unreadable
from adapters.opera.calling import Call, Declined, Vendor, answer, available, declined
from adapters.opera.holding import (
    SEQUENCE_MAX,
    State,
    Wanted,
    approval,
    capture,
    fate_of,
    give_back,
)
from adapters.opera.shapes import Typed, id_of
from loyalty.v1 import ledger_service_pb2 as ledger_pb
from loyalty.v1.types_pb2 import Points

OVER: Final = frozenset({"MORE_THAN_LEFT", "NOT_REVERSIBLE", "FEE_NOT_REVERSIBLE"})


class MemberAward(Sent):
    """An award of a membership for a reservation."""

    membershipType: Word = ""
    membershipCardNo: Annotated[str, Field(min_length=1, max_length=50)]
    reservationIdList: Typed = ()
    awardPoints: Amount | None = None
    cancelPointsReturn: Amount | None = None
    awardProcessType: Word = ""
    hotelId: Word = ""

    @property
    def reservation(self) -> str:
        """Number of the reservation; empty when none is named."""
        return id_of(self.reservationIdList, "Reservation") or next(
            (each.id for each in self.reservationIdList), ""
        )


class Award(Sent):
    """The body of the call."""

    memberAward: MemberAward


async def redeemed(vendor: Vendor, call: Call) -> Response:
    """Spend an award's points, tell what it would take, or give its points back."""
    told = read_as(Award, call.body).memberAward
    currency = vendor.settings.awards
    if not currency:
        raise declined("AWARDS_NOT_SERVED", "this connection redeems no awards")
    if not (told.reservation or call.key):
        raise Unreadable("an award needs reservationIdList, or an x-request-id")
    scale = await vendor.scale(currency)
    place = vendor.place(told.hotelId)
    member = vendor.member(told.membershipCardNo, told.membershipType)
    back = _points(told.cancelPointsReturn, scale, "cancelPointsReturn")
    points = _points(told.awardPoints, scale, "awardPoints")
    seed = f"award\0{told.membershipCardNo}\0{told.reservation or call.key}"
    process = told.awardProcessType.casefold()
    if back > 0 or process == "inactive":
        posting = await _cancelled(vendor, place, seed, back or points, call.key)
        after = _after(posting, currency)
        before = after - _returned(posting)
        said = {"actualCancelPoints": _returned(posting) // 10**scale}
    elif points <= 0:
        raise Unreadable("awardPoints has to be more than 0, or cancelPointsReturn")
    elif process == "projected":
        before = available(await vendor.account(member), currency)
        after, said = before - points, {}
    else:
        amount = Points(currency=currency, amount=points)
        posting = await _spent(vendor, Wanted(place, member, amount, seed, call.key))
        after, said = _after(posting, currency), {}
        before = after + points
    counted = {
        "memberPointsBefore": before // 10**scale,
        "memberPointsAfter": after // 10**scale,
    }
    raw = call.body["memberAward"]
    return answer({"memberAward": {**raw, **counted, **said}, "links": []})


def _points(amount: str | None, scale: int, what: str) -> int:
    points = whole(amount or "0", what)
    if points < 0:
        raise Unreadable(f"{what} is {amount}, expected 0 or more")
    return int(points * 10**scale)


def _after(posting: ledger_pb.Posting, currency: str) -> int:
    return int(sum(row.available for row in posting.balances if row.currency == currency))


def _returned(posting: ledger_pb.Posting) -> int:
    return int(sum(move.points for move in posting.movements if move.kind == "burn_reversed"))


async def _spent(vendor: Vendor, wanted: Wanted) -> ledger_pb.Posting:
    """Hold and spend under one approval; the first answer for a call that is sent again."""
    assert isinstance(wanted.amount, Points)
    points = wanted.amount.amount
    for number in range(SEQUENCE_MAX):
        code = approval(vendor, wanted.seed, number)
        request = ledger_pb.HoldPointsRequest(
            request_id=vendor.name("award", code, points, wanted.key),
            origin=vendor.origin(wanted.place),
            member=wanted.member,
            hold_id=code,
            points=wanted.amount,
        )
        held = await vendor.ledger.call(vendor.ledger.posts.HoldPoints, request)
        if isinstance(held, Refused):
            if held.reason == "HOLD_EXISTS":
                continue
            raise Declined(held)
        if held.posting.outcome != ledger_pb.OUTCOME_REPLAYED or await _stands(
            vendor, wanted, code, points
        ):
            return (await capture(vendor, wanted.place, code, points)).posting
    raise declined("LIMIT_REACHED", "too many awards for one reservation")


async def _stands(vendor: Vendor, wanted: Wanted, code: str, points: int) -> bool:
    """Whether this approval answers the call; a cancelled one only its own call."""
    fate = await fate_of(vendor, wanted.place, code)
    if fate.state is not State.CAPTURED:
        return fate.state is State.OPEN
    if wanted.key:
        return True
    try:
        await give_back(vendor, wanted.place, fate.entry_id, points, "asked", validate_only=True)
    except Declined as error:
        if error.refused.reason in OVER:
            return False
        raise
    return True


async def _cancelled(
    vendor: Vendor, place: PlaceRow, seed: str, points: int, key: str
) -> ledger_pb.Posting:
    """Give back points of the newest award of a reservation that has so many left."""
    entries: list[str] = []
    for number in range(SEQUENCE_MAX):
        fate = await fate_of(vendor, place, approval(vendor, seed, number))
        if fate.state is State.NEVER:
            break
        entries += [fate.entry_id] if fate.state is State.CAPTURED else []
    last = declined("UNKNOWN_ENTRY", "no award was redeemed for this reservation", 404)
    for entry_id in reversed(entries):
        try:
            return (await give_back(vendor, place, entry_id, points, key)).posting
        except Declined as error:
            if error.refused.reason not in OVER:
                raise
            last = error
    raise last
