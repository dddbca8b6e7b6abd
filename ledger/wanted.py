"""What decisions ask for beyond what their requests name: it is looked up, then decided again.

A transfer's receiver, the account that a merged one became, the purses of a campaign: only deciding
tells that they matter, or that an act has to be undone. A round that wanted something records
nothing.
"""

from dataclasses import dataclass, field, fields
from typing import Final


@dataclass(slots=True)
class Wanted:
    """Names by kind."""

    streams: set[str] = field(default_factory=set)
    """Accounts, by stream."""
    things: set[str] = field(default_factory=set)
    """Holds, burns and the like, whose acts are needed."""
    documents: set[str] = field(default_factory=set)
    """Things of documents whose newest version is needed."""
    firsts: set[str] = field(default_factory=set)
    """Things of documents whose first final version is needed."""
    purses: set[str] = field(default_factory=set)
    """Shared purses, by stream."""
    holdings: set[str] = field(default_factory=set)
    """Accounts, by stream, all of whose identities are needed."""
    expiries: set[str] = field(default_factory=set)
    """Accounts, by stream, whose last expiries are needed."""
    identities: set[tuple[str, bytes]] = field(default_factory=set)
    """Identities whose member is needed."""
    histories: set[str] = field(default_factory=set)
    """Accounts, by stream, of which it is needed what was spent of closed lots."""
    undone: set[str] = field(default_factory=set)
    """Keys of acts that recorded a part of themselves and were refused then: a way back is needed.

    To keep one for every act would cost each of them a copy of all that the batch knows.
    """

    def __bool__(self) -> bool:
        """Whether anything is wanted."""
        return any(getattr(self, name) for name in _NAMES)

    def __or__(self, other: "Wanted") -> "Wanted":
        """What either of them names."""
        return Wanted(*(getattr(self, name) | getattr(other, name) for name in _NAMES))


_NAMES: Final = tuple(each.name for each in fields(Wanted))
