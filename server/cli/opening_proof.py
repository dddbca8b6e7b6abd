"""The proof of an import: each row of the file against what stands in the ledger of it."""

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import grpc

from loyalty.v1 import ledger_service_pb2 as pb
from loyalty.v1.ledger_service_pb2_grpc import LedgerServiceStub
from loyalty.v1.types_pb2 import OpeningLot
from server.cli.opening_rows import OpeningRow, SourceFile, opening_rows
from server.cli.sending import CALL_SECONDS, metadata

if TYPE_CHECKING:
    from loyalty.v1.ledger_service_pb2_grpc import LedgerServiceAsyncStub

PAGE: Final = 1_000
EXACT: Final = "exact"
MISSING: Final = "missing"
DIFFERENT: Final = "different"
UNREADABLE: Final = "unreadable"
COLUMNS: Final = ("line", "row", "verdict", "what")

Sums = Counter[tuple[str, str]]
"""Points by (currency, issuer)."""


@dataclass(slots=True)
class Proof:
    """What a comparison found."""

    verdicts: Counter[str] = field(default_factory=Counter)
    in_file: Sums = field(default_factory=Counter)
    in_ledger: Sums = field(default_factory=Counter)
    digest: str = ""
    """Of the file that the ledger's rows are from."""
    recorded_rows: int = 0
    """Rows of the source that stand in the ledger."""

    @property
    def rows(self) -> int:
        """Rows of the file."""
        return self.verdicts.total()

    def holds(self, file: SourceFile) -> bool:
        """Whether the ledger has exactly this file."""
        return (
            self.digest == file.digest
            and self.verdicts[EXACT] == self.rows == self.recorded_rows
            and self.in_file == self.in_ledger
        )


async def prove(
    channel: grpc.aio.Channel,
    file: SourceFile,
    listed: Path,
    *,
    token: str,
    advanced: Callable[[int], None],
) -> Proof:
    """Compare all rows, and write a line about each to `listed`."""
    stub: LedgerServiceAsyncStub = LedgerServiceStub(channel)
    proof = Proof()
    with listed.open("w", newline="", encoding="utf-8") as text:
        lines = csv.writer(text)
        lines.writerow(COLUMNS)
        rows = opening_rows(file, enrol=False)
        while page := list(islice(rows, PAGE)):
            told = await stub.GetOpenings(
                pb.GetOpeningsRequest(source=file.source, rows=list(_questions(page))),
                metadata=metadata(token),
                timeout=CALL_SECONDS,
            )
            _compare(page, told, proof, lines)
            advanced(len(page))
    last = await stub.GetOpenings(
        pb.GetOpeningsRequest(source=file.source, count=True),
        metadata=metadata(token),
        timeout=CALL_SECONDS,
    )
    proof.digest, proof.recorded_rows = last.source_digest, last.recorded_rows
    return proof


def _questions(page: Iterable[OpeningRow]) -> Iterator[pb.OpeningQuestion]:
    for row in page:
        if row.request is not None:
            yield pb.OpeningQuestion(row=row.name, member=row.request.member)


def _compare(
    page: Sequence[OpeningRow], told: pb.GetOpeningsResponse, proof: Proof, lines: Any
) -> None:
    found = iter(told.rows)
    for row in page:
        if row.request is None:
            verdict, what = UNREADABLE, row.problem
        else:
            stands = next(found)
            proof.in_file.update(_sums(row.request.lots))
            proof.in_ledger.update(_sums(stands.lots))
            what = _difference(row.request, stands) if stands.recorded else ""
            verdict = MISSING if not stands.recorded else DIFFERENT if what else EXACT
        proof.verdicts[verdict] += 1
        lines.writerow((row.number + 1, row.name, verdict, what))


def _sums(lots: Iterable[OpeningLot]) -> Sums:
    sums: Sums = Counter()
    for lot in lots:
        sums[lot.currency, lot.business_unit] += lot.points
    return sums


def _difference(stated: pb.RecordOpeningRequest, stands: pb.OpeningRow) -> str:
    """What differs; empty when the row is exactly there."""
    if stands.member != pb.OPENING_MEMBER_SAME:
        return f"it belongs to member {stands.member_id}, whom the file's identity does not name"
    for number, (had, has) in enumerate(zip_longest(_whole(stated.lots), stands.lots), 1):
        if had != has:
            return f"lot {number} is {_shown(has)}, the file has {_shown(had)}"
    for name in ("metrics", "tier", "member_since_time"):
        if getattr(stated, name) != getattr(stands, name):
            return f"{name} differs"
    return ""


def _whole(lots: Iterable[OpeningLot]) -> Iterator[OpeningLot]:
    """Lots with the funder that an empty one means."""
    for lot in lots:
        whole = OpeningLot()
        whole.CopyFrom(lot)
        whole.funder = lot.funder or lot.business_unit
        yield whole


def _shown(lot: OpeningLot | None) -> str:
    return "not there" if lot is None else " ".join(str(lot).split())
