"""Large XML files cut into messages of their own, byte by byte as they were written.

A file of a day's tickets is never in memory whole: it is read once, and what was read goes on.
"""

from collections.abc import Iterator
from typing import BinaryIO, Final
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from adapters.frame.reading import DEPTH_MAX
from adapters.frame.words import Unreadable

READ_BYTES: Final = 256 * 1024
PIECES_MAX: Final = 100
"""Elements in one message."""
PIECES_BYTES: Final = 1024 * 1024
_WIDE: Final = (b"\xff\xfe", b"\xfe\xff", b"\0<", b"<\0")


def cut(stream: BinaryIO, name: str, *, most: int) -> Iterator[bytes]:
    """Return messages with some of the elements of a local name each, and what they stand in.

    The same file is always cut alike, so that a message is known when the file comes again.

    Args:
        stream: the file.
        name: local name of the elements.
        most: bytes that one element may have.

    Raises:
        Unreadable: it is no XML, has a document type, or ends in the middle. What came before was
            returned.
    """
    cutter = _Cutter(name, most)
    first = True
    while True:
        read = stream.read(READ_BYTES)
        if first and read.startswith(_WIDE):
            raise Unreadable("a file in UTF-16 cannot be cut; write it as UTF-8")
        first = False
        cutter.feed(read)
        yield from cutter.messages(at_end=not read)
        if not read:
            return


class _Cutter:
    """Reads on, and gathers the elements that are complete."""

    def __init__(self, name: str, most: int) -> None:
        self._name = name
        self._most = most
        self._encoding = "utf-8"
        self._open: list[tuple[str, str]] = []
        """Start tags around, with their names."""
        self._depth = 0
        """Within an element that is being gathered."""
        self._begin = 0
        self._buffer = bytearray()
        self._base = 0
        """Where in the file the buffer begins."""
        self._pieces: list[bytes] = []
        self._bytes = 0
        self._ready: list[bytes] = []
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.XmlDeclHandler = self._declared
        parser.StartDoctypeDeclHandler = self._refused
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        self._parser = parser

    def feed(self, read: bytes) -> None:
        """Read on; nothing more is the end. Raises Unreadable."""
        self._buffer += read
        try:
            self._parser.Parse(read, not read)
        except (expat.ExpatError, ValueError, LookupError) as error:
            raise Unreadable(f"no XML: {error}"[:200]) from None
        if len(self._buffer) > self._most + READ_BYTES:
            raise Unreadable(f"an element of more than {self._most} bytes")
        keep = self._begin if self._depth else self._parser.CurrentByteIndex
        del self._buffer[: max(keep - self._base, 0)]
        self._base = max(keep, self._base)

    def messages(self, *, at_end: bool) -> Iterator[bytes]:
        """Return what is complete."""
        if at_end:
            self._flush()
        yield from self._ready
        self._ready.clear()

    def _declared(self, version: str, encoding: str | None, standalone: int) -> None:
        del version, standalone
        self._encoding = encoding or "utf-8"

    def _refused(self, *what: object) -> None:
        del what
        raise Unreadable("XML with a document type, which no message needs")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if self._depth:
            self._depth += 1
        elif tag.rpartition(":")[2] == self._name:
            self._depth = 1
            self._begin = self._parser.CurrentByteIndex
        else:
            told = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
            self._flush()
            self._open.append((tag, f"<{tag}{told}>"))
        if self._depth + len(self._open) > DEPTH_MAX:
            raise Unreadable(f"XML nested deeper than {DEPTH_MAX} levels")

    def _end(self, tag: str) -> None:
        if not self._depth:
            self._flush()
            del tag
            self._open.pop()
            return
        self._depth -= 1
        if self._depth:
            return
        at = self._parser.CurrentByteIndex - self._base
        if self._buffer.startswith(b"</", at):
            at = self._buffer.index(b">", at) + 1
        piece = bytes(self._buffer[self._begin - self._base : at])
        if self._pieces and (
            len(self._pieces) == PIECES_MAX or self._bytes + len(piece) > PIECES_BYTES
        ):
            self._flush()
        self._pieces.append(piece)
        self._bytes += len(piece)

    def _flush(self) -> None:
        """Make a message of what was gathered, in the elements that it stands in."""
        if not self._pieces:
            return
        head = f'<?xml version="1.0" encoding="{self._encoding}"?>'
        head += "".join(start for _, start in self._open)
        foot = "".join(f"</{tag}>" for tag, _ in reversed(self._open))
        whole = [self._encoded(head), *self._pieces, self._encoded(foot)]
        self._ready.append(b"".join(whole))
        self._pieces, self._bytes = [], 0

    def _encoded(self, text: str) -> bytes:
        return text.encode(self._encoding, "xmlcharrefreplace")
