"""Memberships: whether a number is one, what stands under it, new numbers and members."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final

from pydantic import Field
from starlette.responses import Response

from adapters.frame.adapter import read_as
from adapters.frame.fields import Sent, Word
from adapters.frame.posting import Refused
from adapters.frame.words import Unreadable
from adapters.opera.calling import Call, Declined, Vendor, answer, available, declined
from adapters.opera.shapes import Emails, Telephones, TypedId
from loyalty.v1 import account_service_pb2 as account_pb
from loyalty.v1 import member_service_pb2 as member_pb
from loyalty.v1.types_pb2 import Identity, MemberRef

NUMBER_DIGITS: Final = 11
NUMBERS_MAX: Final = 8
"""How many numbers are tried when the first is somebody's already."""


class Code(Sent):
    """A code with a description."""

    code: Word = ""


class EnrollmentInfo(Sent):
    """Who is to become a member."""

    profileId: TypedId | None = None
    emails: Emails | None = None
    telephones: Telephones | None = None
    enrollmentCode: Code | None = None
    hotelId: Annotated[Word, Field(max_length=20)] = ""


class Enrollment(Sent):
    """The body of an enrolment."""

    enrollmentInfo: EnrollmentInfo


async def validated(vendor: Vendor, call: Call) -> Response:
    """Say whether a number is a membership. Nobody's is no error: 204, as OPERA expects."""
    number, kind = call.query.get("membershipNo", ""), call.query.get("membershipType", "")
    if not number:
        raise Unreadable("membershipNo is missing")
    try:
        account = await vendor.account(vendor.member(number, kind))
    except Declined as error:
        if error.status == 404:
            return Response(status_code=204)
        raise
    said = {
        "valid": True,
        "membershipNo": number,
        "membershipType": kind,
        "membershipLevel": vendor.settings.level(account.tier),
    }
    return answer({"membershipInfo": said, "links": []})


async def told(vendor: Vendor, call: Call) -> Response:
    """Tell points, nights, stays and tier of a member."""
    member = _meant(vendor, call)
    account = await vendor.account(member)
    tier = await vendor.ask(
        vendor.ledger.accounts.GetTier, account_pb.GetTierRequest(member=member)
    )
    currency = vendor.settings.awards or next(
        (row.currency for row in vendor.settings.redemptions), ""
    )
    scale = 10 ** await vendor.scale(currency) if currency else 1
    points = available(account, currency) // scale
    counted = _counted([*tier.keep, *tier.reach])
    details: dict[str, Any] = {
        "membershipLevel": vendor.settings.level(account.tier),
        "totalAwardPoints": points,
    }
    for metric, name in (("nights", "Nights"), ("stays", "Stay")):
        if metric in counted:
            details[f"guestTotal{name}"] = counted[metric]
            details[f"tierBase{name}"] = counted[metric]
    if "qualifying_points" in counted:
        details["tierBaseRevenue"] = counted["qualifying_points"]
    info: dict[str, Any] = {"memberInfoDetails": details, "pointsAvailable": points}
    missing = _missing(tier.reach)
    if missing is not None:
        info["nextTierPoints"] = missing
    return answer({"memberInfo": info, "links": []})


def _meant(vendor: Vendor, call: Call) -> MemberRef:
    """Who is asked for: by number where one is given, else by the id in the address."""
    number = call.query.get("membershipId", "")
    if number:
        return vendor.member(number, call.query.get("membershipType", ""))
    for profile in (call.query.get("operaProfileId", ""), call.path["profile"]):
        identity = vendor.profile(profile)
        if identity is not None:
            return MemberRef(identity=identity)
    raise Unreadable("membershipId is missing, and the mapping has no identity of kind profile")


def _counted(needs: Iterable[account_pb.TierNeeds]) -> Mapping[str, int]:
    """What a member has counted towards tiers, by metric."""
    found: dict[str, int] = {}
    for need in (each for row in needs for each in row.needs):
        found[need.metric] = max(found.get(need.metric, 0), need.have)
    return found


