"""AuditService: the history itself.

A token with every business unit follows the whole history; one with some of them has to say which
of these it follows, and cannot check the whole.
"""

from collections.abc import AsyncIterator
from typing import Final

import grpc

from ledger.service import Ledger
from loyalty.v1 import audit_service_pb2 as pb
from server.auth import ALL_UNITS, Verb
from server.checking import periods, recalls, validation
from server.rpc import Call, Door, Feed, Rpc
from server.services.lot_traces import LotTraces
from server.services.settlement_reads import SettlementReads

SERVICE: Final = "loyalty.v1.AuditService"


class AuditServicer:
    """Streams what is recorded, checks it, and settles it."""

    def __init__(self, ledger: Ledger) -> None:
        """Read from `ledger`."""
        self._ledger = ledger
        self._settlements = SettlementReads(ledger)
        self._traces = LotTraces(ledger)

    def handler(self, door: Door) -> grpc.GenericRpcHandler:
        """Return what gRPC serves."""
        return door.service(
            SERVICE,
            Feed(
                "StreamEvents",
                pb.StreamEventsRequest,
                Verb.AUDIT,
                validation.stream_events,
                self._stream,
            ),
            Feed(
                "VerifyHistory",
                pb.VerifyHistoryRequest,
                Verb.AUDIT,
                validation.verify_history,
                self._verify,
            ),
            Rpc(
                "ClosePeriod",
                pb.ClosePeriodRequest,
                Verb.SETTLE,
                periods.close_period,
                self._close,
            ),
            Rpc(
                "ListPeriods",
                pb.ListPeriodsRequest,
                Verb.AUDIT,
                periods.list_periods,
                self._periods,
            ),
            Rpc(
                "GetSettlement",
                pb.GetSettlementRequest,
                Verb.AUDIT,
                periods.get_settlement,
                self._settlement,
            ),
            Rpc(
                "TraceLots",
                pb.TraceLotsRequest,
                Verb.RECALL,
                recalls.trace_lots,
                self._trace,
            ),
        )

    async def _trace(self, request: pb.TraceLotsRequest, call: Call) -> pb.TraceLotsResponse:
        call.principal.require(Verb.RECALL, ALL_UNITS)
        return await self._traces.page(request)

    async def _stream(
        self, request: pb.StreamEventsRequest, call: Call
    ) -> AsyncIterator[pb.StreamEventsResponse]:
        call.principal.require(Verb.AUDIT, request.business_unit or ALL_UNITS)
        async for batch in self._ledger.history.follow(
            {position.lane: position.next_pos for position in request.positions},
            follow=request.follow,
            business_unit=request.business_unit,
            decode=request.decode,
        ):
            yield batch

    async def _verify(
        self, request: pb.VerifyHistoryRequest, call: Call
    ) -> AsyncIterator[pb.VerifyHistoryResponse]:
        call.principal.require(Verb.AUDIT, ALL_UNITS)
        async for progress in self._ledger.verify(skip_awards=request.skip_awards):
            yield progress

    async def _close(self, request: pb.ClosePeriodRequest, call: Call) -> pb.ClosePeriodResponse:
        call.principal.require(Verb.SETTLE, ALL_UNITS)
        given = await self._ledger.write(
            request, client=call.principal.client, deadline=call.deadline
        )
        period = given.message
        assert isinstance(period, pb.Period), "a closing is answered with a period"
        return pb.ClosePeriodResponse(period=period, replayed=given.replayed)

    async def _periods(
        self, _request: pb.ListPeriodsRequest, _call: Call
    ) -> pb.ListPeriodsResponse:
        return await self._settlements.periods()

    async def _settlement(
        self, request: pb.GetSettlementRequest, call: Call
    ) -> pb.GetSettlementResponse:
        return await self._settlements.settlement(request, call.principal)
