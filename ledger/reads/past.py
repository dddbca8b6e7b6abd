"""Accounts as they were at a time that something happened by, whenever it was recorded."""

from typing import Any

from ledger.answers.postings import moves_points
from ledger.core.events import EFFECTS, decode, kind_of
from ledger.core.evolve import fold
from ledger.core.instant import Instant
from ledger.core.state import NOTHING, Account, Balance
from ledger.rows import StreamEvent


def totals_at(stream: str, events: list[StreamEvent], effective_at: Instant) -> Account:
    """Balances and tier from what had happened by then.

    Lots cannot be told, for facts may have been recorded in another order than they happened.
    """
    sums: dict[str, list[int]] = {}
    account = Account(stream.partition("/")[2])
    for event in events:
        if event.occurred_at > effective_at:
            continue
        fact: Any = decode(event.payload)
        kind = kind_of(fact)
        if moves_points(kind):
            row = sums.setdefault(fact.currency, list(NOTHING))
            for index, sign in enumerate(EFFECTS[kind]):
                row[index] += sign * fact.points
        else:
            account = fold(account, [fact])
    balances = {currency: Balance(*row) for currency, row in sums.items()}
    return Account(
        account.account_id,
        version=len(events),
        business_unit=account.business_unit,
        enrolled_at=account.enrolled_at,
        identities=account.identities,
        balances=balances,
        tiers=account.tiers,
        pooling=account.pooling,
    )
