"""The interface that OPERA calls: memberships, awards and complimentary redemptions."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.adapters import operas
from tests.adapters.rig import Rig, rig
from tests.server import requests
from tests.server.served import Caller, Served

pytestmark = pytest.mark.database
MEMBER_INFO = {
    *("guestTotalNights", "guestTotalStay", "tierBaseNights", "tierBaseRevenue", "tierBaseStay"),
    *("tierBonusNights", "tierBonusRevenue", "tierBonusStay"),
    *("membershipTotalNights", "membershipTotalStay"),
    *("awardBasePoints", "awardBonusPoints", "awardMiscPoints", "totalAwardPoints"),
}
"""Fields of Oracle's memberInfoDetails."""
CSH = "/systems/opera/csh/v1/hotels/HOTEL1/memberships/8800/compRedemption"
CRM = "/systems/opera/crm/v1/externalSystems/LOYALTY"


@asynccontextmanager
async def desk(
    served: Served, caller: Caller, folder: Path, login: str = "token", points: int = 1000
) -> AsyncIterator[Rig]:
    """A hotel whose guest with card 8800 has points."""
    sale = requests.sale(cents=(points - 100) * 100)  # and a hundred for the first one
    await caller.ledger.PostDocument(sale)
    mapping = operas.mapping(vendor_login=login)
    async with rig(served, caller, folder, mapping, operas.SECRETS) as at:
        at.http.headers["authorization"] = "Bearer a-token"
        yield at


def comp(code: str = "PTS", amount: Any = 2.5, **more: Any) -> dict[str, Any]:
    money = {"amount": amount, "currencyCode": "EUR"}
    return {"compRedemptions": [{"code": code, "amount": money, **more}]}


def approval(response: httpx.Response) -> str:
    assert response.status_code == 200, response.text
    code = response.json()["compRedemptions"][0]["approvalCode"]
    assert 0 < len(code) <= 20
    return str(code)


async def test_points_are_held_spent_and_given_back_once_each(
    served: Served, caller: Caller, tmp_path: Path
) -> None:
    async with desk(served, caller, tmp_path) as at:
        listed = (await at.http.get(f"{CSH}s")).json()["compRedemptions"]
        assert [each["availableAmount"]["amount"] for each in listed] == [10.0, 1000]
        headers = {"x-request-id": "call-1"}
        codes = {
            approval(
                await at.http.put(f"{CSH}Authorizations", json=comp(amount=2.5), headers=headers)
            )
            for _ in range(2)
        }
        (code,) = codes
        assert await at.points("card", "8800") == 750
        for _ in range(2):
            done = await at.http.post(f"{CSH}Postings", json=comp(amount=2, approvalCode=code))
            assert approval(done) == code
        assert await at.points("card", "8800") == 800, "what is not posted of an approval goes back"
        for _ in range(2):
            back = await at.http.post(f"{CSH}Reversals", json=comp(amount=2, approvalCode=code))
            assert back.status_code == 201, back.text
        assert await at.points("card", "8800") == 1000


async def test_an_equal_call_without_an_id_is_the_same_while_its_points_are_held(
    served: Served, caller: Caller, tmp_path: Path
) -> None:
    async with desk(served, caller, tmp_path) as at:
        first = approval(await at.http.put(f"{CSH}Authorizations", json=comp()))
        assert approval(await at.http.put(f"{CSH}Authorizations", json=comp())) == first
        assert await at.points("card", "8800") == 750
        await at.http.post(f"{CSH}Postings", json=comp(approvalCode=first))
        second = approval(await at.http.put(f"{CSH}Authorizations", json=comp()))
        assert second != first
        assert await at.points("card", "8800") == 500
        released = await at.http.post(f"{CSH}Reversals", json=comp(approvalCode=second))
        assert released.status_code == 201
        assert await at.points("card", "8800") == 750
        gone = await at.http.post(f"{CSH}Postings", json=comp(approvalCode=second))
        assert (gone.status_code, gone.json()["o:errorCode"]) == (400, "HOLD_RESOLVED")


