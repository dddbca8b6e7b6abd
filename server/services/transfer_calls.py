"""The calls about transfers: a step that a member wants, then those nobody has to be asked about.

A transfer is answered as it stands when the answer leaves, not as it stood when it was recorded;
what is stored under the request id is only what the caller's own step recorded.
"""

from typing import Any, Final, TypeVar

from google.protobuf.message import Message

from ledger.answers import paging
from ledger.core.instant import to_timestamp
from ledger.service import Ledger
from loyalty.v1 import ledger_service_pb2 as pb
from loyalty.v1.events_pb2 import ReturnCause, TransferKind
from loyalty.v1.types_pb2 import MemberRef, Points
from projections.transfers import FIRST_PAGE, NAME, TransferRow, transfers_of
from server.auth import Principal, Verb
from server.checking import transfers, validation
from server.rpc import Call, Rpc
from server.services.catching_up import catch_up, positions_in
from server.transferring import bring_on

WAIT_SECONDS: Final = 3.0
Question = TypeVar("Question", bound=Message)


class TransferCalls:
    """Answers the calls about transfers."""

    def __init__(self, ledger: Ledger) -> None:
        """Write to and read from `ledger`."""
        self._ledger = ledger

    def offers(self) -> list[Rpc[Any]]:
        """What LedgerService offers of them."""
        return [
            self._step("TransferPoints", pb.TransferPointsRequest, pb.TransferPointsResponse),
            self._step("AcceptTransfer", pb.AcceptTransferRequest, pb.AcceptTransferResponse),
            self._step("DeclineTransfer", pb.DeclineTransferRequest, pb.DeclineTransferResponse),
            self._step("CancelTransfer", pb.CancelTransferRequest, pb.CancelTransferResponse),
            Rpc(
                "GetTransfer",
                pb.GetTransferRequest,
                Verb.READ,
                transfers.get_transfer,
                self._get,
            ),
            Rpc(
                "ListTransfers",
                pb.ListTransfersRequest,
                Verb.READ,
                transfers.list_transfers,
                self._list,
            ),
        ]

    def _step(self, name: str, request: type[Question], response: type[Message]) -> Rpc[Question]:
        verb, check = validation.WRITES[name]

        async def answer(question: Any, call: Call) -> Message:
            given = await self._ledger.write(
                question, client=call.principal.client, deadline=call.deadline
            )
            posting = given.message
            assert isinstance(posting, pb.Posting), "a transfer is answered with a posting"
            told: dict[str, Any] = {"posting": posting}
            if not question.validate_only:
                await bring_on(self._ledger, posting.entry_id)
                told["transfer"] = await transfer_seen_by(
                    call.principal, self._ledger, posting.entry_id
                )
            return response(**told)

        return Rpc(name, request, verb, check, answer, for_unit=True)

    async def _get(self, request: pb.GetTransferRequest, call: Call) -> pb.GetTransferResponse:
        transfer = await transfer_seen_by(call.principal, self._ledger, request.transfer_id)
        return pb.GetTransferResponse(transfer=transfer)

    async def _list(self, request: pb.ListTransfersRequest, call: Call) -> pb.ListTransfersResponse:
        account, _ = await self._ledger.reads.account(request.member)
        question = pb.ListTransfersRequest(
            member=MemberRef(member_id=account.account_id), only_open=request.only_open
        )
        before = paging.behind(question, request.page_token, same="member and only_open")
        size = paging.size_of(request)
        async with self._ledger.reading.pool.acquire() as connection:
            wanted = positions_in([request.min_position])
            await catch_up(connection, NAME, wanted, seconds=WAIT_SECONDS)
            found = await transfers_of(
                connection,
                account.account_id,
                before=before or FIRST_PAGE,
                only_open=request.only_open,
                most=size + 1,
            )
        rows = [row for row in found.value if row.sent_at is not None]
        page = rows[:size]
        return pb.ListTransfersResponse(
            transfers=[_message(row, call.principal) for row in page],
            next_page_token=paging.token(question, page[-1].transfer) if len(rows) > size else "",
        )


async def transfer_seen_by(principal: Principal, ledger: Ledger, transfer_id: str) -> pb.Transfer:
    """A transfer as a client may see it. Raises UnknownTransfer."""
    transfer: pb.Transfer = await ledger.reads.transfer(transfer_id)
    if not principal.sees(transfer.business_unit):
        transfer.business_unit = ""
    return transfer


def _message(row: TransferRow, principal: Principal) -> pb.Transfer:
    """A row as callers see it; the state is told in the words of `ledger.transit`."""
    unit = row.business_unit or ""
    message = pb.Transfer(
        transfer_id=row.transfer,
        kind=TransferKind.ValueType(row.kind or 0),
        sender_id=row.sender,
        receiver_id=row.receiver,
        points=Points(currency=row.currency, amount=row.points),
        fee=row.fee or 0,
        state=_state(row),
        reason=row.reason or "",
        business_unit=unit if principal.sees(unit) else "",
    )
    if row.cause is not None:
        message.cause = ReturnCause.ValueType(row.cause)
    ended_at = row.returned_at if row.received_at is None else row.received_at
    for field, at in (
        (message.accept_until_time, row.accept_until),
        (message.sent_time, row.sent_at),
        (message.ended_time, ended_at),
    ):
        if at is not None:
            field.CopyFrom(to_timestamp(at))
    return message


def _state(row: TransferRow) -> pb.TransferState.ValueType:
    if row.returned_at is not None:
        return pb.TRANSFER_STATE_RETURNED
    if row.received_at is not None:
        arrived = row.completed_at is not None
        return pb.TRANSFER_STATE_COMPLETED if arrived else pb.TRANSFER_STATE_RECEIVED
    waits = row.accept_until is not None
    return pb.TRANSFER_STATE_AWAITING_ACCEPTANCE if waits else pb.TRANSFER_STATE_IN_TRANSIT
