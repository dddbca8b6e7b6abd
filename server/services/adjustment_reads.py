"""ListAdjustments: adjustments by hand, from the read side, page by page."""

from datetime import datetime
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from ledger.answers import paging
from ledger.core.instant import from_datetime, to_timestamp
from ledger.service import Ledger
from loyalty.v1 import ledger_service_pb2 as pb
from loyalty.v1.types_pb2 import Points
from projections.adjustments import NAME, Adjustment, Wanted, list_adjustments
from server.auth import ALL_UNITS, Principal, Verb
from server.services.catching_up import catch_up, positions_in

CATCH_UP_SECONDS: Final = 2.0


class AdjustmentReads:
    """Answers from the projection `adjustments`."""

    def __init__(self, ledger: Ledger) -> None:
        """Read beside `ledger`, whose pseudonyms of operators and whose members it knows."""
        self._ledger = ledger

    async def page(
        self, request: pb.ListAdjustmentsRequest, principal: Principal
    ) -> pb.ListAdjustmentsResponse:
        """A page. Raises Permission, UnknownMember, Malformed, NotServing."""
        wanted = Wanted(
            state=_state(request.state),
            units=_units(request.business_unit, principal),
            account=await self._account(request),
            operator=self._ledger.pseudonym(request.operator),
        )
        size = paging.size_of(request)
        async with self._ledger.reading.pool.acquire() as connection:
            await catch_up(
                connection,
                NAME,
                positions_in([request.min_position]),
                seconds=CATCH_UP_SECONDS,
                late="the list of adjustments is behind",
            )
            found = await list_adjustments(
                connection,
                wanted,
                now=self._ledger.now(),
                below=paging.behind(request, request.page_token),
                limit=size + 1,
            )
        rows = found.value
        answer = pb.ListAdjustmentsResponse(adjustments=[_told(row) for row in rows[:size]])
        if len(rows) > size:
            answer.next_page_token = paging.token(request, rows[size - 1].adjustment)
        return answer

    async def _account(self, request: pb.ListAdjustmentsRequest) -> str:
        if not request.HasField("member"):
            return ""
        return (await self._ledger.reads.member(request.member)).member_id


def _units(named: str, principal: Principal) -> list[str] | None:
    """The units whose adjustments are shown; None for all of them."""
    principal.require(Verb.ADJUST if Verb.ADJUST in principal.verbs else Verb.APPROVE, named)
    if named:
        return [named]
    return None if ALL_UNITS in principal.business_units else sorted(principal.business_units)


def _state(state: pb.AdjustmentState.ValueType) -> str:
    if state == pb.ADJUSTMENT_STATE_UNSPECIFIED:
        return ""
    return pb.AdjustmentState.Name(state).removeprefix("ADJUSTMENT_STATE_")


def _told(row: Adjustment) -> pb.Adjustment:
    return pb.Adjustment(
        adjustment_id=row.adjustment,
        state=pb.AdjustmentState.Value(f"ADJUSTMENT_STATE_{row.state}"),
        member_id=row.account,
        business_unit=row.business_unit,
        points=Points(currency=row.currency, amount=row.amount),
        reason=row.reason,
        note=row.note,
        actor=row.actor,
        decided_by=row.decided_by,
        entry_id=row.entry,
        propose_time=_stamp(row.proposed_at),
        valid_until_time=_stamp(row.valid_until),
        decide_time=_stamp(row.decided_at),
    )


def _stamp(at: datetime | None) -> Timestamp | None:
    return None if at is None else to_timestamp(from_datetime(at))
