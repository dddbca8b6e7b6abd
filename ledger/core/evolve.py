"""What facts do to an account. Never refuses, asks no rules, reads no clock."""

from collections.abc import Iterable

from ledger.core.applying import apply
from ledger.core.events import AccountFact
from ledger.core.state import Account
from ledger.core.tally import Tally


def evolve(account: Account, event: AccountFact) -> Account:
    """The account after one more fact. Raises CorruptHistory if facts before it are absent."""
    tally = Tally(account)
    apply(tally, event)
    return tally.account()


def fold(account: Account, events: Iterable[AccountFact]) -> Account:
    """The account after all these facts, oldest first; the same as `evolve` for each in turn."""
    tally = Tally(account)
    for event in events:
        apply(tally, event)
    return tally.account()
