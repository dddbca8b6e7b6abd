"""Erasures as callers see them: the certificate, and whether nothing is left."""

from typing import Final

from ledger.answers.erasures import certificate_of
from ledger.core import refusals
from ledger.core.events import KIND_NUMBER, decode
from ledger.lanes import account_stream
from ledger.reads.members import Reads
from ledger.store import Store
from loyalty.v1.events_pb2 import MemberErased
from loyalty.v1.member_service_pb2 import GetErasureResponse
from loyalty.v1.types_pb2 import MemberRef

_ERASED: Final = KIND_NUMBER["member_erased"]
_ANY_VERSION: Final = 2**62
_REMAINS: Final = """
SELECT EXISTS (SELECT FROM identity WHERE account = ANY($1))
    OR EXISTS (SELECT FROM member_profile WHERE account = ANY($1))
"""
"""Whether anything is left of the person behind some accounts, besides the history."""


class Erasures:
    """Answers what was erased."""

    def __init__(self, store: Store, reads: Reads) -> None:
        """Read from `store`, and ask `reads` which accounts are one."""
        self._store = store
        self._reads = reads

    async def erasure(self, member_id: str) -> GetErasureResponse:
        """The certificate of a member's erasure, or of whom they are part of. Raises NotErased."""
        try:
            account, position = await self._reads.account(MemberRef(member_id=member_id))
        except refusals.UnknownMember:
            raise refusals.NotErased(member_id=member_id) from None
        stream = account_stream(account.account_id)
        found = await self._store.entries(
            stream, kinds=[_ERASED], currency="", before=_ANY_VERSION, most=1
        )
        if not found:
            raise refusals.NotErased(member_id=member_id)
        fact = decode(found[0].payload)
        assert isinstance(fact, MemberErased), "only these were asked for"
        whose = [account.account_id, *account.part_ids]
        return GetErasureResponse(
            certificate=certificate_of(fact, member_id=account.account_id, position=position),
            complete=not await self._store.pool.fetchval(_REMAINS, whose),
        )
