"""Erasures as callers see them: the certificate, and whether nothing is left."""

from typing import Final

from ledger.answers import position_token
from ledger.core import refusals
from ledger.core.events import KIND_NUMBER, decode
from ledger.lanes import account_stream, lane_of
from ledger.store import Store
from loyalty.v1.events_pb2 import MemberErased
from loyalty.v1.member_service_pb2 import ErasureCertificate, GetErasureResponse

_ERASED: Final = KIND_NUMBER["member_erased"]
_ANY_VERSION: Final = 2**62
_REMAINS: Final = """
SELECT EXISTS (SELECT FROM identity WHERE account = $1)
    OR EXISTS (SELECT FROM member_profile WHERE account = $1)
"""
"""Whether anything is left of the person behind an account, besides the history."""


def certificate_of(fact: MemberErased, *, member_id: str, position: str) -> ErasureCertificate:
    """The certificate that a fact is."""
    return ErasureCertificate(
        certificate_id=fact.certificate_id,
        member_id=member_id,
        erase_time=fact.erase_time,
        business_unit=fact.business_unit,
        requested_by=fact.requested_by,
        reference=fact.reference,
        actor=fact.actor,
        identities=fact.identities,
        profile=fact.profile,
        balance=fact.balance,
        digest=fact.digest,
        position=position,
    )


class Erasures:
    """Answers what was erased."""

    def __init__(self, store: Store) -> None:
        """Read from `store`."""
        self._store = store

    async def erasure(self, member_id: str) -> GetErasureResponse:
        """The certificate of a member's erasure. Raises NotErased."""
        stream = account_stream(member_id)
        lane = lane_of(stream, self._store.lanes)
        position = position_token(lane, await self._store.head(lane))
        found = await self._store.entries(
            stream, kinds=[_ERASED], currency="", before=_ANY_VERSION, most=1
        )
        if not found:
            raise refusals.NotErased(member_id=member_id)
        fact = decode(found[0].payload)
        assert isinstance(fact, MemberErased), "only these were asked for"
        return GetErasureResponse(
            certificate=certificate_of(fact, member_id=member_id, position=position),
            complete=not await self._store.pool.fetchval(_REMAINS, member_id),
        )
