"""Neither an identity's value nor its keyed hash is shown in a refusal or kept beside a stream."""

from typing import Any

import pytest

from ledger.core.refusals import DocumentConflict, Refusal, RequestConflict
from ledger.differences import HIDDEN, first_difference
from ledger.identities import IdentityHash
from loyalty.v1.ledger_service_pb2 import BurnPointsRequest
from loyalty.v1.member_service_pb2 import EnrolMemberRequest, LinkIdentityRequest
from loyalty.v1.types_pb2 import Identity, MemberRef, Origin
from server.database import connect
from tests.store.till import KEY, Till, open_till

CARDS = ("4000-1", "4000-2", "4000-3", "4000-4")
ORIGIN = Origin(business_unit="a")


def card(value: str) -> Identity:
    return Identity(scheme="card", value=value)


def traces() -> list[str]:
    """What must not be found anywhere: values and keyed hashes."""
    hashed = IdentityHash(KEY)
    return [*CARDS, *(hashed.of(card(value)).hex() for value in CARDS)]


async def refused(till: Till, request: Any) -> dict[str, Any]:
    """Fields of the conflict; none of its texts gives an identity away."""
    with pytest.raises(RequestConflict) as conflict:
        await till.write(request)
    assert_hidden(conflict.value)
    return dict(conflict.value.fields)


def assert_hidden(refusal: Refusal) -> None:
    told = f"{refusal} {refusal!r} {refusal.fields}"
    assert not [trace for trace in traces() if trace in told]


async def test_a_request_for_another_card_is_a_conflict_that_shows_neither(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        first, other = await till.enrol(CARDS[0]), await till.enrol(CARDS[1])
        await till.post(till.document(first, "D", 1, 10000, rid="d"))
        await till.post(till.burn(first, 5, rid="b"))
        hidden = {"field": "member.identity.value", "first": HIDDEN, "now": HIDDEN}
        assert await refused(till, till.burn(other, 5, rid="b")) == hidden
        assert await refused(till, till.document(other, "D", 1, 10000, rid="d")) == hidden
        unknown = MemberRef(identity=card(CARDS[2]))
        assert await refused(till, till.burn(unknown, 5, rid="b")) == hidden
        changed = await refused(till, till.burn(other, 6, rid="b"))
        assert changed["field"] == "points.amount"


async def test_a_document_conflict_that_names_no_member_shows_no_hash(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        member = await till.enrol(CARDS[0])
        await till.post(till.document(member, "D", 1, 10000))
        with pytest.raises(DocumentConflict) as conflict:
            await till.post(till.document(None, "D", 1, 10001))
        assert_hidden(conflict.value)
        dropped = await refused(till, till.document(None, "D", 1, 10000, rid="till-3"))
        assert dropped["now"] == "(absent)"


async def test_other_identities_to_enrol_or_link_are_a_conflict_too(database: str) -> None:
    async with open_till(database) as till:
        await till.publish()
        enrol = EnrolMemberRequest(request_id="e", origin=ORIGIN, identities=[card(CARDS[0])])
        await till.write(enrol)
        assert (await till.write(enrol)).replayed
        enrol.identities[0].value = CARDS[1]
        assert (await refused(till, enrol))["field"] == "identities[0].value"
        enrol.identities.append(card(CARDS[2]))
        added = await refused(till, enrol)
        assert (added["field"], added["first"]) == ("identities[1]", "(absent)")
        member = MemberRef(identity=card(CARDS[0]))
        link = LinkIdentityRequest(
            request_id="l", origin=ORIGIN, member=member, identity=card(CARDS[1])
        )
        await till.write(link)
        assert (await till.write(link)).replayed
        link.identity.value = CARDS[3]
        assert await refused(till, link) == {
            "field": "member.identity.value or identity.value",
            "first": HIDDEN,
            "now": HIDDEN,
        }


async def test_what_is_kept_ties_no_identity_to_a_stream_once_its_row_is_gone(
    database: str,
) -> None:
    async with open_till(database) as till:
        await till.publish()
        member = await till.enrol(CARDS[0])
        await till.write(
            LinkIdentityRequest(
                request_id="l", origin=ORIGIN, member=member, identity=card(CARDS[1])
            )
        )
        await till.post(till.document(member, "D", 1, 10000))
        await till.post(till.burn(member, 5))
        await till.post(till.hold(member, "H", 5))
    owner = await connect(database, role=None)
    try:
        await owner.execute("DELETE FROM identity")
        kept = await owner.fetch("SELECT r::text AS row FROM request r") + await owner.fetch(
            "SELECT e::text AS row FROM event e"
        )
    finally:
        await owner.close()
    # bytea shows as hexadecimal: a text, also one that is itself hexadecimal, is looked for as such
    forms = [form for trace in traces() for form in (trace, trace.encode().hex())]
    assert len(kept) > 5
    assert not [form for form in forms if any(form in each["row"] for each in kept)]


def test_an_identity_inside_a_message_that_is_shown_whole_is_hidden() -> None:
    with_card = BurnPointsRequest(member=MemberRef(identity=card(CARDS[0])))
    difference = first_difference(with_card, BurnPointsRequest())
    assert difference is not None
    assert difference.first == f'identity {{ scheme: "card" value: "{HIDDEN}" }}'
    other = BurnPointsRequest(member=MemberRef(identity=card(CARDS[1])))
    assert first_difference(with_card, other) == ("member.identity.value", HIDDEN, HIDDEN)
