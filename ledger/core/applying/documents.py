"""Facts about documents."""

from ledger.core.tally import Tally
from loyalty.v1.events_pb2 import DocumentPosted


def post(tally: Tally, event: DocumentPosted) -> None:
    """Count what a version counts for besides points."""
    tally.counting.post(event)
