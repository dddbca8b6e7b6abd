"""An account as bytes, to start a fold from. Deletable: the facts give the same account again.

The bytes are canonical: equal histories give equal bytes, so their digest compares states. They are
JSON: a row of rows, in which everything that the state has as a named tuple stands as it is.
"""

from typing import Final, NamedTuple

import msgspec

from ledger.core.care import Care
from ledger.core.counters import Numbers, Streak
from ledger.core.instant import Instant
from ledger.core.membership import Membership, UnderWay
from ledger.core.pooling import Pooling
from ledger.core.state import (
    Account,
    Balance,
    Benefit,
    Debt,
    Hold,
    Lot,
    Part,
    TierSpan,
    frozen_mapping,
)
from ledger.core.usage import UsageKey

STATE_VERSION: Final = 21
"""Raise it whenever the state or its meaning changes: older snapshots are then folded anew."""
_OF_THIS_VERSION: Final = b"[%d," % STATE_VERSION
"""How bytes of this version begin."""


class StaleSnapshot(Exception):
    """The snapshot was written under another STATE_VERSION: fold from the first fact instead."""


class _Counted(NamedTuple):
    """What the documents of an account, or of a part of it, count for."""

    usage: list[tuple[UsageKey, int]]
    numbers: list[tuple[tuple[str, str], Numbers]]
    streaks: list[tuple[str, Streak]]
    benefits: tuple[Benefit, ...]
    last_activity: list[tuple[str, Instant]]
    qualifying: list[tuple[tuple[str, str], int]]


class _Stored(NamedTuple):
    """An account; its mappings as lists of their items, in the order of first use."""

    state_version: int
    account_id: str
    version: int
    business_unit: str
    enrolled_at: Instant | None
    identities: tuple[tuple[str, str], ...]
    lots: tuple[Lot, ...]
    holds: tuple[Hold, ...]
    debts: tuple[Debt, ...]
    balances: list[tuple[str, Balance]]
    tiers: tuple[TierSpan, ...]
    counted: _Counted
    segments_since: Instant | None
    care: Care
    membership: Membership
    merging: UnderWay | None
    parts: list[tuple[str, str, tuple[TierSpan, ...], _Counted]]
    """(owner, the account with which it came, its tiers, what it counts for)."""
    pooling: Pooling


_to_json: Final = msgspec.json.Encoder().encode
_from_json: Final = msgspec.json.Decoder(_Stored).decode


def encode(account: Account) -> bytes:
    """Canonical bytes of an account."""
    stored = _Stored(
        STATE_VERSION,
        account.account_id,
        account.version,
        account.business_unit,
        account.enrolled_at,
        account.identities,
        account.lots,
        account.holds,
        account.debts,
        list(account.balances.items()),
        account.tiers,
        _counted(account),
        account.segments_since,
        account.care,
        account.membership,
        account.merging,
        [(owner, part.via, part.tiers, _counted(part)) for owner, part in account.parts.items()],
        account.pooling,
    )
    return _to_json(stored)


def decode(state: bytes) -> Account:
    """The account in such bytes. Raises StaleSnapshot."""
    if not state.startswith(_OF_THIS_VERSION):
        version = bytes(state[1:]).partition(b",")[0].decode()
        raise StaleSnapshot(f"written under version {version}, this is {STATE_VERSION}")
    stored = _from_json(state)
    own = _part("", (), stored.counted)
    return Account(
        stored.account_id,
        stored.version,
        stored.business_unit,
        stored.enrolled_at,
        stored.identities,
        stored.lots,
        stored.holds,
        stored.debts,
        frozen_mapping(dict(stored.balances)),
        own.qualifying,
        stored.tiers,
        own.usage,
        own.numbers,
        own.streaks,
        own.benefits,
        own.last_activity,
        stored.segments_since,
        stored.care,
        stored.membership,
        stored.merging,
        frozen_mapping({row[0]: _part(*row[1:]) for row in stored.parts}),
        stored.pooling,
    )


def _counted(kept: Account | Part) -> _Counted:
    return _Counted(
        list(kept.usage.items()),
        list(kept.numbers.items()),
        list(kept.streaks.items()),
        kept.benefits,
        list(kept.last_activity.items()),
        list(kept.qualifying.items()),
    )


def _part(via: str, tiers: tuple[TierSpan, ...], counted: _Counted) -> Part:
    return Part(
        via,
        tiers,
        frozen_mapping(dict(counted.usage)),
        frozen_mapping(dict(counted.numbers)),
        frozen_mapping(dict(counted.streaks)),
        counted.benefits,
        frozen_mapping(dict(counted.last_activity)),
        frozen_mapping(dict(counted.qualifying)),
    )
