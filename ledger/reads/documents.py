"""One document: whose it is, and every version that was posted of it."""

from datetime import datetime

import rules
from ledger.core import refusals
from ledger.core.events import decode
from ledger.core.instant import from_datetime, to_timestamp
from ledger.evaluation import pinned_instant
from ledger.keys import claim_thing, key_thing
from ledger.lanes import account_of, lane_of
from ledger.policies import PolicyBook
from ledger.reads.members import reached
from ledger.statements import DOCUMENT_VERSIONS
from ledger.store import Store
from loyalty.v1.account_service_pb2 import (
    DocumentClaim,
    DocumentVersion,
    GetDocumentRequest,
    GetDocumentResponse,
)
from loyalty.v1.events_pb2 import DocumentClaimed, DocumentPosted


class DocumentReads:
    """Answers whose a document is."""

    def __init__(self, store: Store, *, policies: PolicyBook) -> None:
        """Read from `store`; `policies` tell until when a document can be claimed."""
        self._store = store
        self._policies = policies

    async def get(self, request: GetDocumentRequest) -> GetDocumentResponse:
        """A document with its versions. Raises UnknownDocument, NotServing."""
        thing = key_thing(request.document)
        lane = lane_of(thing, self._store.lanes)
        rows = await self._store.pool.fetch(DOCUMENT_VERSIONS, lane, thing)
        if not rows:
            raise refusals.UnknownDocument(document=request.document)
        stream, _, _, payload = rows[-1]
        posted = _posted(payload)
        member = account_of(stream)
        answer = GetDocumentResponse(
            document=request.document,
            member_id=member,
            stated=posted.document,
            pinned=posted.pinned,
            has_receipt_code=bool(posted.receipt_hash),
            awaited_scheme="" if member else posted.awaited_scheme,
            versions=[_version(*row) for row in rows],
            position=await reached(self._store, stream, request.min_position),
        )
        if posted.pinned and not member:
            answer.claim_until_time.CopyFrom(to_timestamp(await self._claim_until(posted)))
        claim = await self._claim(thing)
        if claim is not None:
            answer.claim.CopyFrom(claim)
        return answer

    async def _claim_until(self, posted: DocumentPosted) -> int:
        policy = await self._policies.known(posted.pins.policy_digest, self._store)
        return rules.claim_until(policy, pinned_instant(posted.pins.local_time))

    async def _claim(self, thing: str) -> DocumentClaim | None:
        for row in await self._store.find_acts([claim_thing(thing)]):
            fact = decode(row.payload)
            if isinstance(fact, DocumentClaimed):
                return DocumentClaim(
                    cause=fact.cause,
                    claim_time=fact.claim_time,
                    entry_id=fact.entry_id,
                    member_id=fact.member_id,
                )
        return None


def _posted(payload: bytes) -> DocumentPosted:
    posted = decode(payload)
    assert isinstance(posted, DocumentPosted), "a document's versions are found by their kind"
    return posted


def _version(
    stream: str, occurred_at: datetime, recorded_at: datetime, payload: bytes
) -> DocumentVersion:
    posted = _posted(payload)
    document = posted.document
    return DocumentVersion(
        version=document.version,
        status=document.status,
        entry_id=posted.entry_id,
        member_id=account_of(stream),
        net_minor_units=sum(line.net_minor_units for line in document.lines),
        grants=posted.grants,
        arrival=posted.arrival.cause,
        taken_back_at=posted.taken_back_at.business_unit,
        occurred_time=to_timestamp(from_datetime(occurred_at)),
        recorded_time=to_timestamp(from_datetime(recorded_at)),
    )
