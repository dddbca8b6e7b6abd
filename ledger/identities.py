"""Identities are stored only as keyed hashes: who has the database alone can look nobody up.

What means the same has to hash to the same bytes, for ever. So a scheme whose forms are known is
brought to one of them by rules that stand here, and by no library whose next release may know
better. All other schemes count to the letter.
"""

import re
import unicodedata
from hashlib import sha256
from typing import Final, NamedTuple

from ledger.core.people import folded
from loyalty.v1.types_pb2 import Identity

KEY_BYTES: Final = 32
"""Least length of the managed key."""
PSEUDONYM_DIGITS: Final = 32
"""Hexadecimal digits of an operator's pseudonym."""
STAFF_SCHEME: Final = "staff"
"""Scheme of the identity by which an operator is a member: the staff id."""
OPERATORS_MAX: Final = 10_000
_BLOCK_BYTES: Final = 64
_INNER: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER: Final = bytes(byte ^ 0x5C for byte in range(256))
PHONE: Final = "phone"
EMAIL: Final = "email"
_BETWEEN_DIGITS: Final = str.maketrans("", "", " -.()/\u2010\u2011\u2012\u2013")
_PHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_FORMS: Final = {
    PHONE: (_PHONE, 'a phone number with country code as E.164, "+44 20 7946 0958", without (0)'),
    EMAIL: (_EMAIL, 'an e-mail address such as "ann@example.com"'),
}


def canonical(scheme: str, value: str) -> str:
    """The one form of a value, for schemes that know several; of others the value itself."""
    if scheme == PHONE:
        # Full-width digits of an input method are digits.
        return unicodedata.normalize("NFKC", value).translate(_BETWEEN_DIGITS)
    if scheme == EMAIL:
        return unicodedata.normalize("NFKC", value).strip().lower()
    return value


def expected_form(scheme: str, value: str) -> str:
    """What a value of its scheme has to look like; empty when it does."""
    form = _FORMS.get(scheme)
    if form is None:
        return ""
    pattern, expected = form
    right = pattern.fullmatch(canonical(scheme, value)) and "(0)" not in value
    return "" if right else expected


class Operator(NamedTuple):
    """An operator, as nobody reads who it is."""

    pseudonym: str
    """The same however the staff id is written."""
    staff_hash: bytes
    """Of the identity by which the operator is known as a member, if there is one."""


NOBODY: Final = Operator("", b"")


class IdentityHash:
    """Turns (scheme, value) into the bytes under which an identity is registered."""

    def __init__(self, key: bytes) -> None:
        """Take the managed key, at least 32 random bytes; raises ValueError for less."""
        if len(key) < KEY_BYTES:
            raise ValueError(f"identity key has {len(key)} bytes, at least {KEY_BYTES} are needed")
        short = key if len(key) <= _BLOCK_BYTES else sha256(key).digest()
        block = short.ljust(_BLOCK_BYTES, b"\0")
        # HMAC begins with the key every time: both states are kept, which halves its cost.
        self._inner = sha256(block.translate(_INNER))
        self._outer = sha256(block.translate(_OUTER))
        self._operators: dict[str, Operator] = {}

    def of(self, identity: Identity) -> bytes:
        """HMAC-SHA-256 over scheme, a zero byte, and the one form of the value."""
        inner, outer = self._inner.copy(), self._outer.copy()
        scheme = identity.scheme
        inner.update(scheme.encode() + b"\x00" + canonical(scheme, identity.value).encode())
        outer.update(inner.digest())
        return outer.digest()

    def operator(self, name: str) -> Operator:
        """What stands for an operator in the history, and as a member; empty for none."""
        if not name.strip():
            return NOBODY
        known = self._operators.get(name)
        if known is None:
            if len(self._operators) >= OPERATORS_MAX:
                self._operators.clear()
            named = Identity(scheme="operator of a client", value=folded(name))
            staff = Identity(scheme=STAFF_SCHEME, value=name)
            known = Operator(self.of(named).hex()[:PSEUDONYM_DIGITS], self.of(staff))
            self._operators[name] = known
        return known

    def household(self, household: str) -> str:
        """What stands for a household in the history; "" for none."""
        if not household:
            return ""
        named = Identity(scheme="household of members", value=household)
        return self.of(named).hex()[:PSEUDONYM_DIGITS]

    def pseudonym(self, operator: str) -> str:
        """What stands for an operator in the history, however the name is written; "" for none."""
        return self.operator(operator).pseudonym
