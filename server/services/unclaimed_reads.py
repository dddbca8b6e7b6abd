"""ListUnclaimedDocuments: documents that are nobody's, from the read side, page by page."""

from typing import Final

import rules
from ledger.answers import paging
from ledger.core.instant import from_datetime, from_timestamp, to_datetime, to_timestamp
from ledger.service import Ledger
from loyalty.v1.account_service_pb2 import (
    ListUnclaimedDocumentsRequest,
    ListUnclaimedDocumentsResponse,
    UnclaimedDocument,
)
from loyalty.v1.types_pb2 import DocumentStatus, Money
from projections.unclaimed import NAME, Unclaimed, Wanted, unclaimed_documents
from server.auth import ALL_UNITS, Principal, Verb
from server.services.catching_up import catch_up, positions_in

CATCH_UP_SECONDS: Final = 2.0


class UnclaimedReads:
    """Answers from the projection `unclaimed`."""

    def __init__(self, ledger: Ledger) -> None:
        """Read beside `ledger`, whose policies tell until when a document can be claimed."""
        self._ledger = ledger

    async def page(
        self, request: ListUnclaimedDocumentsRequest, principal: Principal
    ) -> ListUnclaimedDocumentsResponse:
        """A page. Raises Permission, Malformed, NotServing."""
        wanted = _wanted(request, principal)
        size, last = paging.size_of(request), paging.behind(request, request.page_token)
        at, _, key = last.partition("/")
        async with self._ledger.reading.pool.acquire() as connection:
            await catch_up(
                connection,
                NAME,
                positions_in([request.min_position]),
                seconds=CATCH_UP_SECONDS,
                late="the list of documents is behind",
            )
            found = await unclaimed_documents(
                connection,
                wanted,
                last=(to_datetime(int(at)), key) if last else None,
                limit=size + 1,
            )
        rows = found.value[:size]
        answer = ListUnclaimedDocumentsResponse(documents=[await self._told(row) for row in rows])
        if len(found.value) > size:
            name = f"{from_datetime(rows[-1].occurred_at)}/{rows[-1].document}"
            answer.next_page_token = paging.token(request, name)
        return answer

    async def _told(self, row: Unclaimed) -> UnclaimedDocument:
        at = from_datetime(row.occurred_at)
        document = UnclaimedDocument(
            document=row.document,
            business_unit=row.business_unit,
            version=row.document_version,
            status=DocumentStatus.ValueType(row.status),
            net=Money(currency_code=row.currency_code, minor_units=row.net_minor_units),
            occurred_time=to_timestamp(at),
            has_receipt_code=row.has_receipt_code,
            awaited_scheme=row.awaited_scheme,
        )
        if row.pinned_policy:
            policy = await self._ledger.policies.known(row.pinned_policy, self._ledger.reading)
            document.claim_until_time.CopyFrom(to_timestamp(rules.claim_until(policy, at)))
        return document


def _wanted(request: ListUnclaimedDocumentsRequest, principal: Principal) -> Wanted:
    named = request.business_unit
    if named:
        principal.require(Verb.MOVE, named)
        units = [named]
    else:
        units = sorted(principal.business_units)
    everywhere = ALL_UNITS in principal.business_units and not named
    since = request.from_time if request.HasField("from_time") else None
    before = request.until_time if request.HasField("until_time") else None
    return Wanted(
        None if everywhere else units,
        None if since is None else to_datetime(from_timestamp(since)),
        None if before is None else to_datetime(from_timestamp(before)),
    )
