"""Erasing a member: nothing is left of the person, everything of the history."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import pytest

from ledger.core import refusals
from ledger.core.refusals import Refusal
from ledger.replay import replay
from ledger.verifying.findings import Reason
from loyalty.v1.ledger_service_pb2 import OUTCOME_REPLAYED
from loyalty.v1.member_service_pb2 import (
    CloseMemberRequest,
    ConsentChange,
    LinkIdentityRequest,
    Member,
    ReopenMemberRequest,
)
from loyalty.v1.types_pb2 import (
    CONSENT_STATE_GRANTED,
    CONSENT_STATE_WITHDRAWN,
    ERASED_BALANCE_KEPT,
    Identity,
    MemberRef,
    Origin,
)
from server.database import connect
from tests.store.erasing import (
    ASKING,
    IDENTITIES,
    PHONE,
    by,
    enrolling,
    erase,
    erasing,
    known_member,
    leaks,
    secrets,
    updating,
)
from tests.store.tampering import Story
from tests.store.till import Till, at, moved, open_till


@pytest.fixture
async def till(database: str) -> AsyncIterator[Till]:
    async with open_till(database) as till:
        yield till


@pytest.fixture
async def owner(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await connect(database, role=None)
    yield connection
    await connection.close()


async def sound(till: Till) -> None:
    [*_, last] = [word async for word in till.ledger.verify(skip_awards=False)]
    assert not last.divergences


async def test_nothing_of_the_person_is_left_in_any_table(
    till: Till, owner: asyncpg.Connection
) -> None:
    await known_member(till)
    known = {secret for _, secret in await leaks(owner, secrets(till))}
    assert len(known) == len(IDENTITIES), "the identities' hashes stand in their own table only"
    await erase(till, operator="clerk Buddenbrook")
    assert await leaks(owner, secrets(till)) == set()
    for table in ("identity", "member_profile"):
        assert await owner.fetchval(f"SELECT count(*) FROM {table}") == 0
    await sound(till)


async def test_the_certificate_says_what_was_erased_and_is_read_later(till: Till) -> None:
    member_id = await known_member(till)
    given = await erase(till, rid="x-1", operator="u1")
    assert (given.member_id, given.business_unit, given.reference) == (member_id, "a", "case-17")
    assert sorted(each.scheme for each in given.identities) == ["card", "email", "phone"]
    assert given.profile
    assert given.actor.startswith("till/")
    assert "u1" not in given.actor
    again = await till.write(erasing(till, rid="x-1", operator="u1"))
    assert (again.replayed, again.message) == (True, given)
    read = await till.ledger.erasures.erasure(member_id)
    assert read.complete
    read.certificate.position = given.position
    assert read.certificate == given
    with pytest.raises(refusals.NotErased):
        await till.ledger.erasures.erasure("nobody")


async def test_nobody_is_found_any_more_and_the_identities_are_free(till: Till) -> None:
    member_id = await known_member(till)
    await erase(till)
    for scheme, value in IDENTITIES:
        with pytest.raises(refusals.UnknownMember):
            await till.post(till.document(by(scheme, value), "D9", 1, 1_00))
        with pytest.raises(refusals.UnknownMember):
            await till.ledger.reads.member(by(scheme, value))
    anew = (await till.write(enrolling(till))).message
    assert isinstance(anew, Member)
    assert anew.member_id != member_id
    assert await till.available(by("phone", PHONE)) == 0
    await sound(till)


async def test_who_is_named_by_id_is_refused_and_shown_as_erased(till: Till) -> None:
    member = MemberRef(member_id=await known_member(till))
    await erase(till)
    for request in (
        till.document(member, "D9", 1, 1_00),
        till.burn(member, 1),
        erasing(till, member),
        ReopenMemberRequest(
            request_id=till.rid(), origin=Origin(business_unit="a"), member=member, reason="why"
        ),
        LinkIdentityRequest(
            request_id=till.rid(),
            origin=Origin(business_unit="a"),
            member=member,
            identity=Identity(scheme="card", value="new"),
        ),
    ):
        with pytest.raises(refusals.AccountErased):
            await till.write(request)
    shown = await till.ledger.reads.member(member)
    assert shown.HasField("erase_time")
    assert not shown.identity_schemes


async def test_retries_of_what_the_member_did_get_their_first_answers(till: Till) -> None:
    await known_member(till)
    await erase(till)
    assert (await till.write(enrolling(till, rid="e-1"))).replayed
    again = await till.post(till.document(by(*IDENTITIES[0]), "D1", 1, 100_00, rid="d-1"))
    assert (again.outcome, len(again.movements)) == (OUTCOME_REPLAYED, 1)


async def test_what_was_bought_is_returned_without_naming_anybody(till: Till) -> None:
    member = MemberRef(member_id=await known_member(till))
    await till.post(till.burn(member, 120))
    await erase(till)
    returned = await till.post(till.document(None, "D1", 2, 40_00))
    assert returned.member_id == member.member_id
    assert {kind for kind, _ in moved(returned)} <= {"arrears_incurred", "points_clawed_back"}
    await sound(till)


async def test_forfeited_points_expire_and_what_comes_back_later_too(till: Till) -> None:
    member = MemberRef(member_id=await known_member(till))
    burned = await till.post(till.burn(member, 30))
    await erase(till)
    assert await till.available(member) == 0
    back = await till.post(till.reverse(burned.entry_id))
    assert moved(back) == [("burn_reversed", 30), ("points_expired", 30)]
    await sound(till)


async def test_kept_points_stay_as_nobodys_until_their_time_is_over(database: str) -> None:
    policy = (
        ASKING.replace("{id: p, role: spendable}", "{id: p, role: spendable, expiry: year}")
        + "expiries: [{id: year, kind: fixed, months: 12}]\n"
    )
    async with open_till(database) as till:
        await till.publish(policy)
        enrolled = (await till.write(enrolling(till))).message
        assert isinstance(enrolled, Member)
        member = MemberRef(member_id=enrolled.member_id)
        await till.post(till.document(member, "D1", 1, 100_00))
        await erase(till, None, ERASED_BALANCE_KEPT)
        assert await till.available(member) == 100
        with pytest.raises(refusals.AccountErased):
            await till.post(till.burn(member, 10))
        till.clock.set(at("2026-06-01T12:00"))
        assert await till.available(member) == 0
        await sound(till)


async def test_a_burn_of_who_was_erased_is_taken_back_and_spent_by_nobody_anew(till: Till) -> None:
    member = MemberRef(member_id=await known_member(till))
    burned = await till.post(till.burn(member, 100))
    await erase(till, None, ERASED_BALANCE_KEPT)
    back = await till.post(till.reverse(burned.entry_id))
    assert moved(back) == [("burn_reversed", 100)]
    with pytest.raises(refusals.AccountErased):
        await till.post(till.reverse(back.entry_id))
    assert await till.available(member) == 150
    await sound(till)


async def test_points_that_are_held_are_not_forfeited(till: Till) -> None:
    member = MemberRef(member_id=await known_member(till))
    await till.post(till.hold(member, "H1", 20))
    with pytest.raises(refusals.AccountNotEmpty):
        await erase(till)
    assert (await till.ledger.reads.member(by("phone", PHONE))).member_id == member.member_id
    await erase(till, None, ERASED_BALANCE_KEPT)
    captured = await till.post(till.capture("H1", 5, final=True))
    assert moved(captured) == [("hold_captured", 5), ("hold_released", 15)]
    await sound(till)


async def test_a_closed_member_is_erased_and_may_withdraw_a_consent_before(till: Till) -> None:
    member = MemberRef(member_id=await known_member(till))
    closing = CloseMemberRequest(
        request_id=till.rid(),
        origin=Origin(business_unit="a"),
        member=member,
        reason="moved abroad",
        forfeit=True,
    )
    await till.write(closing)
    change = ConsentChange(purpose="news", state=CONSENT_STATE_WITHDRAWN, source="letter/3")
    await till.write(updating(till, consents=[change]))
    change.state, change.wording_version = CONSENT_STATE_GRANTED, "v1"
    with pytest.raises(refusals.AccountClosed):
        await till.write(updating(till, consents=[change]))
    await erase(till)
    await sound(till)


async def test_erasing_changes_nothing_for_others_and_projections_agree(
    till: Till, owner: asyncpg.Connection
) -> None:
    await known_member(till)
    other = await till.enrol("other")
    await till.post(till.document(other, "D7", 1, 70_00))
    before, _ = await till.ledger.reads.account(other)
    await erase(till)
    after, _ = await till.ledger.reads.account(other)
    assert after == before
    folded = await replay(owner)
    [*_, last] = [word async for word in till.ledger.verify(skip_awards=False)]
    assert folded.state_digest == last.state_digest


# --- at the same moment -------------------------------------------------------------------------


async def told(till: Till, request: Any) -> Any:
    try:
        return (await till.write(request)).message
    except Refusal as refusal:
        return refusal


async def test_in_one_batch_a_change_before_is_erased_and_one_after_is_refused(
    till: Till, owner: asyncpg.Connection
) -> None:
    await known_member(till)
    card = LinkIdentityRequest(
        request_id=till.rid(),
        origin=Origin(business_unit="a"),
        member=by("phone", PHONE),
        identity=Identity(scheme="card", value="8801-BUDDENBROOK"),
    )
    done = await asyncio.gather(
        told(till, card),
        told(till, updating(till, household="Another Buddenbrook")),
        told(till, erasing(till)),
        told(till, updating(till, household="A third Buddenbrook")),
        told(till, enrolling(till)),
    )
    assert isinstance(done[3], refusals.UnknownMember)
    anew = done[4]
    assert isinstance(anew, Member)
    assert (await till.ledger.reads.member(by("phone", PHONE))).member_id == anew.member_id
    with pytest.raises(refusals.UnknownMember):
        await till.ledger.reads.member(by("card", "8801-BUDDENBROOK"))
    rows = await owner.fetch(
        "SELECT account FROM identity UNION SELECT account FROM member_profile"
    )
    assert {row["account"] for row in rows} == {anew.member_id}
    await sound(till)


async def test_another_process_forgets_whom_it_knew(database: str) -> None:
    async with open_till(database) as here, open_till(database) as there:
        await known_member(here)
        await there.ledger.policies.refresh(there.ledger.reading)
        there.client = "other"
        await there.post(there.document(by("phone", PHONE), "D5", 1, 5_00))
        await erase(here)
        with pytest.raises(refusals.UnknownMember):
            await there.ledger.reads.member(by("phone", PHONE))
        with pytest.raises(refusals.UnknownMember):
            await there.post(there.document(by("phone", PHONE), "D6", 1, 5_00))
        anew = (await here.write(enrolling(here))).message
        assert isinstance(anew, Member)
        posted = await there.post(there.document(by("phone", PHONE), "D6", 1, 5_00))
        assert posted.member_id == anew.member_id


async def test_two_processes_erase_once_and_nothing_is_linked_to_nobody(database: str) -> None:
    async with open_till(database) as one, open_till(database) as two:
        member = MemberRef(member_id=await known_member(one))
        await two.ledger.policies.refresh(two.ledger.reading)
        two.client = "other"
        linking = [
            LinkIdentityRequest(
                request_id=two.rid(),
                origin=Origin(business_unit="a"),
                member=member,
                identity=Identity(scheme="card", value=f"race-{number}"),
            )
            for number in range(6)
        ]
        first, second, *_ = await asyncio.gather(
            told(one, erasing(one, member)),
            told(two, erasing(two, member)),
            *(told(two, each) for each in linking),
        )
        assert [isinstance(each, Refusal) for each in (first, second)].count(True) == 1
        assert (await one.ledger.erasures.erasure(member.member_id)).complete
        await sound(two)


# --- afterwards changed -------------------------------------------------------------------------

ERASED, PROFILE = 6, 3


def says_less(fact: Any) -> None:
    del fact.identities[0]


def was_wanted_by_another(fact: Any) -> None:
    fact.reference = "case-18"


@pytest.mark.parametrize("change", [says_less, was_wanted_by_another])
async def test_a_changed_certificate_is_found(
    till: Till, owner: asyncpg.Connection, change: Callable[[Any], None]
) -> None:
    await known_member(till)
    await erase(till)
    story = Story(till, owner, MemberRef())
    assert await story.found() == {}
    await owner.execute("ALTER TABLE event DISABLE TRIGGER event_append_only")
    await story.rewrite((await story.places(ERASED))[0], change)
    assert Reason.ERASURE_MISMATCH in await story.found()
