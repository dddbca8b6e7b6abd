"""Accounts kept in memory: a baseline that saves reads, never an authority.

What a batch decides on a cached account counts only if the account's lane still stands where this
process left it; the append statement checks that.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Final

from ledger.core.state import Account
from ledger.lanes import account_of
from ledger.profile import Profile
from ledger.purses import Purse
from ledger.rows import Holder, IdentityKey

WEIGHT_OF_ACCOUNT: Final = 4
"""An account without lots weighs as much as so many lots, roughly."""
PURSES_MAX: Final = 20_000


class Cache:
    """Least recently used accounts and identities leave first; memory is bounded by lots."""

    def __init__(self, accounts: int) -> None:
        """Keep about so many accounts of a few lots each."""
        self._capacity = accounts * WEIGHT_OF_ACCOUNT * 2
        self._identities_max = accounts
        self._accounts: OrderedDict[str, Account] = OrderedDict()
        self._identities: OrderedDict[IdentityKey, Holder] = OrderedDict()
        self._identities_of: dict[str, set[IdentityKey]] = {}
        self._weight = 0
        self._purses: OrderedDict[str, Purse] = OrderedDict()
        self._profiles: OrderedDict[str, Profile] = OrderedDict()

    def account(self, stream: str) -> Account | None:
        """A cached account, now the most recently used."""
        found = self._accounts.get(stream)
        if found is not None:
            self._accounts.move_to_end(stream)
        return found

    def identity(self, key: IdentityKey) -> Holder | None:
        """Whose a registered identity is."""
        found = self._identities.get(key)
        if found is not None:
            self._identities.move_to_end(key)
        return found

    def put(
        self,
        accounts: Mapping[str, Account],
        identities: Mapping[IdentityKey, Holder | None],
    ) -> None:
        """Take over committed states, and make room for them; None: the identity is nobody's."""
        for stream, account in accounts.items():
            self._forget(stream)
            self._accounts[stream] = account
            self._weight += _weight(account)
        for key, holder in identities.items():
            self._forget_identity(key)
            if holder is not None:
                self._identities[key] = holder
                self._identities_of.setdefault(holder.account, set()).add(key)
        while self._weight > self._capacity and len(self._accounts) > 1:
            self._forget(next(iter(self._accounts)))
        while len(self._identities) > self._identities_max:
            self._forget_identity(next(iter(self._identities)))

    def purse(self, stream: str) -> Purse | None:
        """Where a shared purse stands."""
        found = self._purses.get(stream)
        if found is not None:
            self._purses.move_to_end(stream)
        return found

    def put_purses(self, purses: Mapping[str, Purse]) -> None:
        """Take over where shared purses stand."""
        for stream, purse in purses.items():
            self._purses[stream] = purse
            self._purses.move_to_end(stream)
        while len(self._purses) > PURSES_MAX:
            self._purses.popitem(last=False)

    def profile(self, stream: str) -> Profile | None:
        """What is known of the member with an account."""
        found = self._profiles.get(stream)
        if found is not None:
            self._profiles.move_to_end(stream)
        return found

    def put_profiles(self, profiles: Mapping[str, Profile]) -> None:
        """Take over what is known of members."""
        self._profiles.update(profiles)
        while len(self._profiles) > self._identities_max:
            self._profiles.popitem(last=False)

    def put_missing(self, accounts: Mapping[str, Account]) -> None:
        """Take over states that were read and not changed."""
        missing = {
            stream: account for stream, account in accounts.items() if stream not in self._accounts
        }
        self.put(missing, {})

    def forget(self, streams: Iterable[str]) -> None:
        """Drop accounts, purses and profiles that another process has changed.

        The identities of a changed account too: one of them may be another member's now.
        """
        for stream in streams:
            self._forget(stream)
            for key in tuple(self._identities_of.get(account_of(stream), ())):
                self._forget_identity(key)
            self._purses.pop(stream, None)
            self._profiles.pop(stream, None)

    def clear(self) -> None:
        """Drop everything."""
        self._accounts.clear()
        self._identities.clear()
        self._identities_of.clear()
        self._purses.clear()
        self._profiles.clear()
        self._weight = 0

    def _forget_identity(self, key: IdentityKey) -> None:
        holder = self._identities.pop(key, None)
        if holder is not None:
            keys = self._identities_of[holder.account]
            keys.discard(key)
            if not keys:
                del self._identities_of[holder.account]

    def _forget(self, stream: str) -> None:
        account = self._accounts.pop(stream, None)
        if account is not None:
            self._weight -= _weight(account)


def _weight(account: Account) -> int:
    return WEIGHT_OF_ACCOUNT + len(account.lots) + len(account.holds)
