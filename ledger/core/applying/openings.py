"""Facts about what came in from an older programme, besides its lots."""

from ledger.core.state import OWN
from ledger.core.tally import Tally
from ledger.core.usage import key_of
from loyalty.v1.events_pb2 import OpeningRecorded


def open_balance(tally: Tally, event: OpeningRecorded) -> None:
    """Count what the row counts for towards tiers."""
    for counting in tally.counted_for(OWN):
        counting.use([(key_of(used), used.change) for used in event.usages])
