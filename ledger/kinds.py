"""Kinds of facts that a batch treats apart: what a stream begins with, and what expires points."""

from collections.abc import Sequence
from typing import Final

from ledger.core.events import Fact
from loyalty.v1.events_pb2 import (
    DocumentPosted,
    LotReinstated,
    MemberEnrolled,
    PointsExpired,
    PoolCreated,
)

EXPIRING: Final = frozenset({PointsExpired, LotReinstated})
"""What a late burn asks of an account: points that expired, and that came back."""
_BEGINNINGS: Final = frozenset({MemberEnrolled, PoolCreated, DocumentPosted})
"""What stands first in the stream of an account, or of a document that is nobody's."""


def require_beginning(stream: str, facts: Sequence[Fact]) -> None:
    """Let nobody act on an account that was never looked up: it looks like a new one.

    Its history would fork, and nothing in the database forbids that.
    """
    if facts and type(facts[0].event) not in _BEGINNINGS:
        name = type(facts[0].event).__name__
        raise AssertionError(f"{stream} was not looked up: nothing begins with {name}")
