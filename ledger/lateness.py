"""What is over when something is recorded that happened in it: accounting periods, tier windows."""

import rules
from ledger.core.instant import Instant
from ledger.core.state import Account
from ledger.core.tiers import LATE
from ledger.ladders import standing_of
from ledger.periods import ACCOUNTING, period_of
from ledger.work import Work

TIER = "tier/"


def late_period(work: Work, at: Instant) -> tuple[str, ...]:
    """The closed accounting period that an instant lies in, as facts name it."""
    now = work.clock_now()
    found = work.policies.find(now)
    if found is None:
        return ()
    zone = found.compiled.zone
    if at >= rules.month_at(zone, now).start:
        return ()
    name = period_of(work.closed_periods(), zone, at)
    return (ACCOUNTING + name,) if name else ()


def late_window(work: Work, policy: rules.Policy, account: Account, at: Instant) -> tuple[str, ...]:
    """The tier window of an instant, if another one runs by now, as facts name it."""
    now = work.clock_now()
    if now - at <= LATE:
        return ()
    label = rules.closed_window(policy, standing_of(account), at=at, now=now)
    return (TIER + label,) if label else ()
