"""Receipt codes: what a receipt shows to claim its document later. Only a keyed hash is kept."""

import hmac
import unicodedata
from collections import OrderedDict
from typing import Final

from ledger.core import refusals
from ledger.core.instant import SECOND, Instant
from ledger.identities import IdentityHash
from loyalty.v1.types_pb2 import Identity

WRONG_MOST: Final = 10
"""So many different wrong codes may be tried for a document within WITHIN, in each process."""
WITHIN: Final = 3600 * SECOND
REMEMBERED: Final = 100_000
"""Documents for which wrong codes are remembered; those that are longest ago leave first."""
_SCHEME: Final = "receipt code"
"""No identity has it: the schemes of those have no spaces."""
_BETWEEN: Final = str.maketrans("", "", " -\u2010\u2011\u2012\u2013")


def receipt_hash(hashed: IdentityHash, document: str, code: str) -> bytes:
    """Keyed hash of a code of a document, by its thing. How it is spaced, and its case, is not."""
    shown = unicodedata.normalize("NFKC", code).translate(_BETWEEN).upper()
    return hashed.of(Identity(scheme=_SCHEME, value=f"{document}\x00{shown}"))


def is_right(kept: bytes, told: bytes) -> bool:
    """Whether a code is a document's, in a time that does not tell how nearly; none has no code."""
    return bool(kept) and hmac.compare_digest(kept, told)


class Guesses:
    """Wrong codes by document, as far as this process has seen them since it began."""

    def __init__(self) -> None:
        """Begin with none."""
        self._wrong: OrderedDict[str, dict[bytes, Instant]] = OrderedDict()

    def check(self, document: str, told: bytes, now: Instant) -> None:
        """Raise TooManyGuesses unless this code may be tried; one that was tried counts once."""
        tried = self._tried(document, now)
        if len(tried) >= WRONG_MOST and told not in tried:
            raise refusals.TooManyGuesses(document=document.removeprefix("d/"), limit=WRONG_MOST)

    def wrong(self, document: str, told: bytes, now: Instant) -> None:
        """Remember a wrong code. A decision that is made again remembers it no second time."""
        tried = self._tried(document, now)
        tried.setdefault(told, now)
        self._wrong[document] = tried
        self._wrong.move_to_end(document)
        while len(self._wrong) > REMEMBERED:
            self._wrong.popitem(last=False)

    def _tried(self, document: str, now: Instant) -> dict[bytes, Instant]:
        tried = self._wrong.get(document, {})
        return {told: at for told, at in tried.items() if now - at < WITHIN}
