"""AccountService: what a member has, and how it came about.

Points are the group's, so every reader sees the balances and the lots whole. What another unit did
is not this reader's to know: its holds, its documents and its lines of the statement are left out.
"""

from collections.abc import Iterable
from typing import Final

import grpc

from ledger.answers.postings import account_message
from ledger.core.refusals import UnknownDocument
from ledger.service import Ledger
from loyalty.v1 import account_service_pb2 as pb
from server.auth import Principal, Verb
from server.checking import asking, moving, validation
from server.rpc import Call, Door, Rpc
from server.services.unclaimed_reads import UnclaimedReads

SERVICE: Final = "loyalty.v1.AccountService"


class AccountServicer:
    """Reads accounts."""

    def __init__(self, ledger: Ledger) -> None:
        """Read from `ledger`."""
        self._ledger = ledger

    def handler(self, door: Door) -> grpc.GenericRpcHandler:
        """Return what gRPC serves."""
        return door.service(
            SERVICE,
            Rpc("GetAccount", pb.GetAccountRequest, Verb.READ, validation.get_account, self._get),
            Rpc("GetTier", pb.GetTierRequest, Verb.READ, validation.get_tier, self._tier),
            Rpc(
                "ListEntries",
                pb.ListEntriesRequest,
                Verb.READ,
                validation.list_entries,
                self._entries,
            ),
            Rpc(
                "ExplainEntry",
                pb.ExplainEntryRequest,
                Verb.READ,
                asking.explain_entry,
                self._explain,
            ),
            Rpc(
                "GetDocument",
                pb.GetDocumentRequest,
                Verb.READ,
                moving.get_document,
                self._document,
            ),
            Rpc(
                "ListUnclaimedDocuments",
                pb.ListUnclaimedDocumentsRequest,
                Verb.MOVE,
                moving.list_unclaimed,
                self._unclaimed,
            ),
        )

    async def _get(self, request: pb.GetAccountRequest, call: Call) -> pb.GetAccountResponse:
        if request.as_named:
            call.principal.require(Verb.AUDIT)
        found = await self._ledger.reads.found(
            request.member,
            min_position=request.min_position,
            as_of=request.as_of,
            as_named=request.as_named,
        )
        full = request.view == pb.VIEW_FULL
        message = account_message(found.account, full=full, position=found.position)
        if full:
            _leave_out_foreign(message, call.principal)
        return pb.GetAccountResponse(account=message, merged_into=found.merged_into)

    async def _tier(self, request: pb.GetTierRequest, call: Call) -> pb.GetTierResponse:
        reads = self._ledger.reads
        answer = await reads.tier(request.member, min_position=request.min_position)
        if request.changes:
            answer.changes.extend(await reads.tier_changes(request, call.principal.sees))
        return answer

    async def _entries(self, request: pb.ListEntriesRequest, call: Call) -> pb.ListEntriesResponse:
        if request.as_named:
            call.principal.require(Verb.AUDIT)
        response = await self._ledger.reads.entries(request)
        known = [entry for entry in response.entries if call.principal.sees(entry.business_unit)]
        if len(known) != len(response.entries):
            del response.entries[:]
            response.entries.extend(known)
        return response

    async def _explain(
        self, request: pb.ExplainEntryRequest, call: Call
    ) -> pb.ExplainEntryResponse:
        return await self._ledger.explanations.explain(request, call.principal.sees)

    async def _document(self, request: pb.GetDocumentRequest, call: Call) -> pb.GetDocumentResponse:
        if not call.principal.sees(request.document.partition("/")[0]):
            raise UnknownDocument(document=request.document)
        return await self._ledger.documents.get(request)

    async def _unclaimed(
        self, request: pb.ListUnclaimedDocumentsRequest, call: Call
    ) -> pb.ListUnclaimedDocumentsResponse:
        return await UnclaimedReads(self._ledger).page(request, call.principal)


def _leave_out_foreign(message: pb.Account, principal: Principal) -> None:
    holds = [hold for hold in message.holds if principal.sees(hold.business_unit)]
    if len(holds) != len(message.holds):
        del message.holds[:]
        message.holds.extend(holds)
    _blank_foreign(message.lots, principal)
    _blank_foreign(message.debts, principal)
    _blank_foreign(message.benefits, principal)


def _blank_foreign(parts: Iterable[pb.Lot | pb.Debt | pb.Benefit], principal: Principal) -> None:
    for part in parts:
        if not principal.sees(part.document.partition("/")[0]):
            part.document = ""
