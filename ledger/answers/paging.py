"""Pages of lists: their tokens are opaque, and bound to the question that they continue."""

import base64
import binascii
from hashlib import sha256
from typing import Final, Protocol

from google.protobuf.message import Message

from ledger.core.refusals import Malformed

PAGE_DEFAULT: Final = 50
_SEAL: Final = 8
"""Bytes of a page token that bind the rest of it to its question."""
_NO_PART: Final = ("page_token", "page_size", "min_position")
"""What may differ from page to page."""


class Paged(Protocol):
    """A question that is answered page by page."""

    @property
    def page_token(self) -> str: ...
    @property
    def page_size(self) -> int: ...


def size_of(request: Paged) -> int:
    """How many rows a page has."""
    return request.page_size or PAGE_DEFAULT


def token(question: Message, last: str) -> str:
    """A token for the page behind the row that `last` names."""
    return base64.urlsafe_b64encode(_seal(question, last) + last.encode()).decode()


def behind(question: Message, page_token: str, *, same: str = "question") -> str:
    """What the last row of the page before is named; empty for the first page.

    Raises Malformed for the token of a question in which `same` is not the same.
    """
    if not page_token:
        return ""
    try:
        raw = base64.urlsafe_b64decode(page_token)
        last = raw[_SEAL:].decode()
    except (binascii.Error, ValueError):
        raw, last = b"", ""
    if raw[:_SEAL] != _seal(question, last):
        raise Malformed(
            field="page_token",
            value=page_token,
            expected=f"next_page_token of the page before, with the same {same}",
        )
    return last


def _seal(question: Message, last: str) -> bytes:
    """What binds a row to a question: to everything but where its page begins."""
    bound = type(question)()
    bound.CopyFrom(question)
    for field in _NO_PART:
        bound.ClearField(field)
    return sha256(bound.SerializeToString(deterministic=True) + last.encode()).digest()[:_SEAL]
