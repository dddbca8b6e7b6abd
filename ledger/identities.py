"""Identities are stored only as keyed hashes: who has the database alone can look nobody up."""

from hashlib import sha256
from typing import Final

from loyalty.v1.types_pb2 import Identity

KEY_BYTES: Final = 32
"""Least length of the managed key."""
_BLOCK_BYTES: Final = 64
_INNER: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER: Final = bytes(byte ^ 0x5C for byte in range(256))


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

    def of(self, identity: Identity) -> bytes:
        """HMAC-SHA-256 over scheme, a zero byte, and value."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(identity.scheme.encode() + b"\x00" + identity.value.encode())
        outer.update(inner.digest())
        return outer.digest()
