"""OPERA Cloud's APIs: the login, the headers it wants, and the calls that are made."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from adapters.frame import moments
from adapters.frame.adapter import Api, Connection, read_as
from adapters.frame.calls import expect_same, segment
from adapters.frame.oauth import Logins
from adapters.frame.words import Unreadable
from adapters.opera.bill import counts
from adapters.opera.calling import MEDIA, written
from adapters.opera.shapes import Bill, Folio, Posting, Profile, Reservation, Settings, Window

EVENTS_MAX: Final = 20
"""Most events that one call dequeues; OPERA allows no more."""
RESERVATIONS_MAX: Final = 100
POSTINGS_MAX: Final = 1000
"""Most postings of a folio that one call tells; without a limit OPERA tells few."""
PAGES_MAX: Final = 20
"""Of a folio window; an answer that always promises more is given up."""
_LOGINS: Final = Logins()


class Opera:
    """The calls of one connection."""

    def __init__(self, connection: Connection, api: Api) -> None:
        """Call through `api` with the connection's secrets."""
        self._connection = connection
        self._api = api
        self._settings: Settings = connection.mapping.settings

    async def events(self, hotel: str) -> Any:
        """Dequeue events of a hotel: what is returned is gone there."""
        system = self._settings.external_system
        path = f"/int/v1/externalSystem/{system}/hotels/{segment(hotel)}/businessEvents"
        return await self._get(hotel, path, {"limit": str(EVENTS_MAX)})

    async def departures(self, hotel: str, first: str, last: str, offset: int) -> Any:
        """List reservations by day of departure."""
        query = {
            "departureStartDate": first,
            "departureEndDate": last,
            "limit": str(RESERVATIONS_MAX),
            "offset": str(offset),
        }
        return await self._get(hotel, f"/rsv/v1/hotels/{segment(hotel)}/reservations", query)

    async def reservation(self, hotel: str, number: str) -> Reservation:
        """Return a reservation with its guests and memberships. Raises Unreadable: none."""
        path = f"/rsv/v1/hotels/{segment(hotel)}/reservations/{segment(number)}"
        told = await self._get(hotel, path, {"fetchInstructions": ["Reservation", "Memberships"]})
        found = reservations_of(told)
        if not found:
            raise Unreadable(f"OPERA knows no reservation {number} in {hotel}")
        reservation = read_as(Reservation, found[0])
        expect_same("hotel", hotel, reservation.hotelId)
        expect_same("reservation", number, reservation.number)
        return reservation

    async def bill(self, hotel: str, number: str) -> Bill:
        """Return the folio windows of a reservation with all their postings. Raises Unreadable."""
        at = f"/csh/v1/hotels/{segment(hotel)}/reservations/{segment(number)}/folios"
        told = await self._windows(hotel, at, {})
        windows = [
            await self._whole(hotel, at, window)
            if window.is_cut and counts(window.folioWindowNo, self._settings)
            else window
            for window in told
        ]
        return Bill(folioWindows=tuple(windows))

    async def _whole(self, hotel: str, at: str, window: Window) -> Window:
        """A window that was told in part, asked for alone."""
        found: list[Posting] = []
        number = window.folioWindowNo
        for _ in range(PAGES_MAX):
            query = {"folioWindowNo": str(number)} | ({"offset": str(len(found))} if found else {})
            told = await self._windows(hotel, at, query)
            same = [each for each in told if each.folioWindowNo == number]
            postings = [posting for each in same for posting in each.postings]
            found += postings
            if not (postings and any(each.hasMore for each in same)):
                break
        else:
            raise Unreadable(f"more than {len(found)} postings in folio window {number}")
        if not found:
            raise Unreadable(f"OPERA tells nothing of what was posted to folio window {number}")
        return window.model_copy(update={"folios": (Folio(postings=tuple(found)),)})

    async def _windows(self, hotel: str, at: str, query: Mapping[str, Any]) -> Sequence[Window]:
        wanted = {
            "fetchInstructions": ["Postings", "Windowbalances"],
            "limit": str(POSTINGS_MAX),
        }
        told = await self._get(hotel, at, wanted | dict(query))
        inside = (told or {}).get("reservationFolioInformation", told) or {}
        return read_as(Bill, inside).folioWindows

    async def profile(self, number: str, hotel: str) -> Profile | None:
        """Return what names the person of a profile; None: the profile is gone."""
        query = {"fetchInstructions": ["Communication", "Membership"]}
        told = await self._get(hotel, f"/crm/v1/profiles/{segment(number)}", query)
        if told is None:
            return None
        return read_as(Profile, told.get("profileDetails", told.get("profile", told)))

    async def memberships(self, profile: str, hotel: str) -> list[dict[str, Any]]:
        """Return the memberships of a profile, whole, as OPERA has them. Raises Unreadable."""
        path = f"/crm/v1/profiles/{segment(profile)}"
        told = await self._get(hotel, path, {"fetchInstructions": ["Membership"]}) or {}
        details = told.get("profileDetails", told.get("profile", told))
        listed = (details.get("profileMemberships") or {}).get("profileMembership") or []
        if not (isinstance(listed, list) and all(isinstance(each, dict) for each in listed)):
            raise Unreadable("profileMembership is no list of memberships")
        return listed

    async def change_membership(
        self, profile: str, hotel: str, kind: str, number: str, membership: Mapping[str, Any]
    ) -> Any:
        """Put a membership in the place of the one it was; None: OPERA has no such one."""
        place = "/".join(segment(each) for each in (kind, "membershipId", number))
        path = f"/crm/v1/profiles/{segment(profile)}/membershipType/{place}"
        body = {
            "profileIdList": [{"id": profile, "type": "Profile"}],
            "profileMemberships": [membership],
        }
        headers = {"content-type": MEDIA}
        return await self._call("PUT", hotel, path, content=written(body), headers=headers)

    async def _get(self, hotel: str, path: str, query: Mapping[str, Any]) -> Any:
        return await self._call("GET", hotel, path, params=dict(query))

    async def _call(
        self,
        method: str,
        hotel: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        **request: Any,
    ) -> Any:
        settings = self._settings
        login = {
            "Authorization": f"Bearer {await self._bearer()}",
            "x-app-key": self._connection.secret("app_key"),
            "x-hotelid": hotel,
            "x-externalsystem": settings.external_system,
            "x-request-id": sha256(f"{path} {moments.now()}".encode()).hexdigest()[:32],
        }
        url = settings.gateway + path
        return await self._api.json(method, url, headers=login | dict(headers or {}), **request)

    async def _bearer(self) -> str:
        settings, connection = self._settings, self._connection
        headers = {"x-app-key": connection.secret("app_key")}
        if settings.enterprise:
            headers["enterpriseId"] = settings.enterprise
        return await _LOGINS.bearer(
            self._api,
            f"{settings.gateway}/oauth/v1/tokens",
            connection.secret("client_id"),
            connection.secret("client_secret"),
            headers=headers,
            form={"scope": settings.login_scope} if settings.login_scope else None,
        )


def reservations_of(told: Any) -> list[Any]:
    """Return the reservations in an answer of either form. Raises Unreadable."""
    inside = told.get("reservations") if isinstance(told, dict) else None
    if isinstance(inside, dict):
        inside = inside.get("reservation", inside.get("reservationInfo"))
    if inside is None:
        return []
    if not isinstance(inside, list):
        raise Unreadable("reservations is no list")
    return inside


def has_more(told: Any) -> bool:
    """Whether an answer says that its list goes on: OPERA may tell fewer than it is asked for."""
    inside = told.get("reservations") if isinstance(told, dict) else None
    return isinstance(inside, dict) and inside.get("hasMore") is True
