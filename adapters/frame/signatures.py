"""Signatures over the raw body, compared in constant time, under any of several live keys.

Several keys live at once while a secret is being replaced.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from adapters.frame.moments import SECOND

TOLERANCE_SECONDS: Final = 300
"""How old a signed time may be, or how far ahead of our clock."""


def hmac_base64(keys: Sequence[str], message: bytes, signature: str) -> bool:
    """Whether `signature` is the base64 HMAC-SHA256 of the message under one of the keys."""
    try:
        given = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        given = b""
    return _is_hmac(keys, message, given)


def hmac_hex(keys: Sequence[str], message: bytes, signature: str) -> bool:
    """Whether `signature` is the hexadecimal HMAC-SHA256 of the message under one of the keys."""
    try:
        given = bytes.fromhex(signature)
    except ValueError:
        given = b""
    return _is_hmac(keys, message, given)


def _is_hmac(keys: Sequence[str], message: bytes, given: bytes) -> bool:
    # Every key is tried, so that the time tells nothing about which one fitted.
    fits = [
        hmac.compare_digest(hmac.digest(key.encode(), message, hashlib.sha256), given)
        for key in keys
    ]
    return any(fits)


def same(expected: Sequence[str], given: str) -> bool:
    """Whether a token or password is one of those expected."""
    fits = [hmac.compare_digest(each.encode(), given.encode()) for each in expected if each]
    return any(fits)


def basic_login(header: str) -> str:
    """Return user:password of an Authorization header of HTTP Basic; empty: there is none."""
    scheme, _, given = header.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(given.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return ""


def fresh(signed_at: int, received_at: int, *, seconds: int = TOLERANCE_SECONDS) -> bool:
    """Whether a signed time is near the time of receipt, both in microseconds."""
    return abs(received_at - signed_at) <= seconds * SECOND
