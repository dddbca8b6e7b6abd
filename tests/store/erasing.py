"""A member of whom much is known, and a look into every table for what should not be there."""

from collections.abc import Iterable
from typing import Any

import asyncpg

from ledger.core.instant import to_timestamp
from loyalty.v1.member_service_pb2 import (
    Birthday,
    ConsentChange,
    EnrolMemberRequest,
    EraseMemberRequest,
    ErasureCertificate,
    MemberAttribute,
    UpdateMemberRequest,
)
from loyalty.v1.types_pb2 import (
    CONSENT_STATE_GRANTED,
    DOCUMENT_STATUS_PENDING,
    ERASED_BALANCE_FORFEITED,
    ERASURE_REQUESTER_MEMBER,
    ErasedBalance,
    Identity,
    MemberRef,
    Origin,
)
from tests.store.till import POLICY, Till, at

PHONE = "+442079460958"
IDENTITIES = (("card", "8800-BUDDENBROOK"), ("phone", PHONE), ("email", "ann@example.com"))
TOLD = ("Buddenbrook Family", "Travemuende", "Lisbon")
ASKING = (
    POLICY.replace("categories:", "member_attributes: [{id: town, type: string}]\ncategories:")
    + "caps: [{id: family, currency: p, per: household, window: local_year, points: 100000}]\n"
)


def by(scheme: str, value: str) -> MemberRef:
    return MemberRef(identity=Identity(scheme=scheme, value=value))


def enrolling(till: Till, *, rid: str = "") -> EnrolMemberRequest:
    request = EnrolMemberRequest(
        request_id=rid or till.rid(),
        origin=Origin(business_unit="a", operator="clerk Buddenbrook"),
        identities=[Identity(scheme=scheme, value=value) for scheme, value in IDENTITIES],
    )
    request.consents.add(
        purpose="marketing", state=CONSENT_STATE_GRANTED, wording_version="v1", source="form/1"
    )
    return request


def updating(till: Till, **told: Any) -> UpdateMemberRequest:
    return UpdateMemberRequest(
        request_id=till.rid(), origin=Origin(business_unit="a"), member=by(*IDENTITIES[0]), **told
    )


def erasing(
    till: Till,
    member: MemberRef | None = None,
    balance: ErasedBalance.ValueType = ERASED_BALANCE_FORFEITED,
    *,
    rid: str = "",
    operator: str = "",
) -> EraseMemberRequest:
    return EraseMemberRequest(
        request_id=rid or till.rid(),
        origin=Origin(business_unit="a", operator=operator),
        member=member or by(*IDENTITIES[1]),
        balance=balance,
        requested_by=ERASURE_REQUESTER_MEMBER,
        reference="case-17",
    )


async def known_member(till: Till) -> str:
    """A member with three identities, a profile, consents, and points; returns the id."""
    await till.publish(ASKING)
    booking = till.document(by("phone", PHONE), "B1", 1, 30_00)
    booking.document.status = DOCUMENT_STATUS_PENDING
    booking.unclaimed_if_unknown = True
    await till.post(booking)
    member = (await till.write(enrolling(till, rid="e-1"))).message
    await till.write(
        updating(
            till,
            birthday=Birthday(month=4, day=30),
            household=TOLD[0],
            attributes=[MemberAttribute(attribute="town", text=TOLD[1])],
            consents=[
                ConsentChange(
                    purpose="news",
                    state=CONSENT_STATE_GRANTED,
                    wording_version="v1",
                    source="form/2",
                )
            ],
        )
    )
    await till.write(updating(till, attributes=[MemberAttribute(attribute="town", text=TOLD[2])]))
    await till.post(till.document(by(*IDENTITIES[0]), "D1", 1, 100_00, rid="d-1"))
    await till.post(till.document(by("phone", "+44 20 7946 0958"), "D2", 1, 50_00))
    return str(getattr(member, "member_id"))  # noqa: B009 - the answer of an enrolment has it


async def erase(till: Till, *arguments: Any, **options: Any) -> ErasureCertificate:
    message = (await till.write(erasing(till, *arguments, **options))).message
    assert isinstance(message, ErasureCertificate)
    return message


def secrets(till: Till) -> list[bytes]:
    """What of the member may stand nowhere: each text, and each identity's keyed hash."""
    hashed = till.ledger._hashed
    texts = [value.encode() for _, value in IDENTITIES] + [text.encode() for text in TOLD]
    hashes = [hashed.of(Identity(scheme=scheme, value=value)) for scheme, value in IDENTITIES]
    return [*texts, b"Buddenbrook", *hashes]


async def leaks(owner: asyncpg.Connection, wanted: Iterable[bytes]) -> set[tuple[str, bytes]]:
    """(table, secret) of what stands anywhere in the database, as text or as bytes."""
    found: set[tuple[str, bytes]] = set()
    tables = await owner.fetch(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p') AND n.nspname = 'public'"
    )
    for (table,) in tables:
        for row in await owner.fetch(f"SELECT t::text AS whole FROM {table} t"):
            for secret in wanted:
                readable = secret.decode("utf-8", "replace")
                if readable in row["whole"] or secret.hex() in row["whole"]:
                    found.add((table, secret))
    return found


def later(till: Till, text: str) -> None:
    """Let it be another day."""
    till.clock.set(at(text))


def stamp(text: str) -> Any:
    return to_timestamp(at(text))
