"""LedgerService: the writes, one by one, in batches, and in streams of batches."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final, TypeVar

import grpc
import structlog
from google.protobuf.message import Message

from ledger.act import Answer
from ledger.core.refusals import AtomicRefused, Malformed, Refusal
from ledger.core.wire import nested, tag_of
from ledger.service import Ledger
from ledger.writes import WriteRequest
from loyalty.v1 import ledger_service_pb2 as pb
from server.auth import Verb
from server.checking import adjusting, asking, moving, openings, validation
from server.metrics import Metrics
from server.paths import place
from server.rpc import Call, Dialogue, Door, Rpc
from server.services.adjustment_reads import AdjustmentReads
from server.services.transfer_calls import TransferCalls
from server.status import status_of

SERVICE: Final = "loyalty.v1.LedgerService"
BREATH: Final = 100
"""Items checked before other callers get a turn: a till must not wait for an import."""
Question = TypeVar("Question", bound=Message)
_BATCH_RESULT: Final = tag_of(pb.BatchPostResponse, "results")
_STREAM_RESULT: Final = tag_of(pb.PostStreamResponse, "results")
_POSTING: Final = tag_of(pb.BatchResult, "posting")
log = structlog.get_logger(__name__)


class LedgerServicer:
    """Hands writes to the ledger."""

    def __init__(self, ledger: Ledger, metrics: Metrics) -> None:
        """Write to `ledger`; count the items that are refused."""
        self._ledger = ledger
        self._metrics = metrics
        self._adjustments = AdjustmentReads(ledger)

    def handler(self, door: Door) -> grpc.GenericRpcHandler:
        """Return what gRPC serves."""
        return door.service(
            SERVICE,
            self._write("PostDocument", pb.PostDocumentRequest, pb.PostDocumentResponse),
            self._write("EarnPoints", pb.EarnPointsRequest, pb.EarnPointsResponse),
            self._write("RecordActivity", pb.RecordActivityRequest, pb.RecordActivityResponse),
            self._write("ClaimDocument", pb.ClaimDocumentRequest, pb.ClaimDocumentResponse),
            self._write("MoveDocument", pb.MoveDocumentRequest, pb.MoveDocumentResponse),
            self._write("BurnPoints", pb.BurnPointsRequest, pb.BurnPointsResponse),
            self._write("HoldPoints", pb.HoldPointsRequest, pb.HoldPointsResponse),
            self._write("CaptureHold", pb.CaptureHoldRequest, pb.CaptureHoldResponse),
            self._write("ReleaseHold", pb.ReleaseHoldRequest, pb.ReleaseHoldResponse),
            self._write("ReverseEntry", pb.ReverseEntryRequest, pb.ReverseEntryResponse),
            self._write("AdvanceAccount", pb.AdvanceAccountRequest, pb.AdvanceAccountResponse),
            self._write("ConvertPoints", pb.ConvertPointsRequest, pb.ConvertPointsResponse),
            self._write(
                "ContinueTransfer", pb.ContinueTransferRequest, pb.ContinueTransferResponse
            ),
            *TransferCalls(self._ledger).offers(),
            self._write("AdjustPoints", pb.AdjustPointsRequest, pb.AdjustPointsResponse),
            self._write(
                "ApproveAdjustment", pb.ApproveAdjustmentRequest, pb.ApproveAdjustmentResponse
            ),
            self._write(
                "RejectAdjustment", pb.RejectAdjustmentRequest, pb.RejectAdjustmentResponse
            ),
            self._write("ExtendLot", pb.ExtendLotRequest, pb.ExtendLotResponse),
            self._write("RecallPoints", pb.RecallPointsRequest, pb.RecallPointsResponse),
            Rpc(
                "QuoteDocument",
                pb.QuoteDocumentRequest,
                Verb.READ,
                asking.quote_document,
                self._quote,
                for_unit=True,
            ),
            self._write("RecordOpening", pb.RecordOpeningRequest, pb.RecordOpeningResponse),
            Rpc(
                "GetOpenings",
                pb.GetOpeningsRequest,
                Verb.READ,
                openings.get_openings,
                self._openings,
            ),
            Rpc(
                "ListAdjustments",
                pb.ListAdjustmentsRequest,
                None,
                adjusting.list_adjustments,
                self._adjustments_page,
            ),
            Rpc("BatchPost", pb.BatchPostRequest, None, _check_batch, self._batch_post),
            Dialogue("PostStream", pb.PostStreamRequest, self._post_stream),
        )

    def _write(self, name: str, request: type[Question], response: type[Message]) -> Rpc[Question]:
        verb, check = validation.WRITES[name]
        tag = tag_of(response, "posting")

        async def answer(question: Any, call: Call) -> bytes:
            moving.require_more(question, call.principal)
            given = await self._ledger.write(
                question, client=call.principal.client, deadline=call.deadline
            )
            return nested(tag, given.encoded)

        return Rpc(name, request, verb, check, answer, for_unit=True)

    async def _quote(
        self, request: pb.QuoteDocumentRequest, call: Call
    ) -> pb.QuoteDocumentResponse:
        if request.HasField("policy_document"):
            # To read and compile a document takes long: it is for those who write them.
            call.principal.require(Verb.POLICY)
        return await self._ledger.quotes.quote(request, client=call.principal.client)

    async def _openings(self, request: pb.GetOpeningsRequest, _: Call) -> pb.GetOpeningsResponse:
        return await self._ledger.openings.rows(request)

    async def _adjustments_page(
        self, request: pb.ListAdjustmentsRequest, call: Call
    ) -> pb.ListAdjustmentsResponse:
        return await self._adjustments.page(request, call.principal)

    async def _batch_post(self, request: pb.BatchPostRequest, call: Call) -> bytes:
        results = await self._results(request.items, call, atomic=request.atomic)
        return b"".join([nested(_BATCH_RESULT, result) for result in results])

    async def _post_stream(
        self, requests: AsyncIterator[pb.PostStreamRequest], call: Call
    ) -> AsyncIterator[bytes]:
        async for request in requests:
            validation.batch(request.items, atomic=request.atomic)
            results = await self._results(request.items, call, atomic=request.atomic)
            begin = pb.PostStreamResponse(sequence=request.sequence).SerializeToString()
            yield begin + b"".join([nested(_STREAM_RESULT, result) for result in results])

    async def _results(
        self, items: Sequence[pb.BatchItem], call: Call, *, atomic: bool
    ) -> list[bytes]:
        """Bytes of the BatchResult of every item."""
        admitted: list[WriteRequest] = []
        outcomes: list[Answer | Refusal | None] = []
        for index, item in enumerate(items):
            if index % BREATH == BREATH - 1:
                await asyncio.sleep(0)
            try:
                admitted.append(_admitted(item, call))
                outcomes.append(None)
            except Refusal as refusal:
                outcomes.append(refusal)
        first = next((place for place, outcome in enumerate(outcomes) if outcome), None)
        if atomic and first is not None:
            return self._told(_all_refused(outcomes, first), items, call)
        written = iter(
            await self._ledger.write_batch(
                admitted, client=call.principal.client, atomic=atomic, deadline=call.deadline
            )
            if admitted
            else ()
        )
        return self._told([outcome or next(written) for outcome in outcomes], items, call)

    def _told(
        self, outcomes: Sequence[Answer | Refusal], items: Sequence[pb.BatchItem], call: Call
    ) -> list[bytes]:
        return [
            nested(_POSTING, outcome.encoded)
            if isinstance(outcome, Answer)
            else self._refusal(outcome, index, items[index], call).SerializeToString()
            for index, outcome in enumerate(outcomes)
        ]

    def _refusal(
        self, refusal: Refusal, index: int, item: pb.BatchItem, call: Call
    ) -> pb.BatchResult:
        kind = item.WhichOneof("write")
        request: Any = getattr(item, kind) if kind is not None else None
        place(refusal, request)
        self._metrics.told(refusal.reason, refusal)
        log.info(
            "item_refused",
            reason=refusal.reason,
            fields=refusal.fields,
            item=index,
            request_id=request.request_id if request is not None else "",
            client=call.principal.client,
        )
        return pb.BatchResult(refusal=status_of(refusal))


def _admitted(item: pb.BatchItem, call: Call) -> WriteRequest:
    """Return the write of an item. Raises Permission or Malformed."""
    kind = item.WhichOneof("write")
    if kind is None:
        raise Malformed(field="write", value="", expected="exactly one write")
    verb, check = validation.ITEMS[kind]
    request: Any = getattr(item, kind)
    call.principal.require(verb, request.origin.business_unit)
    check(request)
    moving.require_more(request, call.principal)
    return request  # type: ignore[no-any-return]


def _all_refused(outcomes: Sequence[Answer | Refusal | None], first: int) -> list[Refusal]:
    """Refuse the well-formed items of an atomic batch because of the first that is not."""
    cause = outcomes[first]
    assert isinstance(cause, Refusal)
    return [
        outcome
        if isinstance(outcome, Refusal)
        else AtomicRefused(index=first, refused_as=cause.reason)
        for outcome in outcomes
    ]


def _check_batch(request: pb.BatchPostRequest) -> None:
    validation.batch(request.items, atomic=request.atomic)
