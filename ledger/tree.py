"""The tree over a lane's leaf hashes (RFC 9162, section 2.1), grown leaf by leaf."""

from hashlib import sha256
from struct import Struct
from typing import Final

_begun: Final = sha256(b"\x01").copy
"""A hash that begins as those of nodes do; beginning a new one costs more than copying it."""
_HASH: Final = 32
"""Bytes of a hash."""
_pairs: Final = Struct(f"{2 * _HASH}s").iter_unpack


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
            roots.append(_node(left + right))
            trailing //= 2

    def extend(self, leaves: bytes) -> None:
        """Add many leaf hashes, one after the other: whole levels at once, in half the time."""
        roots, size, level = self._roots, self.size, leaves
        self.size += len(leaves) // _HASH
        finished: list[bytes] = []
        height = 0
        while level:
            # A perfect subtree of this height that stands alone pairs with the first of the level.
            if size >> height & 1:
                level = roots.pop() + level
            if len(level) // _HASH % 2:
                level, alone = level[:-_HASH], level[-_HASH:]
                finished.append(alone)
            level = b"".join([_node(pair) for (pair,) in _pairs(level)])
            height += 1
        roots += reversed(finished)

    def root(self) -> bytes:
        """Root over all leaves; for none the hash of nothing."""
        if not self._roots:
            return sha256(b"").digest()
        root = self._roots[-1]
        for left in reversed(self._roots[:-1]):
            root = _node(left + root)
        return root


def _node(pair: bytes) -> bytes:
    """Hash of a node over those of its two children."""
    node = _begun()
    node.update(pair)
    return node.digest()
