"""Import of an older programme's balances: every row through gRPC, safe to run again."""

import asyncio
import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import grpc
from google.rpc.status_pb2 import Status

from loyalty.v1 import ledger_service_pb2 as pb
from loyalty.v1.ledger_service_pb2_grpc import LedgerServiceStub
from server.cli.from_files import SHOWN_REJECTS
from server.cli.opening_rows import OpeningRow, SourceFile, opening_rows
from server.cli.sending import BATCH_ITEMS, CALL_SECONDS, Tally, metadata, reason_of, send

if TYPE_CHECKING:
    from loyalty.v1.ledger_service_pb2_grpc import LedgerServiceAsyncStub

IN_FLIGHT: Final = 3
REJECT_COLUMNS: Final = ("line", "row", "reason", "message")
CHANGED: Final = "OPENING_SOURCE_CHANGED"


class SourceChanged(Exception):
    """The source was begun with another file."""

    def __init__(self, file: SourceFile, first: str) -> None:
        """Keep the words of the message."""
        super().__init__(
            f"source {file.source!r} was begun with the file of digest {first},"
            f" {file.path.name} has digest {file.digest}"
        )


@dataclass(slots=True)
class Summary:
    """What an import did."""

    rows: int = 0
    tally: Tally = field(default_factory=Tally)
    rejects: int = 0


class Rejects:
    """A file of what was refused; it is there only if something was."""

    def __init__(self, path: Path) -> None:
        """Write to `path` when there is something to write."""
        self.path = path
        self._open = ExitStack()
        self._rows: Any = None
        self.first: list[str] = []
        """The first of them, as they are told on the screen."""

    def add(self, row: OpeningRow, reason: str, message: str) -> None:
        """List a row."""
        if self._rows is None:
            text = self._open.enter_context(self.path.open("w", newline="", encoding="utf-8"))
            self._rows = csv.writer(text)
            self._rows.writerow(REJECT_COLUMNS)
        # The first line of a file names its columns.
        line = row.number + 1
        self._rows.writerow((line, row.name, reason, message))
        if len(self.first) < SHOWN_REJECTS:
            self.first.append(f"line {line}: {message}")

    def close(self) -> None:
        """Finish the file; one of an earlier run, where nothing was refused now, goes."""
        self._open.close()
        if self._rows is None:
            self.path.unlink(missing_ok=True)


class OpeningImport:
    """One run over one file."""

    def __init__(self, channel: grpc.aio.Channel, *, token: str, rejects: Rejects) -> None:
        """Send through `channel`."""
        self._ledger: LedgerServiceAsyncStub = LedgerServiceStub(channel)
        self._token = token
        self._rejects = rejects
        self.summary = Summary()

    async def run(
        self,
        file: SourceFile,
        *,
        enrol: bool,
        dry_run: bool,
        advanced: Callable[[int], None],
    ) -> Summary:
        """Send all rows; `advanced` is told how many more are done.

        Raises:
            SourceChanged: the source was begun with another file; nothing is sent.
            grpc.aio.AioRpcError: the server cannot be reached or refuses the caller. Running the
                import again goes on where it stopped: what was recorded is answered as replayed.
        """
        await self._require_same(file)
        batches = self._batches(opening_rows(file, enrol=enrol, dry_run=dry_run), advanced)
        await asyncio.gather(*(self._work(file, batches, advanced) for _ in range(IN_FLIGHT)))
        return self.summary

    async def _require_same(self, file: SourceFile) -> None:
        question = pb.GetOpeningsRequest(source=file.source)
        told = await self._ledger.GetOpenings(
            question, metadata=metadata(self._token), timeout=CALL_SECONDS
        )
        if told.source_digest not in ("", file.digest):
            raise SourceChanged(file, told.source_digest)

    def _batches(
        self, rows: Iterator[OpeningRow], advanced: Callable[[int], None]
    ) -> Iterator[list[OpeningRow]]:
        """Rows that can be sent, by the thousand; the others are listed."""
        batch: list[OpeningRow] = []
        for row in rows:
            self.summary.rows += 1
            if row.request is None:
                self._reject(row, "MALFORMED", row.problem)
                advanced(1)
                continue
            batch.append(row)
            if len(batch) == BATCH_ITEMS:
                yield batch
                batch = []
        if batch:
            yield batch

    async def _work(
        self,
        file: SourceFile,
        batches: Iterator[list[OpeningRow]],
        advanced: Callable[[int], None],
    ) -> None:
        for batch in batches:
            items = [pb.BatchItem(record_opening=row.request) for row in batch]
            self._count(file, batch, await send(self._ledger, items, token=self._token))
            advanced(len(batch))

    def _count(
        self, file: SourceFile, batch: Sequence[OpeningRow], results: Sequence[pb.BatchResult]
    ) -> None:
        for row, result in zip(batch, results, strict=True):
            if not result.HasField("refusal"):
                self.summary.tally.count(result)
                continue
            reason = reason_of(result.refusal)
            if reason == CHANGED:
                raise SourceChanged(file, _first(result.refusal))
            self._reject(row, reason, result.refusal.message)

    def _reject(self, row: OpeningRow, reason: str, message: str) -> None:
        self.summary.tally.refused[reason] += 1
        self.summary.rejects += 1
        self._rejects.add(row, reason, message)


def _first(refusal: Status) -> str:
    """Digest of the file that a source was begun with, as the refusal tells it."""
    from google.rpc.error_details_pb2 import ErrorInfo

    for detail in refusal.details:
        info = ErrorInfo()
        if detail.Unpack(info):
            return info.metadata["first"]
    return ""
