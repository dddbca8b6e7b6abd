"""A whole backtest: open the history, take it chunk by chunk, sum it up."""

from collections.abc import Callable

import rules
from ledger.backtest.history import CHUNK, History
from ledger.backtest.report import Report, report_of
from ledger.backtest.trial import Trial
from ledger.core.instant import Instant

Advanced = Callable[[int], None]


def backtest(
    draft: rules.Policy,
    history: History,
    *,
    from_at: Instant | None = None,
    to_at: Instant | None = None,
    chunk: int = CHUNK,
    advanced: Advanced = lambda rows: None,
) -> Report:
    """Evaluate a draft over what occurred in [from_at, to_at); `advanced` hears of rows read."""
    trial = Trial(draft, history.policies)
    for part in history.chunks(from_at=from_at, to_at=to_at, size=chunk):
        if part.documents.height:
            trial.take(part)
        advanced(part.rows)
    return report_of(trial)
