"""Bytes to data, with every limit that hostile or broken input needs.

JSON numbers stay exact: whole ones of any size as `int`, others as `Decimal`, never a float. XML
has no document type, no entities, no references outside, and bounded size and depth.
"""

import codecs
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from adapters.frame.words import Delivery, Unreadable

DEPTH_MAX: Final = 32
ELEMENTS_MAX: Final = 200_000
NUMBER_DIGITS_MAX: Final = 40
_ISO: Final = [f"iso8859-{part}" for part in (1, 2, 5, 7, 9, 15)]
_WINDOWS: Final = [f"cp{page}" for page in (1250, 1251, 1252, 1253, 1254)]
_UNICODE: Final = [
    "utf-8",
    *(f"utf-{bits}{end}" for bits in (16, 32) for end in ("", "-le", "-be")),
]
_EAST: Final = "gb2312 gbk gb18030 big5 big5hkscs shift_jis cp932 euc_jp iso2022_jp euc_kr cp949"
CHARSETS: Final = frozenset([*_UNICODE, "ascii", "koi8-r", *_ISO, *_WINDOWS, *_EAST.split(" ")])
"""Charsets in which texts are sent. Others are no charsets of texts: UTF-7 hides what it says, and
some take minutes over a body that nobody has signed."""


def text_of(delivery: Delivery) -> str:
    """Return the body as text, in the charset that the sender names; UTF-8 without one.

    Raises:
        Unreadable: the charset is not known, or the bytes are not of it.
    """
    charset = _charset(delivery.header("content-type"))
    try:
        name = codecs.lookup(charset).name
        if name not in CHARSETS:
            raise LookupError
        text = delivery.body.decode(name)
    except LookupError:
        raise Unreadable(f"charset {charset[:40]!r} is none that is read, send UTF-8") from None
    except (UnicodeDecodeError, ValueError) as error:
        raise Unreadable(f"the body is not {charset}: {error}"[:200]) from None
    return text.removeprefix("\ufeff")


def _charset(content_type: str) -> str:
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.strip().partition("=")
        if name.lower() == "charset":
            return value.strip("\"' ") or "utf-8"
    return "utf-8"


def json_of(text: str | bytes) -> Any:
    """Parse JSON. Raises Unreadable: cut off, nested too deeply, a key twice, or no JSON."""
    try:
        tree = json.loads(
            text,
            parse_float=_exact,
            parse_int=_whole,
            parse_constant=_no_number,
            object_pairs_hook=_unique,
        )
    except RecursionError:
        raise Unreadable(f"JSON nested deeper than {DEPTH_MAX} levels") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise Unreadable(f"no JSON: {error}"[:200]) from None
    if _deeper_than(tree, DEPTH_MAX):
        raise Unreadable(f"JSON nested deeper than {DEPTH_MAX} levels")
    return tree


def object_of(delivery: Delivery) -> dict[str, Any]:
    """Parse a body that has to be one JSON object. Raises Unreadable."""
    tree = json_of(text_of(delivery))
    if not isinstance(tree, dict):
        raise Unreadable(f"expected a JSON object, found {type(tree).__name__}")
    return tree


def dumped(content: Mapping[str, Any]) -> str:
    """Return content as canonical JSON in ASCII: keys in order, decimal numbers as text."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), default=_plain)


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"a {type(value).__name__} cannot be kept")


def _exact(digits: str) -> Decimal:
    if len(digits) > NUMBER_DIGITS_MAX:
        raise ValueError(f"a number of {len(digits)} digits")
    number = Decimal(digits)
    _, _, power = number.as_tuple()
    if isinstance(power, int) and abs(power) > NUMBER_DIGITS_MAX:
        # Written out, 1e999999 would be a million digits.
        raise ValueError(f"{digits} is beyond every amount")
    return number


def _whole(digits: str) -> int:
    if len(digits) > NUMBER_DIGITS_MAX:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is written twice")
    return found


def _deeper_than(tree: Any, depth: int) -> bool:
    children = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return bool(children) and (
        depth == 0 or any(_deeper_than(child, depth - 1) for child in children)
    )


def xml_of(body: bytes) -> Element:
    """Parse XML to its root element. Raises Unreadable.

    The charset is the one of the XML declaration; a document type of any sort is refused.
    """
    parser = DefusedXMLParser(
        target=_Bounded(), forbid_dtd=True, forbid_entities=True, forbid_external=True
    )
    try:
        parser.feed(body)
        root = parser.close()
    except DefusedXmlException as error:
        raise Unreadable(f"XML with what no message needs: {error!r}"[:200]) from None
    except (ParseError, LookupError, ValueError) as error:
        raise Unreadable(f"no XML: {error}"[:200]) from None
    assert isinstance(root, Element)
    return root


class _Bounded:
    """Builds the tree as the parser goes, and stops it when it grows beyond sense."""

    def __init__(self) -> None:
        from xml.etree.ElementTree import TreeBuilder

        self._builder = TreeBuilder()
        self._depth = 0
        self._count = 0

    def start(self, tag: str, attributes: dict[str, str]) -> Element:
        self._depth += 1
        self._count += 1
        if self._depth > DEPTH_MAX or self._count > ELEMENTS_MAX:
            raise ValueError(f"more than {DEPTH_MAX} levels or {ELEMENTS_MAX} elements")
        return self._builder.start(tag, attributes)

    def end(self, tag: str) -> Element:
        self._depth -= 1
        return self._builder.end(tag)

    def data(self, text: str) -> None:
        self._builder.data(text)

    def close(self) -> Element:
        return self._builder.close()