async def test_of_several_redemptions_all_are_approved_or_none(
    served: Served, caller: Caller, tmp_path: Path
) -> None:
    async with desk(served, caller, tmp_path) as at:
        both = {
            "compRedemptions": [
                *comp("PTS", 3)["compRedemptions"],
                *comp("RAW", 900)["compRedemptions"],
            ]
        }
        headers = {"x-request-id": "call-1"}
        refused = await at.http.put(f"{CSH}Authorizations", json=both, headers=headers)
        assert (refused.status_code, refused.json()["o:errorCode"]) == (400, "INSUFFICIENT_POINTS")
        assert refused.json()["title"]
        assert await at.points("card", "8800") == 1000
        await caller.ledger.PostDocument(requests.sale("r-2", document_id="T-2", cents=500_00))
        before = await at.points("card", "8800")
        again = await at.http.put(f"{CSH}Authorizations", json=both, headers=headers)
        code = approval(again)
        assert await at.points("card", "8800") == before - 1200
        spent = await at.http.post(f"{CSH}Postings", json=comp("PTS", 3, approvalCode=code))
        assert spent.status_code == 200, spent.text


@pytest.mark.parametrize(
    ("told", "status", "reason"),
    [
        (comp("NONE"), 400, "UNKNOWN_REDEMPTION"),
        (comp(amount=0), 400, "MALFORMED"),
        (comp(amount=2.505), 400, "MALFORMED"),
        (comp(amount=True), 400, "MALFORMED"),
        ({"compRedemptions": []}, 400, "MALFORMED"),
        ([], 400, "MALFORMED"),
    ],
)
async def test_what_cannot_be_approved_is_refused_with_its_reason(
    served: Served, caller: Caller, tmp_path: Path, told: Any, status: int, reason: str
) -> None:
    async with desk(served, caller, tmp_path) as at:
        refused = await at.http.put(f"{CSH}Authorizations", json=told)
        assert (refused.status_code, refused.json()["o:errorCode"]) == (status, reason)
        unknown = CSH.replace("8800", "nobody")
        refused = await at.http.put(f"{unknown}Authorizations", json=comp())
        assert (refused.status_code, refused.json()["o:errorCode"]) == (404, "UNKNOWN_MEMBER")
        refused = await at.http.post(f"{CSH}Postings", json=comp(approvalCode="NEVERGIVEN"))
        assert (refused.status_code, refused.json()["o:errorCode"]) == (404, "UNKNOWN_HOLD")
        assert await at.points("card", "8800") == 1000


def award(**changes: Any) -> dict[str, Any]:
    return {
        "memberAward": {
            "membershipType": "GH",
            "membershipCardNo": "8800",
            "reservationIdList": [{"id": "571062", "type": "Reservation"}],
            "awardPoints": 400,
            "awardProcessType": "Actual",
            "hotelId": "HOTEL1",
            **changes,
        }
    }


async def test_an_award_is_redeemed_and_cancelled_once_and_tells_the_points(
    served: Served, caller: Caller, tmp_path: Path
) -> None:
    async with desk(served, caller, tmp_path) as at:
        path = f"{CRM}/profiles/687128/profileAwards"

        async def told(**changes: Any) -> tuple[int, int]:
            key = changes.pop("key", "")
            headers = {"x-transactionId": key} if key else {}
            response = await at.http.put(path, json=award(**changes), headers=headers)
            assert response.status_code == 200, response.text
            said = response.json()["memberAward"]
            return said["memberPointsBefore"], said["memberPointsAfter"]

        assert await told(awardProcessType="Projected") == (1000, 600)
        assert await told() == (1000, 600)
        assert await told() == (1000, 600)
        assert await at.points("card", "8800") == 600
        back = {"awardPoints": None, "cancelPointsReturn": 400}
        assert await told(**back) == (600, 1000)
        assert await told(**back) == (600, 1000)
        assert await at.points("card", "8800") == 1000
        assert await told() == (1000, 600), "an award after its cancel is another one"
        assert await told(key="t-9") == (600, 200), "another call is another award"
        assert await told(key="t-9") == (600, 200)
        assert await at.points("card", "8800") == 200
        refused = await at.http.put(path, json=award(awardPoints=900))
        assert (refused.status_code, refused.json()["o:errorCode"]) == (400, "INSUFFICIENT_POINTS")


async def test_a_number_is_validated_and_what_stands_under_it_is_told(
    served: Served, caller: Caller, tmp_path: Path
) -> None:
    async with desk(served, caller, tmp_path) as at:
        path = f"{CRM}/chains/CHAIN/validateMembershipNumber"
        query = {"membershipNo": "8800", "membershipType": "GH"}
        found = await at.http.get(path, params=query)
        assert (found.status_code, found.json()["membershipInfo"]["valid"]) == (200, True)
        nobody = await at.http.get(path, params=query | {"membershipNo": "1"})
        assert (nobody.status_code, nobody.content) == (204, b"")
        assert (await at.http.get(path)).status_code == 400
        query = {"membershipId": "8800", "membershipType": "GH"}
        told = await at.http.get(f"{CRM}/profiles/687128/memberships", params=query)
        info = told.json()["memberInfo"]
        assert info["pointsAvailable"] == 1000
        details = info["memberInfoDetails"]
        assert details.pop("membershipLevel"), "the one field that Oracle's document has not"
        assert details["totalAwardPoints"] == 1000
        assert set(details) <= MEMBER_INFO
        assert info["nextTierPoints"] > 0


