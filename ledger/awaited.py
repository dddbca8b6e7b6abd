"""Documents that wait for somebody with an identity that nobody has yet.

Which identity that is stands beside the history, as its keyed hash, and only for as long as the
document can be claimed: in a fact it would tell for ever whose document it was.
"""

from datetime import datetime
from typing import Final, NamedTuple

from ledger.core.instant import DAY

CREDITED_AT_ONCE: Final = 50
"""So many documents are credited in one act; the sweeper lets the others follow."""
BOOKING_WAITS: Final = 366 * DAY
"""How long a document waits that has not been final yet: nobody knows when it will be."""


class AwaitedRow(NamedTuple):
    """A document, by its thing, and the identity that it waits for."""

    document: str
    scheme: str
    keyed_hash: bytes
    until: datetime
    """Until when; the row is deleted then."""
