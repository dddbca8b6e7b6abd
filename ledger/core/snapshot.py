"""An account as bytes, to start a fold from. Deletable: the facts give the same account again.

The bytes are canonical: equal histories give equal bytes, so their digest compares states.
"""

import json
from dataclasses import astuple, replace
from typing import Any, Final

from ledger.core.care import Care, Consent
from ledger.core.counters import Day, Numbers
from ledger.core.membership import Membership
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
    TierSpan,
    frozen_mapping,
)

STATE_VERSION: Final = 10
"""Raise it whenever the state or its meaning changes: older snapshots are then folded anew."""

_LIFE: Final = Lot._fields.index("life")
_to_json: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class StaleSnapshot(Exception):
    """The snapshot was written under another STATE_VERSION: fold from the first fact instead."""


def encode(account: Account) -> bytes:
    """Canonical bytes of an account."""
    return _to_json(
        [
            STATE_VERSION,
            account.account_id,
            account.version,
            account.business_unit,
            account.enrolled_at,
            account.identities,
            account.lots,
            [_hold_row(hold) for hold in account.holds],
            [
                (debt.debt_id, debt.business_unit, debt.currency, debt.points, debt.document)
                for debt in account.debts
            ],
            [(currency, *held) for currency, held in account.balances.items()],
            [(*key, points) for key, points in account.qualifying.items()],
            [astuple(span) for span in account.tiers],
            [(*key, used) for key, used in account.usage.items()],
            [(*key, *numbers) for key, numbers in account.numbers.items()],
            list(account.streaks.items()),
            account.benefits,
            list(account.last_activity.items()),
            account.segments_since,
            account.care,
            account.membership,
        ]
    ).encode()


def decode(state: bytes) -> Account:
    """The account in such bytes. Raises StaleSnapshot."""
    rows = json.loads(state)
    if rows[0] != STATE_VERSION:
        raise StaleSnapshot(f"written under version {rows[0]}, this is {STATE_VERSION}")
    lots, holds, debts, balances, qualifying, tiers = rows[6:12]
    usage, numbers, streaks, benefits, last_activity, segments_since = rows[12:18]
    return Account(
        rows[1],
        rows[2],
        rows[3],
        rows[4],
        tuple((link, scheme) for link, scheme in rows[5]),
        tuple(_lot_of(row) for row in lots),
        tuple(_hold_of(*row) for row in holds),
        tuple(Debt(*row) for row in debts),
        frozen_mapping({row[0]: Balance(*row[1:]) for row in balances}),
        frozen_mapping({(row[0], row[1]): row[2] for row in qualifying}),
        tuple(TierSpan(*row) for row in tiers),
        frozen_mapping({(row[0], row[1], row[2]): row[3] for row in usage}),
        frozen_mapping({(row[0], row[1]): _numbers_of(*row[2:]) for row in numbers}),
        frozen_mapping(
            {name: tuple((row[0], row[1]) for row in streak) for name, streak in streaks}
        ),
        tuple(Benefit(*row) for row in benefits),
        frozen_mapping(dict(last_activity)),
        segments_since,
        _care_of(*rows[18]),
        Membership(*rows[19]),
    )


def _care_of(consents: list[list[Any]], erased_at: int | None) -> Care:
    return Care(tuple(Consent(*row) for row in consents), erased_at)


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
    )


def _lot_of(row: list[Any]) -> Lot:
    lot = Lot(*row)
    return lot if lot.life is None else lot._replace(life=_life_of(row[_LIFE]))


def _life_of(row: list[Any]) -> LotLife:
    return LotLife._make(tuple(each) if isinstance(each, list) else each for each in row)


def _hold_of(
    hold_id: str,
    business_unit: str,
    currency: str,
    draws: list[list[Any]],
    expires_at: int | None,
    entry_id: str,
    acts: int,
    limits: list[list[Any]],
) -> Hold:
    taken = tuple(_drawn_of(Drawn(*draw)) for draw in draws)
    counted = tuple(Counted(*limit) for limit in limits)
    return Hold(hold_id, business_unit, currency, taken, expires_at, entry_id, acts, counted)


def _drawn_of(drawn: Drawn) -> Drawn:
    """The draw with its life, which stands as a list in the bytes."""
    life: Any = drawn.life
    return drawn if life is None else replace(drawn, life=_life_of(life))
