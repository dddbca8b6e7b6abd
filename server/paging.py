"""Page tokens of lists on the read side: opaque, and bound to the question they continue."""

import base64
import binascii
from hashlib import sha256
from typing import Final, Protocol

from google.protobuf.message import Message

from ledger.core.refusals import Malformed

PAGE_DEFAULT: Final = 50
_BOUND: Final = 8
"""Bytes of a page token that bind it to its question."""
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


def token(request: Message, last: str) -> str:
    """A token for the page behind the row that `last` names."""
    return base64.urlsafe_b64encode(_bound(request) + last.encode()).decode()


def behind(request: Message, page_token: str) -> str:
    """What the last row of the page before is named; empty for the first page. Raises Malformed."""
    if not page_token:
        return ""
    try:
        raw = base64.urlsafe_b64decode(page_token)
        last = raw[_BOUND:].decode()
    except (binascii.Error, ValueError):
        raw, last = b"", ""
    if raw[:_BOUND] != _bound(request) or not last:
        raise Malformed(
            field="page_token",
            value=page_token,
            expected="next_page_token of the page before, with the same question",
        )
    return last


def _bound(request: Message) -> bytes:
    """What binds a token to its question: everything but where the page begins."""
    question = type(request)()
    question.CopyFrom(request)
    for field in _NO_PART:
        question.ClearField(field)
    return sha256(question.SerializeToString(deterministic=True)).digest()[:_BOUND]
