"""docs/examples/harbour-2.yaml: the sample policy, and terms for the examples that it refuses."""

from pathlib import Path

from typer.testing import CliRunner

from loyalty.v1.member_service_pb2 import (
    CreateReferralRequest,
    MemberAttribute,
    UpdateMemberRequest,
)
from loyalty.v1.programme_service_pb2 import PublishPolicyRequest
from rules import load
from rules.difference import difference
from server.cli import app
from tests.server import requests
from tests.server.gifts import ORIGIN, conversion, movements, transfer
from tests.server.served import serving

ROOT = Path(__file__).resolve().parents[2]
FIRST = ROOT / "rules/programmes/harbour.yaml"
NEXT = ROOT / "docs/examples/harbour-2.yaml"
ADDED = {
    "currencies[mile]",
    "member_attributes[pets]",
    "member_attributes[newsletter]",
    "segments",
    "earn[bonus.pets]",
    "earn[activity.referral]",
    "transfers[gift]",
    "conversions[to_miles]",
    "referrals",
}


def test_it_is_accepted_and_only_adds_to_the_sample() -> None:
    checked = CliRunner().invoke(app, ["policy", "check", str(NEXT)])
    assert checked.exit_code == 0, checked.output
    assert "ok harbour version 2" in checked.stdout
    changes = {
        each.path: each for each in difference(load(FIRST.read_bytes()), load(NEXT.read_bytes()))
    }
    assert set(changes) == {"version", "effective_from", *ADDED}
    assert all(changes[path].before is None for path in ADDED - {"segments"})


async def test_points_are_given_and_converted_and_members_told_of_under_it(
    database: str, tmp_path: Path
) -> None:
    async with (
        serving(database, tmp_path, policy_approval="off") as served,
        served.caller(await served.token("desk")) as caller,
    ):
        for number, file in enumerate((FIRST, NEXT)):
            await caller.programme.PublishPolicy(
                PublishPolicyRequest(
                    request_id=f"p-{number}",
                    document=file.read_text(encoding="utf-8"),
                    allow_retroactive=True,
                )
            )
        for card in ("1", "2"):
            await caller.members.EnrolMember(requests.enrolment(f"e-{card}", card))
        told = CreateReferralRequest(
            request_id="f-1",
            origin=ORIGIN,
            member=requests.member("1"),
            referrer=requests.member("2"),
        )
        await caller.members.CreateReferral(told)
        pets = MemberAttribute(attribute="pets", whole=2)
        await caller.members.UpdateMember(
            UpdateMemberRequest(
                request_id="u-1", origin=ORIGIN, member=requests.member("1"), attributes=[pets]
            )
        )
        await caller.ledger.PostDocument(requests.sale("s-1", card="1", cents=500_00))
        sent = await caller.ledger.TransferPoints(transfer("1", "2", 120, "point"))
        assert ("points_sent", "point", 120) in movements(sent.posting)
        got = await caller.ledger.ConvertPoints(conversion("1", 100, "to_miles"))
        assert ("converted_points_issued", "mile", 50) in movements(got.posting)
