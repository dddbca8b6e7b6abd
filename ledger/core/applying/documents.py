"""Facts about documents."""

from ledger.core.tally import Tally
from loyalty.v1.events_pb2 import DocumentMovedOut, DocumentPosted


def post(tally: Tally, event: DocumentPosted) -> None:
    """Count what a version counts for besides points."""
    for counting in tally.counted_for(event.owner_id):
        counting.post(event)


def leave(tally: Tally, event: DocumentMovedOut) -> None:
    """Count no more what the document counted for."""
    for counting in tally.counted_for(event.owner_id):
        counting.leave(event)
