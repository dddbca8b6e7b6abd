"""Commands about documents."""

from collections.abc import Sequence
from typing import NamedTuple

from ledger.core.commands.award import ARREARS, NO_COUNTS, Counts, Grant, RefundTerms
from ledger.core.instant import Instant
from loyalty.v1.events_pb2 import DocumentArrival, DocumentPosted
from loyalty.v1.types_pb2 import Document, Origin, Pins


class PostDocument(NamedTuple):
    """State a document's net state; the difference to its head is posted."""

    entry_id: str
    business_unit: str
    document: Document
    origin: Origin
    business_date: str
    occurred_at: Instant
    head: DocumentPosted | None
    """Newest posted version, if any."""
    pins: Pins
    grants: Sequence[Grant]
    """What every rule gives for this state, in total; empty when cancelled."""
    counts: Counts = NO_COUNTS
    refunds: RefundTerms = ARREARS
    arrival: DocumentArrival | None = None
    """Set where the document comes from another stream; there is no head in this one then."""
    was_pinned: bool = False
    """It was final once in the stream that it comes from."""
    receipt_hash: bytes = b""
    awaited_scheme: str = ""
    taken_back_at: Origin | None = None
    owner: str = ""
    """Account whose document it is, where that was merged into this one."""
    head_account: str = ""
    """Account in whose stream the head stands, where that is another one."""
    late_for: tuple[str, ...] = ()
    """What was over when it is recorded."""

    @property
    def counts_for_more(self) -> bool:
        """Whether it counts for something besides points, or its head may have."""
        return self.counts is not NO_COUNTS or self.head is not None


class LeaveDocument(NamedTuple):
    """Let a document go to another account: what it gave in this one is taken back."""

    entry_id: str
    business_unit: str
    document: str
    """Key of the document."""
    head: DocumentPosted
    to_account: str
    occurred_at: Instant
    refunds: RefundTerms = ARREARS
    reason: str = ""
    owner: str = ""
    """Account whose document it is, where that was merged into this one."""
    head_account: str = ""
    """Account in whose stream the head stands, where that is another one."""
