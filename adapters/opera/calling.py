"""A call of OPERA's while it is answered: who is meant, where, under which ids, what a no means."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from typing import Any, Final

from starlette.responses import Response

from adapters.frame import moments
from adapters.frame.adapter import Connection
from adapters.frame.mapping import MappingFile, PlaceRow
from adapters.frame.moments import SECOND
from adapters.frame.money import exponent
from adapters.frame.posting import Ledger, Refused
from adapters.opera.shapes import Settings
from loyalty.v1 import account_service_pb2 as account_pb
from loyalty.v1 import programme_service_pb2 as programme_pb
from loyalty.v1.types_pb2 import Identity, MemberRef, Origin

MEDIA: Final = "application/json;charset=UTF-8"
NOT_FOUND: Final = frozenset({"UNKNOWN_MEMBER", "UNKNOWN_HOLD", "UNKNOWN_ENTRY"})
LATER: Final = frozenset({"NOT_SERVING", "QUEUE_FULL", "DEADLINE_PASSED", "UNAUTHENTICATED"})
PROGRAMME_SECONDS: Final = 60
KEY_LENGTH: Final = 200
_NUMBER: Final = re.compile(r'"\\u0000(-?[0-9.]+)\\u0000"')


class Declined(Exception):
    """A call is refused: what OPERA shows to whoever asked."""

    def __init__(self, refused: Refused, status: int = 0) -> None:
        """Refuse with the ledger's reason; a status of 0 follows from it."""
        super().__init__(refused.message)
        self.refused = refused
        reason = refused.reason
        found = 404 if reason in NOT_FOUND else 503 if reason in LATER else 400
        self.status = status or found


def declined(reason: str, message: str, status: int = 400) -> Declined:
    """Return a refusal of our own."""
    return Declined(Refused(reason, message), status)


def problem(refused: Refused, status: int) -> Response:
    """Return a refusal as OPERA reads it: its exceptionDetailType."""
    body = {
        "type": f"urn:loyalty:refusal:{refused.reason.casefold() or 'unknown'}",
        "title": refused.message or refused.reason,
        "status": status,
        "detail": refused.message,
        "o:errorCode": refused.reason,
    }
    return answer(body, status)


def exact(number: Decimal) -> str:
    """Return a number as `written` writes it: with all its digits, and not as a text."""
    return f"\0{number:f}\0"


def written(body: Mapping[str, Any]) -> str:
    """Return JSON in which decimal numbers have all their digits."""
    return _NUMBER.sub(r"\1", json.dumps(body, ensure_ascii=True, default=exact))


def answer(body: Mapping[str, Any], status: int = 200, location: str = "") -> Response:
    """Return an answer in JSON."""
    headers = {"Location": location} if location else None
    return Response(written(body), status, headers, media_type=MEDIA)


@dataclass(frozen=True, slots=True)
class Call:
    """What OPERA sent."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Mapping[str, Any]
    key: str
    """What is the same when OPERA sends the call again: its x-request-id or x-transactionId."""


class Vendor:
    """The programme as OPERA calls it, for one connection."""

    def __init__(self, connection: Connection, ledger: Ledger) -> None:
        """Answer for a connection with what the ledger says."""
        self.connection = connection
        self.ledger = ledger
        self.mapping: MappingFile = connection.mapping
        self.settings: Settings = connection.mapping.settings
        self._programme: programme_pb.GetProgrammeResponse | None = None
        self._programme_until = 0

    async def ask(self, method: Any, request: Any) -> Any:
        """Call the ledger. Raises Declined, RetryLater."""
        given = await self.ledger.call(method, request)
        if isinstance(given, Refused):
            raise Declined(given)
        return given

    def name(self, *parts: object) -> str:
        """Return a request id that follows from what is asked for, so that it counts once."""
        text = "\0".join([self.connection.name, *map(str, parts)])
        return sha256(text.encode()).hexdigest()

    def place(self, hotel: str) -> PlaceRow:
        """Return the place of a hotel, or of the chain where none is named. Raises Parked."""
        return self.mapping.place(f"hotel/{hotel}") if hotel else self.mapping.place("chain")

    def origin(self, place: PlaceRow) -> Origin:
        """Return the origin of a call."""
        origin = self.mapping.origin(place)
        adapter = self.connection.adapter
        origin.client_software = f"{adapter.name}/{adapter.version} vendor"
        return origin

    def member(self, number: str, kind: str = "") -> MemberRef:
        """Return who has a membership number. Raises Declined: the mapping knows no such number."""
        known = {"membership": number} | ({f"membership/{kind}": number} if kind else {})
        found = self.mapping.members(known)
        if not found:
            raise declined(
                "UNKNOWN_MEMBER",
                f"no identity of the mapping fits membership {number[:40]!r} of type {kind[:20]!r}",
                404,
            )
        return MemberRef(identity=found[0])

    def profile(self, number: str) -> Identity | None:
        """Return the identity of an OPERA profile, where the mapping has one."""
        return next(iter(self.mapping.members({"profile": number})), None)

    async def account(self, member: MemberRef) -> account_pb.Account:
        """Return an account. Raises Declined."""
        request = account_pb.GetAccountRequest(member=member)
        given = await self.ask(self.ledger.accounts.GetAccount, request)
        return given.account  # type: ignore[no-any-return]

    async def programme(self) -> programme_pb.GetProgrammeResponse:
        """Return what the programme's numbers mean, at most a minute old."""
        if self._programme is None or self._programme_until < moments.now():
            request = programme_pb.GetProgrammeRequest()
            self._programme = await self.ask(self.ledger.programme.GetProgramme, request)
            self._programme_until = moments.now() + PROGRAMME_SECONDS * SECOND
        return self._programme

    async def scale(self, currency: str) -> int:
        """Return the decimal places of a point currency. Raises Declined: there is none such."""
        for row in (await self.programme()).currencies:
            if row.currency == currency:
                return int(row.scale)
        raise declined("UNKNOWN_CURRENCY", f"the policy has no point currency {currency!r}")

    async def point_value(self, place: PlaceRow) -> tuple[Fraction, str]:
        """Return what a point is worth in a hotel, in minor units, and its money.

        Raises:
            Declined: the policy does not say.
        """
        for unit in (await self.programme()).business_units:
            if unit.business_unit == place.business_unit and unit.point_value:
                value, _, money = unit.point_value.partition(" ")
                return Fraction(Decimal(value).scaleb(exponent(money))), money
        message = f"the policy gives points no value in {place.business_unit!r}"
        raise declined("NO_POINT_VALUE", message)


def available(account: account_pb.Account, currency: str) -> int:
    """Return spendable points, in the smallest unit."""
    return sum(row.available for row in account.balances if row.currency == currency)
