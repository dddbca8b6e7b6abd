"""An account as bytes, to start a fold from. Deletable: the facts give the same account again.

The bytes are canonical: equal histories give equal bytes, so their digest compares states.
"""

import json
from collections.abc import Mapping
from dataclasses import astuple, replace
from typing import Any, Final

from pydantic import TypeAdapter

from ledger.core.care import Care, Consent, Referral
from ledger.core.counters import CounterPeriods, Day, Numbers, Streak
from ledger.core.instant import Instant
from ledger.core.membership import Membership, UnderWay
from ledger.core.pooling import NO_POOLS, Pool, Pooling, PoolMember
from ledger.core.state import (
    Account,
    Balance,
    Benefit,
    Counted,
    Debt,
    Drawn,
    Hold,
    Lot,
    LotLife,
    Part,
    TierSpan,
    frozen_mapping,
)
from ledger.core.usage import Usage

STATE_VERSION: Final = 18
"""Raise it whenever the state or its meaning changes: older snapshots are then folded anew."""

_LIFE: Final = Lot._fields.index("life")
_DRAWS: Final = 3
"""Where the draws of a hold stand in its row."""

_Row = tuple[Any, ...]
_Rows = list[_Row]
_Counted = tuple[_Rows, _Rows, _Rows, tuple[_Row, ...], _Rows, _Rows]
_Whole = tuple[
    int, str, int, str, Instant | None,
    tuple[_Row, ...], tuple[_Row, ...], _Rows, _Rows, _Rows, _Rows, _Counted,
    Instant | None, _Row, _Row, _Row | None, _Rows, _Row,
]  # fmt: skip
_to_json: Final = TypeAdapter(_Whole).dump_json
"""As `json` writes it, in a third of the time: nothing that is known to be a row is asked for."""


class StaleSnapshot(Exception):
    """The snapshot was written under another STATE_VERSION: fold from the first fact instead."""


def encode(account: Account) -> bytes:
    """Canonical bytes of an account."""
    return _to_json(
        (
            STATE_VERSION,
            account.account_id,
            account.version,
            account.business_unit,
            account.enrolled_at,
            account.identities,
            account.lots,
            list(map(_hold_row, account.holds)),
            list(map(astuple, account.debts)),
            [(currency, *held) for currency, held in account.balances.items()],
            list(map(astuple, account.tiers)),
            _counted_row(account),
            account.segments_since,
            account.care,
            account.membership,
            account.merging,
            [_part_row(owner, part) for owner, part in account.parts.items()],
            account.pooling,
        )
    )


def decode(state: bytes) -> Account:
    """The account in such bytes. Raises StaleSnapshot."""
    rows = json.loads(state)
    if rows[0] != STATE_VERSION:
        raise StaleSnapshot(f"written under version {rows[0]}, this is {STATE_VERSION}")
    lots, holds, debts, balances, tiers, counted = rows[6:12]
    usage, numbers, streaks, benefits, last_activity, qualifying = _counted_of(*counted)
    segments_since, care, membership, merging, parts, pooling = rows[12:]
    return Account(
        rows[1],
        rows[2],
        rows[3],
        rows[4],
        tuple((link, scheme) for link, scheme in rows[5]),
        tuple(_lot_of(row) for row in lots),
        tuple(_hold_of(row) for row in holds),
        tuple(Debt(*row) for row in debts),
        frozen_mapping({row[0]: Balance(*row[1:]) for row in balances}),
        qualifying,
        tuple(TierSpan(*row) for row in tiers),
        usage,
        numbers,
        streaks,
        benefits,
        last_activity,
        segments_since,
        _care_of(*care),
        Membership(*membership),
        None if merging is None else UnderWay(*merging),
        frozen_mapping({row[0]: _part_of(*row[1:]) for row in parts}),
        _pooling_of(*pooling),
    )