def _missing(reach: Iterable[account_pb.TierNeeds]) -> int | None:
    """Qualifying points to the next tier, where points alone reach it."""
    points = [
        row.needs[0].missing
        for row in reach
        if len(row.needs) == 1 and row.needs[0].metric == "qualifying_points"
    ]
    return min(points, default=None)


async def enrolled(vendor: Vendor, call: Call) -> Response:
    """Make a guest a member, with a new number; the number there is for who is one already."""
    info = read_as(Enrollment, call.body).enrollmentInfo
    kind = info.enrollmentCode.code if info.enrollmentCode is not None else ""
    number = await _enrol(vendor, info, kind, call.key)
    membership = {"membershipId": number, "membershipType": kind}
    raw = call.body["enrollmentInfo"]
    body = {
        "enrollmentInfo": {**raw, "profileMemberships": {"profileMembership": [membership]}},
        "links": [],
    }
    return answer(body, 201, _address(call, kind, number))


async def numbered(vendor: Vendor, call: Call) -> Response:
    """Give out a new membership number, which is a member's from then on."""
    kind = call.path["type"]
    raw = call.body.get("enrollmentInfo", call.body)
    info = read_as(EnrollmentInfo, raw)
    number = await _enrol(vendor, info, kind, call.key)
    link = {"rel": "self", "href": _address(call, kind, number), "method": "GET"}
    said = {"membershipId": number, "membershipType": kind}
    return answer({"membershipNumber": said, "links": [link]}, 201, link["href"])


def _address(call: Call, kind: str, number: str) -> str:
    system = call.path["system"]
    return f"/crm/v1/externalSystems/{system}/memberships/{kind or '-'}/membershipIDs/{number}"


async def _enrol(vendor: Vendor, info: EnrollmentInfo, kind: str, key: str) -> str:
    """Enrol under the first number that nobody else has. Raises Declined."""
    profile = info.profileId.id if info.profileId is not None else ""
    seed = profile or key
    if not seed:
        raise Unreadable("profileId is missing, and there is no x-request-id")
    known = {"profile": profile, "email": _email(info), "phone": _phone(info)}
    others = vendor.mapping.members(known)
    for attempt in range(NUMBERS_MAX):
        number = _number(vendor, kind, seed, attempt)
        card = vendor.member(number, kind).identity
        request = member_pb.EnrolMemberRequest(
            request_id=vendor.name("enrol", kind, number, seed),
            origin=vendor.origin(vendor.place(info.hotelId)),
            identities=[card, *others],
        )
        given = await vendor.ledger.call(vendor.ledger.members.EnrolMember, request)
        if not isinstance(given, Refused):
            return number
        if await _is_same(vendor, card, profile):
            return number
        if given.reason not in ("ALREADY_ENROLLED", "IDENTITY_TAKEN") or not await _taken(
            vendor, card
        ):
            raise Declined(given)
    raise declined("NO_NUMBER", "no membership number is free for this profile")


async def _is_same(vendor: Vendor, card: Identity, profile: str) -> bool:
    """Whether the number is this very profile's already: it was enrolled by an earlier call."""
    identity = vendor.profile(profile) if profile else None
    if identity is None:
        return False
    member = await vendor.ledger.member_id(card)
    return bool(member) and member == await vendor.ledger.member_id(identity)


async def _taken(vendor: Vendor, card: Identity) -> bool:
    return bool(await vendor.ledger.member_id(card))


def _email(info: EnrollmentInfo) -> str:
    rows = info.emails.emailInfo if info.emails is not None else ()
    return next((row.email.emailAddress for row in rows if row.email), "")


def _phone(info: EnrollmentInfo) -> str:
    rows = info.telephones.telephoneInfo if info.telephones is not None else ()
    return next((row.telephone.phoneNumber for row in rows if row.telephone), "")


def _number(vendor: Vendor, kind: str, seed: str, attempt: int) -> str:
    """Return a number that follows from whose it is, with a check digit (Luhn) at its end."""
    digest = int(vendor.name("number", kind, seed, attempt), 16)
    digits = f"{digest % 10**NUMBER_DIGITS:0{NUMBER_DIGITS}d}"
    total = 0
    for place, digit in enumerate(map(int, reversed(digits))):
        doubled = digit * 2 if place % 2 == 0 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return f"{digits}{-total % 10}"
