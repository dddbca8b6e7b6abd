"""Lanes: which of the ledger's parallel, gapless sequences a stream or key belongs to."""

import hashlib
from functools import lru_cache
from typing import Final

ACCOUNT: Final = "account/"
POLICY: Final = "policy/"
DOCUMENT: Final = "document/"
BUDGET: Final = "budget/"
OPENING: Final = "opening/"
PERIOD: Final = "period/"


@lru_cache(maxsize=1 << 16)
def lane_of(name: str, lanes: int) -> int:
    """Lane of a stream or key: the first 8 bytes of its SHA-256, modulo the number of lanes.

    Never Python's `hash`: every process, today and in ten years, must find the same lane.
    """
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % lanes


def account_stream(account_id: str) -> str:
    """Stream of an account."""
    return ACCOUNT + account_id


def account_of(stream: str) -> str:
    """Account id of an account's stream; empty for any other stream."""
    return stream.removeprefix(ACCOUNT) if stream.startswith(ACCOUNT) else ""


def purse_stream(name: str, scope: str, period: str) -> str:
    """Stream of a purse that many members share, in one period."""
    return f"{BUDGET}{name}/{scope}/{period}"