def _counted_row(kept: Account | Part) -> _Counted:
    """What the documents of an account, or of a part of it, count for."""
    return (
        [(*key, used) for key, used in kept.usage.items()],
        [(*key, *numbers) for key, numbers in kept.numbers.items()],
        list(kept.streaks.items()),
        kept.benefits,
        list(kept.last_activity.items()),
        [(*key, points) for key, points in kept.qualifying.items()],
    )


def _counted_of(
    usage: list[Any],
    numbers: list[Any],
    streaks: list[Any],
    benefits: list[Any],
    last_activity: list[Any],
    qualifying: list[Any],
) -> tuple[
    Usage,
    CounterPeriods,
    Mapping[str, Streak],
    tuple[Benefit, ...],
    Mapping[str, Instant],
    Mapping[tuple[str, str], int],
]:
    return (
        frozen_mapping({(row[0], row[1], row[2]): row[3] for row in usage}),
        frozen_mapping({(row[0], row[1]): _numbers_of(*row[2:]) for row in numbers}),
        frozen_mapping(
            {name: tuple((row[0], row[1]) for row in streak) for name, streak in streaks}
        ),
        tuple(Benefit(*row) for row in benefits),
        frozen_mapping(dict(last_activity)),
        frozen_mapping({(row[0], row[1]): row[2] for row in qualifying}),
    )


def _pooling_of(joined: list[str], pool: list[Any] | None) -> Pooling:
    if pool is None:
        return Pooling(tuple(joined)) if joined else NO_POOLS
    created_at, members, closed = pool
    known = tuple(PoolMember(member, tuple(may)) for member, may in members)
    return Pooling(tuple(joined), Pool(created_at, known, closed))


def _part_row(owner: str, part: Part) -> tuple[object, ...]:
    return (owner, part.via, [astuple(span) for span in part.tiers], _counted_row(part))


def _part_of(via: str, tiers: list[Any], counted: list[Any]) -> Part:
    return Part(via, tuple(TierSpan(*row) for row in tiers), *_counted_of(*counted))


def _numbers_of(
    highest: int, freed: list[tuple[int, str]], days: list[tuple[str, int, int]]
) -> Numbers:
    return Numbers(
        highest,
        tuple((number, holder) for number, holder in freed),
        tuple(Day(*day) for day in days),
    )


def _hold_row(hold: Hold) -> tuple[object, ...]:
    draws = [
        (
            draw.lot_id,
            draw.points,
            draw.issuer,
            draw.funder,
            draw.earned_at,
            draw.expires_at,
            draw.grace,
            draw.life,
            draw.document,
            draw.seq,
            draw.contributor,
            draw.owner,
        )
        for draw in hold.draws
    ]
    return (
        hold.hold_id,
        hold.business_unit,
        hold.currency,
        draws,
        hold.expires_at,
        hold.entry_id,
        hold.acts,
        hold.limits,
        hold.owner,
        hold.recalled,
        hold.pending,
        hold.points_expire,
        hold.captured,
    )


def _lot_of(row: list[Any]) -> Lot:
    lot = Lot(*row)
    return lot if lot.life is None else lot._replace(life=_life_of(row[_LIFE]))


def _life_of(row: list[Any]) -> LotLife:
    return LotLife._make(tuple(each) if isinstance(each, list) else each for each in row)


def _care_of(consents: list[list[Any]], erased_at: int | None, referral: list[Any] | None) -> Care:
    brought = None if referral is None else Referral(*referral)
    return Care(tuple(Consent(*row) for row in consents), erased_at, brought)


def _hold_of(row: list[Any]) -> Hold:
    hold = Hold(*row)
    return replace(
        hold,
        draws=tuple(_drawn_of(Drawn(*draw)) for draw in row[_DRAWS]),
        limits=tuple(Counted(*limit) for limit in hold.limits),
    )


def _drawn_of(drawn: Drawn) -> Drawn:
    """The draw with its life, which stands as a list in the bytes."""
    life: Any = drawn.life
    return drawn if life is None else replace(drawn, life=_life_of(life))
