"""The tree over a lane's leaf hashes (RFC 9162, section 2.1), grown leaf by leaf."""

from hashlib import sha256
from typing import Final

_NODE: Final = b"\x01"


class Frontier:
    """Roots of the perfect subtrees of a growing tree, largest first: all that appending needs."""

    def __init__(self) -> None:
        """Begin with no leaf."""
        self.size = 0
        self._roots: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash of 32 bytes."""
        roots = self._roots
        roots.append(leaf)
        self.size += 1
        trailing = self.size
        while trailing % 2 == 0:
            right, left = roots.pop(), roots.pop()
            roots.append(sha256(_NODE + left + right).digest())
            trailing //= 2

    def root(self) -> bytes:
        """Root over all leaves; for none the hash of nothing."""
        if not self._roots:
            return sha256(b"").digest()
        root = self._roots[-1]
        for left in reversed(self._roots[:-1]):
            root = sha256(_NODE + left + root).digest()
        return root
