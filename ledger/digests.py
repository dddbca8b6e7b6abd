"""Digests of rows and of states: equal digests mean equal answers, whoever computed them.

A digest of rows is SHA-256 over the rows in their order. A row is its number of fields as u32, then
each field as u32 length and UTF-8 text, integers in decimal; 0xFFFFFFFF stands for an absent field.
All big-endian.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from struct import Struct
from typing import Final

from ledger.core.snapshot import encode
from ledger.core.state import Account

_u32: Final = Struct(">I").pack
_NULL: Final = b"\xff\xff\xff\xff"

Field = str | int | None
BalanceRow = tuple[str, str, int, int, int, int, int]
"""(account, currency, available, pending, held, arrears, in transit)."""


def encoded(row: Sequence[Field]) -> bytes:
    """Bytes of a row as they are hashed."""
    parts = [_u32(len(row))]
    for field in row:
        if field is None:
            parts.append(_NULL)
        else:
            text = str(field).encode()
            parts += (_u32(len(text)), text)
    return b"".join(parts)


def balances_digest(rows: Iterable[BalanceRow]) -> str:
    """Digest of balances, given in any order; sorted by account and currency, as bytes.

    Rows of nothing but zeros do not count: no row and a row of zeros mean the same.
    """
    hashed = sha256()
    for row in sorted(row for row in rows if any(row[2:])):
        hashed.update(encoded(row))
    return hashed.hexdigest()


def balance_rows(account: Account) -> list[BalanceRow]:
    """Balances of an account that are not all zero."""
    return [
        (account.account_id, currency, *balance)
        for currency, balance in account.balances.items()
        if any(balance)
    ]


class StateDigest:
    """Digest over whole accounts: lots, holds, debts, tiers and all.

    SHA-256 over, for every account in the order of the bytes of its id, a row of its id and the
    SHA-256 of its snapshot in hexadecimal. Keeps 32 bytes of each account, not its state.
    """

    def __init__(self) -> None:
        """Begin with no account."""
        self._states: list[tuple[str, bytes]] = []

    def add(self, account: Account) -> None:
        """Take in an account, in any order."""
        self._states.append((account.account_id, sha256(encode(account)).digest()))

    @property
    def accounts(self) -> int:
        """How many it has taken in."""
        return len(self._states)

    def hexdigest(self) -> str:
        """The digest over the accounts so far."""
        hashed = sha256()
        for account_id, state in sorted(self._states):
            hashed.update(encoded((account_id, state.hex())))
        return hashed.hexdigest()
