"""Whose a document is: which identities are offered to the ledger, and what if nobody has them yet.

This is the one place that says how. The identities of a customer are tried one by one, best first.
If nobody has any of them, the document is posted as nobody's and waits in the ledger for the first
of them: whoever enrols with it or links it is credited there and then. For the others the worker
offers such a document again now and then, as a higher version with a member.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from adapters.frame.words import ActivityStatement, Statement
from loyalty.v1.types_pb2 import Identity

FIRST_SECONDS: Final = 3_600
LONGEST_SECONDS: Final = 7 * 86_400
ATTEMPTS_MAX: Final = 24
"""Somewhat more than four months: older purchases are claimed with their receipt."""

NOT_THIS_ONE: Final = frozenset({"ACCOUNT_CLOSED", "ACCOUNT_ERASED", "UNKNOWN_MEMBER"})
"""The next identity is tried."""
NOT_ANY_MORE: Final = frozenset({"ALREADY_CLAIMED", "CLAIM_TOO_LATE"})
"""It stays whose it is, or nobody's, for good."""
OF_ANOTHER: Final = "DOCUMENT_OF_ANOTHER_MEMBER"
"""Somebody claimed it with its receipt, or the source system changed its mind."""


class Offer(NamedTuple):
    """Whose a document is said to be."""

    member: Identity | None
    """None: nothing is said about it; it stays whose it is, or nobody's."""
    waits: bool = False
    """Where nobody has the identity, the document waits for whoever gets it."""


def offers_of(stated: Statement | ActivityStatement, *, claims: bool) -> list[Offer]:
    """Return whose a statement may be, in the order in which it is tried.

    Args:
        stated: with the identities, best first.
        claims: it stands as nobody's already, and waits for the first identity.
    """
    named = [Offer(member) for member in stated.members]
    if claims or isinstance(stated, ActivityStatement):
        return named or [Offer(None)]
    # Of one identity alone it need not be asked first whether somebody has it.
    waiting = [Offer(member, waits=True) for member in stated.members[:1]]
    return [*(named if len(named) > 1 else ()), *waiting, Offer(None)]


def offers_after(offers: Sequence[Offer], reason: str, *, theirs: bool) -> list[Offer]:
    """Return what is left to be tried after a refusal; empty: the refusal stands.

    Args:
        offers: the first one was refused.
        reason: the refusal's.
        theirs: we have posted the document for a member before.
    """
    last = offers[-1]
    if reason in NOT_THIS_ONE:
        return list(offers[1:])
    stays = reason in NOT_ANY_MORE or (reason == OF_ANOTHER and not theirs)
    return [last] if stays and last.member is None and len(offers) > 1 else []


def stays_unclaimed(reason: str) -> bool:
    """Whether this answer to a claim means that the document stays as it is for now."""
    return reason in NOT_THIS_ONE or reason in NOT_ANY_MORE or reason == OF_ANOTHER


def unclaimed_wait(attempts: int, *, identities: int, refused: str = "") -> int | None:
    """Seconds until a document is offered again; None: not by us, or not any more."""
    over = refused in NOT_ANY_MORE or refused == OF_ANOTHER
    if identities < 2 or attempts > ATTEMPTS_MAX or over:
        return None
    return min(FIRST_SECONDS << (attempts - 1), LONGEST_SECONDS)
