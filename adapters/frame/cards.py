"""Numbers of payment cards taken out of XML before it is kept: nobody here has any use for them."""

import re
from typing import Final
from xml.etree.ElementTree import Element, tostring

from adapters.frame.elements import descendants, local
from adapters.frame.reading import xml_of

REDACTED: Final = "redacted"
_NAMES: Final = frozenset(
    {
        "accountnumber",
        "cardnumber",
        "cvv",
        "magneticstripe",
        "primaryaccountnumber",
        "securitycode",
        "seriescode",
        "track1data",
        "track2data",
        "trackdata",
    }
)
"""Attributes and elements that hold a card's number, its code or its track."""
_OF_MEMBERS: Final = ("LoyaltyAccount", "LoyaltyCard")
"""Elements with a card of which a member is known: its number is no card's to pay with."""
_TEXTS: Final = frozenset({"comment", "listitem", "note", "remark", "text"})
"""Elements in which people write whatever they like."""
_NUMBER: Final = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
_MAY_HOLD: Final = re.compile(
    rb"(?i)cardnumber|accountnumber|cvv|magneticstripe|securitycode|seriescode|trackdata"
    rb"|track[12]data|<(?:[\w.-]+:)?(?:comment|listitem|note|remark|text)\b"
)


def without_cards(body: bytes) -> bytes:
    """Return an XML body without numbers of cards; unchanged where there is none.

    Raises:
        Unreadable: it is no XML.
    """
    # Of an encoding with two bytes for a letter the pattern would see nothing.
    if b"\0" not in body and not _MAY_HOLD.search(body):
        return body
    root = xml_of(body)
    if not _redact(root):
        return body
    bare: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return bare


def _redact(root: Element) -> bool:
    changed = False
    whose = {id(each) for of in descendants(root, *_OF_MEMBERS) for each in of.iter()}
    for element in root.iter():
        name = local(element.tag).lower()
        for key in list(element.attrib):
            if local(key).lower() in _NAMES:
                element.set(key, REDACTED)
                changed = True
        if name == "primaryaccountnumber" and id(element) in whose:
            continue
        if name in _NAMES:
            changed = _empty(element) or changed
        elif name in _TEXTS and element.text:
            written = _NUMBER.sub(_card, element.text)
            changed = changed or written != element.text
            element.text = written
    return changed


def _empty(element: Element) -> bool:
    """Redact the text of an element and of all below it: newer versions nest it."""
    changed = False
    for each in element.iter():
        if each.text and each.text.strip():
            each.text = REDACTED
            changed = True
    return changed


def _card(found: re.Match[str]) -> str:
    return REDACTED if _is_card([int(digit) for digit in found[0] if digit.isdigit()]) else found[0]


def _is_card(digits: list[int]) -> bool:
    """Whether the check digit is that of a card."""
    doubled = [2 * digit - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
