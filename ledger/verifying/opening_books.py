"""Books of opening balances: a row's lots are all there, each row once, each source one file."""

from collections.abc import Iterator

from ledger.core.events import AccountFact
from ledger.lanes import OPENING
from ledger.verifying.findings import Finding, Reason
from ledger.verifying.purse_books import DocumentPlaces
from loyalty.v1.events_pb2 import OpeningLotRecorded, OpeningRecorded, OpeningSourceDeclared


class RowBook:
    """Rows of one account: each is followed by exactly the lots that it tells of."""

    __slots__ = ("_due", "_row", "pos")

    def __init__(self) -> None:
        """Begin with no row."""
        self._row: OpeningRecorded | None = None
        self._due = 0
        self.pos = 0
        """Position of the row whose lots come."""

    def enter(self, fact: AccountFact, pos: int) -> Iterator[Finding]:
        """Take the next fact; yield what does not match."""
        if isinstance(fact, OpeningRecorded):
            yield from self.settle()
            self._row, self._due, self.pos = fact, fact.lots, pos
        elif isinstance(fact, OpeningLotRecorded) and self._belongs(fact):
            self._due -= 1

    def _belongs(self, lot: OpeningLotRecorded) -> bool:
        """Whether a lot came with the open row; one that came with none is left to other books."""
        return self._row is not None and (lot.entry_id, lot.source_digest) == (
            self._row.entry_id,
            self._row.source_digest,
        )

    def settle(self) -> Iterator[Finding]:
        """Close the open row; yield the lots that are missing, or too many."""
        if self._row is not None and self._due:
            detail = (
                f"row {self._row.row} tells of {self._row.lots} lots, {self._due} are not there"
            )
            yield Finding(self.pos, Reason.OPENING_MISMATCH, detail)
        self._row = None


class SourceBook:
    """Sources of all lanes: which file each is, and that no row stands twice."""

    def __init__(self) -> None:
        """Begin with no source."""
        self._declared: dict[str, str] = {}
        self._seen: dict[tuple[str, str], tuple[int, int]] = {}
        """By (source, digest), where the first row with it stands."""
        self._rows = DocumentPlaces()

    def declare(
        self, fact: OpeningSourceDeclared, stream: str, lane: int, pos: int
    ) -> Iterator[Finding]:
        """Enter which file a source is; yield what is wrong with that."""
        if stream != OPENING + fact.source:
            detail = f"source {fact.source} does not belong in {stream}"
            yield Finding(pos, Reason.COLUMN_MISMATCH, detail)
        if fact.source in self._declared:
            detail = f"source {fact.source} was declared before"
            yield Finding(pos, Reason.OPENING_MISMATCH, detail)
        self._declared[fact.source] = fact.source_digest

    def enter(self, fact: OpeningRecorded, lane: int, pos: int) -> None:
        """Enter a row."""
        self._rows.add(f"{fact.source}/{fact.row}", lane, pos)
        self._seen.setdefault((fact.source, fact.source_digest), (lane, pos))

    def close(self) -> Iterator[tuple[int, Finding]]:
        """Hold rows against sources; yield lanes and findings."""
        for (source, digest), (lane, pos) in self._seen.items():
            declared = self._declared.get(source)
            if declared != digest:
                detail = f"the row is of a file {digest}, source {source} is {declared}"
                yield lane, Finding(pos, Reason.OPENING_MISMATCH, detail)
        for lane, twice in self._rows.forked():
            yield lane, twice._replace(reason=Reason.OPENING_MISMATCH)
