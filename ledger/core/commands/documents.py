"""Commands about documents."""

from collections.abc import Sequence
from typing import NamedTuple

from ledger.core.commands.award import ARREARS, NO_COUNTS, Counts, Grant, RefundTerms
from ledger.core.instant import Instant
from loyalty.v1.events_pb2 import DocumentPosted
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