async def test_a_guest_is_enrolled_once_and_gets_one_number(
    served: Served, caller: Caller, tmp_path: Path
) -> None:
    async with desk(served, caller, tmp_path) as at:
        mail = {"emailInfo": [{"email": {"emailAddress": "Anna@Example.com"}}]}
        guest = {
            "enrollmentInfo": {
                "profileId": {"id": "687128", "type": "Profile"},
                "emails": mail,
                "enrollmentCode": {"code": "GH"},
                "hotelId": "HOTEL1",
            }
        }
        path = f"{CRM}/chains/CHAIN/enrollments"
        answers = [
            await at.http.post(path, json=guest, headers={"x-transactionId": key})
            for key in ("a", "a", "b")
        ]
        assert [each.status_code for each in answers] == [201, 201, 201]
        (number,) = {
            each.json()["enrollmentInfo"]["profileMemberships"]["profileMembership"][0][
                "membershipId"
            ]
            for each in answers
        }
        assert number.isdigit()
        assert len(number) == 12
        assert await at.points("card", number) == 0
        assert await at.points("opera-profile", "687128") == 0
        generated = await at.http.post(
            f"{CRM}/memberships/GH/membershipIDs", json={"profileId": {"id": "687128"}}
        )
        assert generated.json()["membershipNumber"]["membershipId"] == number
        assert generated.headers["location"].endswith(number)
        # Somebody else with her address does not get a card onto her account.
        guest["enrollmentInfo"]["profileId"] = {"id": "1", "type": "Profile"}
        refused = await at.http.post(path, json=guest)
        assert (refused.status_code, refused.json()["o:errorCode"]) == (400, "IDENTITY_TAKEN")


async def test_nobody_but_opera_is_answered(served: Served, caller: Caller, tmp_path: Path) -> None:
    async with desk(served, caller, tmp_path) as at:
        for wrong in ("", "Bearer", "Bearer another", "Basic YTpi", "a-token"):
            refused = await at.http.get(f"{CSH}s", headers={"authorization": wrong})
            assert refused.status_code == 401, wrong
        assert (await at.post(b"{}", {})).status_code == 401, "OPERA sends no webhooks"


async def test_opera_logs_in_with_its_client_credentials(
    served: Served, caller: Caller, tmp_path: Path
) -> None:
    async with desk(served, caller, tmp_path, login="oauth") as at:
        del at.http.headers["authorization"]
        at_token = "/systems/opera/oauth/v1/tokens"
        basic = base64.b64encode(b"opera:let-me-in").decode()
        given = await at.http.post(at_token, headers={"authorization": f"Basic {basic}"})
        form = {"client_id": "opera", "client_secret": "let-me-in"}
        assert (await at.http.post(at_token, data=form)).status_code == 200
        assert (await at.http.post(at_token, data=form | {"client_id": "x"})).status_code == 401
        token = given.json()["access_token"]
        good = await at.http.get(f"{CSH}s", headers={"authorization": f"Bearer {token}"})
        assert good.status_code == 200
        until, _, digest = token.partition(".")
        for forged in (f"{int(until) + 1}.{digest}", f"1.{digest}", token[:-1], "x"):
            refused = await at.http.get(f"{CSH}s", headers={"authorization": f"Bearer {forged}"})
            assert refused.status_code == 401


async def test_basic_is_another_way(served: Served, caller: Caller, tmp_path: Path) -> None:
    async with desk(served, caller, tmp_path, login="basic") as at:
        basic = base64.b64encode(b"opera:let-me-in").decode()
        good = await at.http.get(f"{CSH}s", headers={"authorization": f"Basic {basic}"})
        assert good.status_code == 200
        assert (await at.http.get(f"{CSH}s")).status_code == 401


async def test_a_ledger_that_is_away_is_told_as_that(
    served: Served, caller: Caller, tmp_path: Path
) -> None:
    async with rig(
        served,
        caller,
        tmp_path,
        operas.mapping(vendor_login="token", vendor_seconds="1"),
        operas.SECRETS,
        ledger="127.0.0.1:1",
    ) as at:
        response = await at.http.get(f"{CSH}s", headers={"authorization": "Bearer a-token"})
        assert (response.status_code, response.json()["o:errorCode"]) == (503, "NOT_SERVING")
