"""What is known of members, told over real gRPC: asked by the policy, and never in the history."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import grpc
import pytest

from ledger.clock import SettableClock
from ledger.core.events import decode
from ledger.core.instant import DAY, from_datetime
from loyalty.v1.account_service_pb2 import ExplainEntryRequest, GetAccountRequest
from loyalty.v1.audit_service_pb2 import VerifyHistoryRequest
from loyalty.v1.events_pb2 import MemberProfileChanged
from loyalty.v1.ledger_service_pb2 import PostDocumentRequest, Posting, QuoteDocumentRequest
from loyalty.v1.member_service_pb2 import (
    Birthday,
    GetMemberRequest,
    MemberAttribute,
    MemberProfile,
    TextList,
    UpdateMemberRequest,
    UpdateMemberResponse,
)
from loyalty.v1.programme_service_pb2 import PublishPolicyRequest
from loyalty.v1.types_pb2 import Origin
from server.database import connect
from tests.server import asked, requests
from tests.server.served import Caller, Served, info_of, refused, serving, violations_of

ORIGIN = Origin(business_unit="market")
THIS_MONTH = datetime.now(UTC).month


@pytest.fixture
async def till(served: Served) -> AsyncIterator[Caller]:
    """A caller of a programme that asks what is known of members."""
    async with served.caller(await served.token("till")) as caller:
        await begin(caller)
        yield caller


async def begin(caller: Caller, policy: str = asked.POLICY) -> None:
    await caller.programme.PublishPolicy(
        PublishPolicyRequest(request_id="p-1", document=policy, allow_retroactive=True)
    )
    await caller.members.EnrolMember(requests.enrolment())


async def update(till: Caller, request_id: str = "u-1", **told: object) -> UpdateMemberResponse:
    answer: UpdateMemberResponse = await till.members.UpdateMember(changing(request_id, **told))
    return answer


def changing(request_id: str = "u-1", **told: object) -> UpdateMemberRequest:
    return UpdateMemberRequest(
        request_id=request_id,
        origin=ORIGIN,
        member=requests.member(),
        **told,  # type: ignore[arg-type]
    )


async def known(till: Caller) -> MemberProfile:
    answer = await till.members.GetMember(GetMemberRequest(member=requests.member()))
    return answer.profile  # type: ignore[no-any-return]


async def post(till: Caller, number: int) -> Posting:
    request = PostDocumentRequest(
        request_id=f"r-{number}",
        origin=ORIGIN,
        member=requests.member(),
        document=asked.sale_of(("grocery", 1_00), document_id=f"T-{number}"),
    )
    return (await till.ledger.PostDocument(request)).posting  # type: ignore[no-any-return]


def rules_of(posting: Posting) -> set[str]:
    return {grant.rule for grant in posting.grants}


async def test_what_is_told_is_shown_and_what_is_left_out_stays(till: Caller) -> None:
    assert await known(till) == MemberProfile()
    await update(
        till,
        birthday=Birthday(month=2, day=29),
        attributes=[
            MemberAttribute(attribute="shoe_size", whole=45),
            MemberAttribute(attribute="newsletter", flag=False),
        ],
        add_segments=["staff"],
        household="H-1",
    )
    await update(till, "u-2", attributes=[MemberAttribute(attribute="shoe_size")])
    assert await known(till) == MemberProfile(
        birthday=Birthday(month=2, day=29),
        attributes=[MemberAttribute(attribute="newsletter", flag=False)],
        segments=["staff"],
        household="H-1",
    )
    await update(
        till, "u-3", clear_birthday=True, clear_household=True, remove_segments=["staff", "gone"]
    )
    assert await known(till) == MemberProfile(
        attributes=[MemberAttribute(attribute="newsletter", flag=False)]
    )


async def test_the_policy_asks_what_is_known_from_then_on(till: Caller) -> None:
    asks = {"staff", "runner", "birthday"}
    assert not rules_of(await post(till, 1)) & asks
    await update(
        till,
        birthday=Birthday(month=THIS_MONTH, day=5),
        attributes=[MemberAttribute(attribute="shoe_size", whole=45)],
        add_segments=["staff"],
    )
    quoted = await till.ledger.QuoteDocument(
        QuoteDocumentRequest(
            origin=ORIGIN, member=requests.member(), document=asked.sale_of(("grocery", 1_00))
        )
    )
    posted = await post(till, 2)
    assert asks <= rules_of(posted)
    assert rules_of(quoted.posting) == rules_of(posted)
    why = await till.accounts.ExplainEntry(ExplainEntryRequest(document="market/till/T-1"))
    assert not {row.rule for row in why.rules} & asks, "the past stays as it was"
    async for last in till.audit.VerifyHistory(VerifyHistoryRequest()):
        assert not last.divergences


async def test_a_change_counts_once_and_another_under_its_id_is_refused(till: Caller) -> None:
    first = await update(till, add_segments=["staff"])
    await update(till, "u-2", remove_segments=["staff"])
    again = await update(till, add_segments=["staff"])
    assert (first.replayed, again.replayed) == (False, True)
    assert not (await known(till)).segments
    status = await refused(
        till.members.UpdateMember(changing(household="H-1")),
        grpc.StatusCode.ALREADY_EXISTS,
        "REQUEST_CONFLICT",
    )
    assert "hidden" in info_of(status).metadata["now"]


async def test_a_change_that_is_only_checked_changes_nothing(till: Caller) -> None:
    await update(till, validate_only=True, add_segments=["staff"])
    assert await known(till) == MemberProfile()


async def test_nothing_that_is_told_stands_readable_in_the_database(
    till: Caller, served: Served
) -> None:
    await update(till, household="Buddenbrook", birthday=Birthday(month=3, day=3))
    connection = await connect(served.dsn)
    try:
        [row] = await connection.fetch("SELECT * FROM member_profile")
        assert b"Buddenbrook" not in row["sealed"]
        for table in ("request", "event", "snapshot"):
            for found in await connection.fetch(f"SELECT t::text AS text FROM {table} t"):
                assert b"Buddenbrook".hex() not in found["text"]
                assert "Buddenbrook" not in found["text"]
        facts = [decode(each["payload"]) for each in await connection.fetch(CHANGED)]
        [fact] = [fact for fact in facts if isinstance(fact, MemberProfileChanged)]
        assert list(fact.changed) == ["birthday", "household"]
    finally:
        await connection.close()


CHANGED = "SELECT payload FROM event WHERE stream LIKE 'account/%' ORDER BY lane, pos"


async def test_it_is_known_to_the_next_process_until_its_key_is_deleted(
    database: str, tmp_path: Path
) -> None:
    for number, erased in enumerate((False, False, True)):
        async with serving(database, tmp_path) as served:
            if erased:
                await _erase(served.dsn)
            token = await served.token(f"till-{number}")
            async with served.caller(token) as till:
                if not number:
                    await begin(till)
                    await update(till, add_segments=["staff"])
                assert list((await known(till)).segments) == ([] if erased else ["staff"])
                assert ("staff" in rules_of(await post(till, number))) is not erased


async def _erase(dsn: str) -> None:
    connection = await connect(dsn)
    try:
        await connection.execute("UPDATE member_profile SET wrapped_key = NULL")
    finally:
        await connection.close()


async def test_a_segment_keeps_points_alive_for_who_reads_and_who_spends(
    database: str, tmp_path: Path
) -> None:
    policy = asked.POLICY.replace("months: 12}", "months: 12, unless_segment: [staff]}")
    clock = SettableClock(from_datetime(datetime(2026, 5, 1, 12, tzinfo=UTC)))
    async with (
        serving(database, tmp_path, clock) as served,
        served.caller(await served.token("till")) as till,
    ):
        await begin(till, policy)
        await update(till, add_segments=["staff"])
        await post(till, 1)
        clock.set(clock.now() + 500 * DAY)
        assert await available(till) == 33
        await update(till, "u-2", remove_segments=["staff"])
        assert await available(till) == 0


async def available(till: Caller) -> int:
    answer = await till.accounts.GetAccount(GetAccountRequest(member=requests.member()))
    rows = {each.currency: each.available for each in answer.account.balances}
    return int(rows["point"])


async def test_only_who_may_sees_and_changes_what_is_known(till: Caller, served: Served) -> None:
    await update(till, add_segments=["staff"])
    token = await served.token("desk", verbs=("read", "enrol"))
    async with served.caller(token) as desk:
        assert await known(desk) == MemberProfile()
        await refused(
            desk.members.UpdateMember(changing("u-9", add_segments=["staff"])),
            grpc.StatusCode.PERMISSION_DENIED,
            "PERMISSION",
        )
    connection = await asyncpg.connect(served.dsn)
    try:
        await connection.execute("SET ROLE loyalty_audit")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch("SELECT * FROM member_profile")
    finally:
        await connection.close()


def attribute(**value: object) -> list[MemberAttribute]:
    return [MemberAttribute(**value)]  # type: ignore[arg-type]


WRONG = {
    "attributes[0].attribute": (
        "UNKNOWN_ATTRIBUTE",
        changing(attributes=attribute(attribute="hat_size", whole=3)),
    ),
    "attributes[0].text": (
        "ATTRIBUTE_TYPE",
        changing(attributes=attribute(attribute="shoe_size", text="45")),
    ),
    "attributes[0].list": (
        "ATTRIBUTE_TYPE",
        changing(attributes=attribute(attribute="newsletter", list=TextList(values=["yes"]))),
    ),
    "add_segments[0]": ("UNKNOWN_SEGMENT", changing(add_segments=["staph"])),
    "birthday": ("MALFORMED", changing(birthday=Birthday(month=4, day=31))),
    "household": ("MALFORMED", changing(household="a/b")),
    "remove_segments[0]": ("MALFORMED", changing(remove_segments=[""])),
}


@pytest.mark.parametrize("field", WRONG)
async def test_what_is_wrong_with_a_change_is_named(till: Caller, field: str) -> None:
    reason, request = WRONG[field]
    status = await refused(
        till.members.UpdateMember(request), grpc.StatusCode.INVALID_ARGUMENT, reason
    )
    assert field in violations_of(status)
    assert await known(till) == MemberProfile()
