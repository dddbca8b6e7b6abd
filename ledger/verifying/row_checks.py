"""What one stored event says of itself, whatever the others say."""

from collections.abc import Iterator

from ledger.core.events import AnyFact, Columns, PolicyFact, columns_of
from ledger.envelope import StoredEvent
from ledger.lanes import BUDGET, DOCUMENT, OPENING, PERIOD, POLICY
from ledger.verifying.findings import Finding, Reason
from ledger.verifying.least import lacking
from loyalty.v1.events_pb2 import (
    BudgetUsed,
    DocumentClaimed,
    DocumentPosted,
    OpeningSourceDeclared,
    PeriodClosed,
)


def wrong_row(event: StoredEvent, fact: AnyFact) -> Iterator[Finding]:
    """Columns that say something else than the payload, and a payload that says too little."""
    missing = lacking(fact)
    if missing:
        detail = f"a {type(fact).__name__} says no {', '.join(missing)}"
        yield Finding(event.pos, Reason.FACT_INCOMPLETE, detail)
    columns = columns_of(fact)
    stored = (event.kind, event.currency, event.points, event.business_unit)
    if stored == columns:
        return
    for name, left, right in zip(Columns._fields, stored, columns, strict=True):
        if left != right:
            detail = f"{name} is {left!r}, the payload says {right!r}"
            yield Finding(event.pos, Reason.COLUMN_MISMATCH, detail)


def at_home(stream: str, fact: AnyFact) -> bool:
    """Whether a fact may stand in a stream that is not an account's."""
    if isinstance(fact, PolicyFact):
        return stream.startswith(POLICY)
    if isinstance(fact, BudgetUsed):
        return stream.startswith(BUDGET)
    if isinstance(fact, OpeningSourceDeclared):
        return stream.startswith(OPENING)
    if isinstance(fact, PeriodClosed):
        return stream.startswith(PERIOD)
    return isinstance(fact, DocumentPosted | DocumentClaimed) and stream.startswith(DOCUMENT)
