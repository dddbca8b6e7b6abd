"""Complimentary redemptions: what a guest's points are worth, set aside, spent, given back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil, floor
from typing import Annotated, Any, Final

from pydantic import Field
from starlette.responses import Response

from adapters.frame.adapter import read_as
from adapters.frame.fields import Sent, Word
from adapters.frame.mapping import PlaceRow
from adapters.frame.money import exponent, minor_units, scaled, whole
from adapters.frame.words import Unreadable
from adapters.opera.calling import Call, Declined, Vendor, answer, available, declined, exact
from adapters.opera.holding import State, Wanted, capture, fate_of, give_back, hold, release
from adapters.opera.shapes import Money as Amount
from adapters.opera.shapes import Redemption
from loyalty.v1.types_pb2 import MemberRef, Money, Points

REDEMPTIONS_MAX: Final = 50


class Asked(Sent):
    """A redemption in a call."""

    code: Annotated[str, Field(min_length=1, max_length=20)]
    amount: Amount | None = None
    approvalCode: Word = ""


class AskedFor(Sent):
    """The body of every call about redemptions."""

    compRedemptions: Annotated[tuple[Asked, ...], Field(min_length=1, max_length=REDEMPTIONS_MAX)]


@dataclass(frozen=True, slots=True)
class Desk:
    """Where, for whom and what is asked."""

    vendor: Vendor
    place: PlaceRow
    number: str
    member: MemberRef
    asked: Sequence[Asked]
    key: str

    def row(self, asked: Asked) -> Redemption:
        """Return the row of a redemption code. Raises Declined."""
        row = self.vendor.settings.redemption(asked.code)
        if row is None:
            raise declined("UNKNOWN_REDEMPTION", f"redemption code {asked.code!r} is not mapped")
        return row

    async def amount(self, asked: Asked) -> Points | Money:
        """Return what a redemption asks for. Raises Declined, Unreadable, Parked."""
        row, given = self.row(asked), asked.amount
        if given is None:
            raise Unreadable(f"redemption {asked.code}: amount is missing")
        what = f"the amount of redemption {asked.code}"
        made: Points | Money
        if row.amounts == "points":
            scale = await self.vendor.scale(row.currency)
            points = whole(scaled(Decimal(given.amount), scale), what)
            made = Points(currency=row.currency, amount=points)
            size = points
        else:
            code = given.currencyCode or self.place.currencies[0]
            currency = self.vendor.mapping.currency(self.place, code)
            size = minor_units(given.amount, currency, what)
            made = Money(currency_code=currency, minor_units=size)
        if size <= 0:
            raise Unreadable(f"{what} is {given.amount}, expected more than 0")
        return made

    async def points(self, asked: Asked) -> int:
        """Return how many points a redemption takes, rounded up as the ledger does."""
        amount = await self.amount(asked)
        if isinstance(amount, Points):
            return int(amount.amount)
        value, money = await self.vendor.point_value(self.place)
        if money != amount.currency_code:
            raise declined("FOREIGN_CURRENCY", f"points have a value in {money} here")
        scale = await self.vendor.scale(self.row(asked).currency)
        # Whole points, counted in the smallest unit.
        points: int = ceil(amount.minor_units / value)
        return int(points * 10**scale)


def _desk(vendor: Vendor, call: Call, asked: Sequence[Asked] = ()) -> Desk:
    number = call.path["membership"]
    place = vendor.place(call.path["hotel"])
    return Desk(vendor, place, number, vendor.member(number), asked, call.key)


def _asked(call: Call) -> Sequence[Asked]:
    return read_as(AskedFor, call.body).compRedemptions


async def listed(vendor: Vendor, call: Call) -> Response:
    """Tell what each redemption code is good for now."""
    desk = _desk(vendor, call)
    account = await vendor.account(desk.member)
    rows = [
        {
            "code": row.code,
            "description": row.description,
            "availableAmount": await _worth(desk, row, available(account, row.currency)),
        }
        for row in vendor.settings.redemptions
    ]
    return answer({"compRedemptions": rows}) if rows else Response(status_code=204)


async def _worth(desk: Desk, row: Redemption, points: int) -> Mapping[str, Any]:
    scale = await desk.vendor.scale(row.currency)
    if row.amounts == "points":
        return {"amount": exact(Decimal(max(points, 0)).scaleb(-scale))}
    value, money = await desk.vendor.point_value(desk.place)
    minor = floor(max(points, 0) // 10**scale * value)
    return {"amount": exact(Decimal(minor).scaleb(-exponent(money))), "currencyCode": money}


async def authorised(vendor: Vendor, call: Call) -> Response:
    """Set points aside for each redemption: for all of them, or for none."""
    desk = _desk(vendor, call, _asked(call))
    held = await _held(desk)
    return answer({"compRedemptions": held})


async def _held(desk: Desk) -> list[dict[str, str]]:
    held: list[dict[str, str]] = []
    new: list[str] = []
    wanted = [await _wanted(desk, number, asked) for number, asked in enumerate(desk.asked)]
    try:
        for asked, each in zip(desk.asked, wanted, strict=True):
            code, is_new = await hold(desk.vendor, each)
            new += [code] if is_new else []
            held.append({"code": asked.code, "approvalCode": code})
    except Declined:
        for code in new:
            await release(desk.vendor, desk.place, code)
        raise
    return held


async def _wanted(desk: Desk, number: int, asked: Asked) -> Wanted:
    amount = await desk.amount(asked)
    said = amount.SerializeToString(deterministic=True).hex()
    seed = f"comp\0{desk.place.code}\0{desk.number}\0{number}\0{asked.code}\0{said}"
    return Wanted(desk.place, desk.member, amount, seed, desk.key)


async def posted(vendor: Vendor, call: Call) -> Response:
    """Spend what was approved. What is posted without approval is approved first."""
    desk = _desk(vendor, call, _asked(call))
    if not desk.key and not all(asked.approvalCode for asked in desk.asked):
        raise Unreadable(
            "a posting needs the approvalCode of its authorisation, or an x-request-id"
        )
    prices = [await desk.points(asked) for asked in desk.asked]
    approved = [asked.approvalCode for asked in desk.asked]
    if not all(approved):
        bare = [asked for asked in desk.asked if not asked.approvalCode]
        fresh = iter(
            await _held(Desk(vendor, desk.place, desk.number, desk.member, bare, desk.key))
        )
        approved = [code or next(fresh)["approvalCode"] for code in approved]
    fates = [await fate_of(vendor, desk.place, code) for code in approved]
    for fate in fates:
        if fate.refused is not None and fate.state is not State.CAPTURED:
            raise Declined(fate.refused)
    done = []
    for asked, code, price, fate in zip(desk.asked, approved, prices, fates, strict=True):
        if fate.state is State.OPEN:
            await capture(vendor, desk.place, code, price)
        done.append({"code": asked.code, "approvalCode": code})
    return answer({"compRedemptions": done})


async def reversed_(vendor: Vendor, call: Call) -> Response:
    """Give back what was set aside or spent under approval codes; once, however often told."""
    desk = _desk(vendor, call, _asked(call))
    for asked in desk.asked:
        if not asked.approvalCode:
            raise Unreadable(f"redemption {asked.code}: approvalCode is missing")
    for asked in desk.asked:
        fate = await fate_of(vendor, desk.place, asked.approvalCode)
        if fate.state is State.OPEN:
            await release(vendor, desk.place, asked.approvalCode)
        elif fate.state is State.CAPTURED:
            points = 0 if asked.amount is None else await desk.points(asked)
            await give_back(vendor, desk.place, fate.entry_id, points, desk.key)
        elif fate.state is State.NEVER and fate.refused is not None:
            raise Declined(fate.refused)
    return answer({"links": []}, 201)
