"""Import of a transaction file: every document through gRPC, safe to run again, nothing lost."""

import asyncio
import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

import grpc

from ledger.core.instant import to_timestamp
from loyalty.v1 import ledger_service_pb2 as ledger_pb
from loyalty.v1 import member_service_pb2 as member_pb
from loyalty.v1 import types_pb2 as types_pb
from loyalty.v1.ledger_service_pb2_grpc import LedgerServiceStub
from loyalty.v1.member_service_pb2_grpc import MemberServiceStub
from server.cli.calling import id_from
from server.cli.rows import ReadDocument
from server.cli.sending import BATCH_ITEMS, CALL_SECONDS, Tally, chunks, metadata, reason_of, send

if TYPE_CHECKING:
    from loyalty.v1.ledger_service_pb2_grpc import LedgerServiceAsyncStub
    from loyalty.v1.member_service_pb2_grpc import MemberServiceAsyncStub

IN_FLIGHT: Final = 3
UNKNOWN_MEMBER: Final = "UNKNOWN_MEMBER"
REJECT_COLUMNS: Final = (
    "first_row",
    "business_unit",
    "source",
    "document_id",
    "version",
    "reason",
    "message",
)


@dataclass(frozen=True, slots=True)
class Reject:
    """A document that was not recorded, and why."""

    document: ReadDocument
    reason: str
    message: str


@dataclass(slots=True)
class Summary:
    """What an import did. `rounded` is what rounding lines to minor units added, by currency."""

    documents: int = 0
    tally: Tally = field(default_factory=Tally)
    enrolled: int = 0
    rounded: dict[str, Decimal] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)


class Import:
    """One run over one file's documents."""

    def __init__(self, channel: grpc.aio.Channel, *, token: str, enrol: bool) -> None:
        """Send through `channel`; with `enrol`, members nobody knows are enrolled first."""
        self._ledger: LedgerServiceAsyncStub = LedgerServiceStub(channel)
        self._members: MemberServiceAsyncStub = MemberServiceStub(channel)
        self._token = token
        self._enrol = enrol
        self.summary = Summary()

    async def run(
        self, documents: Sequence[ReadDocument], *, advanced: Callable[[int], None]
    ) -> Summary:
        """Send all documents; `advanced` is told how many more are done.

        Raises:
            grpc.aio.AioRpcError: the server cannot be reached or refuses the caller. Running the
                import again goes on where it stopped: what was recorded is answered as replayed.
        """
        summary = self.summary
        summary.documents = len(documents)
        sound = [document for document in documents if not document.problem]
        for document in documents:
            if document.problem:
                self._reject(document, "MALFORMED", document.problem)
        advanced(len(documents) - len(sound))
        batches = _batches(sound)
        await asyncio.gather(*(self._work(batches, advanced) for _ in range(IN_FLIGHT)))
        summary.rejects.sort(key=lambda reject: reject.document.first_row)
        return summary

    async def _work(
        self,
        batches: Iterator[list[tuple[ReadDocument, ledger_pb.BatchItem]]],
        advanced: Callable[[int], None],
    ) -> None:
        for batch in batches:
            results = await send(self._ledger, [item for _, item in batch], token=self._token)
            if self._enrol:
                await self._send_again_enrolled(batch, results)
            for (document, _), result in zip(batch, results, strict=True):
                self._count(document, result)
            advanced(len(batch))

    async def _send_again_enrolled(
        self,
        batch: Sequence[tuple[ReadDocument, ledger_pb.BatchItem]],
        results: list[ledger_pb.BatchResult],
    ) -> None:
        """Enrol those whom the answers call unknown, and put the new answers in their place."""
        unknown = [
            index
            for index, result in enumerate(results)
            if result.HasField("refusal") and reason_of(result.refusal) == UNKNOWN_MEMBER
        ]
        if not unknown:
            return
        newcomers = {batch[index][0].member: batch[index][0] for index in unknown}
        await asyncio.gather(*(self._enrol_member(first) for first in newcomers.values()))
        again = await send(self._ledger, [batch[index][1] for index in unknown], token=self._token)
        for index, result in zip(unknown, again, strict=True):
            results[index] = result

    async def _enrol_member(self, document: ReadDocument) -> None:
        assert document.member is not None, "a document without a member knows no unknown one"
        scheme, value = document.member
        request = member_pb.EnrolMemberRequest(
            request_id=id_from("loyalty import", "enrol", document.business_unit, scheme, value),
            origin=types_pb.Origin(business_unit=document.business_unit, channel="import"),
            identities=[types_pb.Identity(scheme=scheme, value=value)],
        )
        try:
            answer = await self._members.EnrolMember(
                request, metadata=metadata(self._token), timeout=CALL_SECONDS
            )
        except grpc.aio.AioRpcError as error:
            # Another batch, or another import, was faster: then the member is known by now.
            if error.code() != grpc.StatusCode.ALREADY_EXISTS:
                raise
            return
        self.summary.enrolled += not answer.replayed

    def _count(self, document: ReadDocument, result: ledger_pb.BatchResult) -> None:
        self.summary.tally.count(result)
        if result.HasField("refusal"):
            status = result.refusal
            self.summary.rejects.append(Reject(document, reason_of(status), status.message))
            return
        rounded = self.summary.rounded
        code = document.currency_code
        added = sum((line.rounded for line in document.lines), Decimal(0))
        rounded[code] = rounded.get(code, Decimal(0)) + added

    def _reject(self, document: ReadDocument, reason: str, message: str) -> None:
        self.summary.tally.refused[reason] += 1
        self.summary.rejects.append(Reject(document, reason, message))


