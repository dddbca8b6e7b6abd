"""Crediting later: a document of somebody unknown is posted as nobody's and claimed once known.

This is the one place that says how. Now and then the worker sends such a document again as a higher
version with its member. The ledger takes it if nobody's documents may get a member like this;
otherwise it stays unclaimed, and can be claimed by its receipt code.
"""

from typing import Final

FIRST_SECONDS: Final = 3_600
LONGEST_SECONDS: Final = 7 * 86_400
ATTEMPTS_MAX: Final = 24
"""Somewhat more than four months: older purchases are claimed with their receipt."""


def unclaimed_wait(attempts: int) -> int | None:
    """Seconds until a document is offered to its member again; None: not by itself any more."""
    if attempts > ATTEMPTS_MAX:
        return None
    return min(FIRST_SECONDS << (attempts - 1), LONGEST_SECONDS)


def stays_unclaimed(reason: str) -> bool:
    """Whether this answer to a claim means that the document stays nobody's for now."""
    return reason in ("UNKNOWN_MEMBER", "DOCUMENT_OF_ANOTHER_MEMBER")
