"""A whole backtest: open the history, take it chunk by chunk, sum it up."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import rules
from ledger.backtest.history import CHUNK, History
from ledger.backtest.report import Report, report_of
from ledger.backtest.trial import Ready, Trial
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
    trial = Trial(draft, history.policies, history.erased)
    parts = history.chunks(from_at=from_at, to_at=to_at, size=chunk)

    def following() -> tuple[Ready, int] | None:
        part = next(parts, None)
        return None if part is None else (trial.prepare(part), part.rows)

    # The next chunk is read and prepared while one is evaluated: two cores, two chunks in memory.
    with ThreadPoolExecutor(max_workers=1) as beside:
        waiting = beside.submit(following)
        while (found := waiting.result()) is not None:
            waiting = beside.submit(following)
            trial.take(found[0])
            advanced(found[1])
    return report_of(trial)