def _batches(
    documents: Iterable[ReadDocument],
) -> Iterator[list[tuple[ReadDocument, ledger_pb.BatchItem]]]:
    """Batches of documents with their writes, made one by one as they are asked for."""
    window: list[ReadDocument] = []
    for document in documents:
        window.append(document)
        if len(window) == BATCH_ITEMS:
            yield from _paired(window)
            window = []
    yield from _paired(window)


def _paired(
    window: list[ReadDocument],
) -> Iterator[list[tuple[ReadDocument, ledger_pb.BatchItem]]]:
    begin = 0
    for items in chunks(map(write_of, window)):
        yield list(zip(window[begin : begin + len(items)], items, strict=True))
        begin += len(items)


def write_of(document: ReadDocument) -> ledger_pb.BatchItem:
    """The write for a document; its request id depends on the document's key alone."""
    scheme, value = document.member or ("", "")
    identity = types_pb.Identity(scheme=scheme, value=value)
    member = types_pb.MemberRef(identity=identity) if document.member else None
    return ledger_pb.BatchItem(
        post_document=ledger_pb.PostDocumentRequest(
            request_id=id_from("loyalty import", "document", *map(str, document.key)),
            origin=types_pb.Origin(
                business_unit=document.business_unit,
                channel=document.channel,
                store=document.store,
                occurred_time=to_timestamp(document.occurred_at),
                business_date=document.business_date,
            ),
            member=member,
            document=types_pb.Document(
                source=document.source,
                document_id=document.document_id,
                version=document.version,
                kind=types_pb.DocumentKind.Value(f"DOCUMENT_KIND_{document.kind.upper()}"),
                status=types_pb.DocumentStatus.Value(f"DOCUMENT_STATUS_{document.status.upper()}"),
                currency_code=document.currency_code,
                lines=[
                    types_pb.DocumentLine(
                        line_id=line.line_id,
                        category=line.category,
                        quantity=line.quantity,
                        net_minor_units=line.net,
                    )
                    for line in document.lines
                ],
            ),
        )
    )


def write_rejects(path: Path, rejects: Iterable[Reject]) -> None:
    """Write what was not recorded as CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(REJECT_COLUMNS)
        for reject in rejects:
            document = reject.document
            rows.writerow((document.first_row, *document.key, reject.reason, reject.message))
