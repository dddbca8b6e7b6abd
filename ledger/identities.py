"""Identities are stored only as keyed hashes: who has the database alone can look nobody up."""

import hmac
from typing import Final

from loyalty.v1.types_pb2 import Identity

KEY_BYTES: Final = 32
"""Least length of the managed key."""


class IdentityHash:
    """Turns (scheme, value) into the bytes under which an identity is registered."""

    def __init__(self, key: bytes) -> None:
        """Take the managed key, at least 32 random bytes; raises ValueError for less."""
        if len(key) < KEY_BYTES:
            raise ValueError(f"identity key has {len(key)} bytes, at least {KEY_BYTES} are needed")
        self._key = key

    def of(self, identity: Identity) -> bytes:
        """HMAC-SHA-256 over scheme, a zero byte, and value."""
        message = identity.scheme.encode() + b"\x00" + identity.value.encode()
        return hmac.digest(self._key, message, "sha256")
