"""What comes back, by the demo's own seeded rule: the tills' files know no returns or voids."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from server.demo.sources import DAY, SourceDocument, Status, seeded

RETURNED_PERCENT: Final = 1
VOIDED_PER_MILLE: Final = 1
AFTER: Final = 3 * DAY


def returns_of(
    documents: Iterable[SourceDocument],
) -> Iterator[tuple[SourceDocument, SourceDocument]]:
    """New versions of members' purchases: one line brought back, or the whole purchase voided.

    Each comes after the version it takes from.
    """
    for document in documents:
        if document.owner is None or document.status is not Status.FINAL or document.net <= 0:
            continue
        chance = seeded("return", document.business_unit, document.document_id) % 1_000
        later = document.occurred_at + AFTER
        if chance < VOIDED_PER_MILLE:
            yield (
                document,
                replace(
                    document,
                    version=document.version + 1,
                    occurred_at=later,
                    status=Status.CANCELLED,
                    lines=(),
                ),
            )
        elif chance < VOIDED_PER_MILLE + 10 * RETURNED_PERCENT and len(document.lines) > 1:
            yield (
                document,
                replace(
                    document,
                    version=document.version + 1,
                    occurred_at=later,
                    lines=document.lines[:-1],
                ),
            )
