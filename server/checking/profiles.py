"""The shape of a change of what is known of a member. Each check raises Malformed.

No value is ever shown: what is told of a member is to get into no answer and no log.
"""

from collections.abc import Sequence
from typing import Final

from loyalty.v1.member_service_pb2 import MemberAttribute, UpdateMemberRequest
from server.checking import shape
from server.checking.consents import consents

ENTRIES_MAX: Final = 50
TEXT_LENGTH: Final = 200
_DAYS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def update_member(request: UpdateMemberRequest) -> None:
    """Check a change of a profile."""
    shape.text("request_id", request.request_id)
    shape.origin(request.origin)
    shape.member(request.member)
    if request.HasField("birthday"):
        month, day = request.birthday.month, request.birthday.day
        if not 1 <= month <= len(_DAYS) or not 1 <= day <= _DAYS[month - 1]:
            shape.refuse("birthday", shape.HIDDEN, "a month and a day that it can have")
    if request.HasField("household"):
        household = request.household
        if not _is_text(household, shape.ID_LENGTH) or not household or "/" in household:
            expected = f"1 to {shape.ID_LENGTH} printable characters without '/'"
            shape.refuse("household", shape.HIDDEN, expected)
    _attributes(request.attributes)
    for field in ("add_segments", "remove_segments"):
        _segments(field, getattr(request, field))
    consents(request.consents)


def _attributes(attributes: Sequence[MemberAttribute]) -> None:
    _at_most("attributes", len(attributes))
    seen: set[str] = set()
    for index, given in enumerate(attributes):
        field = f"attributes[{index}]"
        shape.text(f"{field}.attribute", given.attribute)
        if given.attribute in seen:
            shape.refuse(f"{field}.attribute", given.attribute, "an attribute named once")
        seen.add(given.attribute)
        _at_most(f"{field}.list.values", len(given.list.values))
        expected = f"at most {TEXT_LENGTH} printable characters"
        if not _is_text(given.text, TEXT_LENGTH):
            shape.refuse(f"{field}.text", shape.HIDDEN, expected)
        if not all(_is_text(text, TEXT_LENGTH) for text in given.list.values):
            shape.refuse(f"{field}.list.values", shape.HIDDEN, expected)


def _segments(field: str, segments: Sequence[str]) -> None:
    _at_most(field, len(segments))
    for index, segment in enumerate(segments):
        shape.text(f"{field}[{index}]", segment)


def _at_most(field: str, count: int) -> None:
    if count > ENTRIES_MAX:
        shape.refuse(field, f"{count} entries", f"at most {ENTRIES_MAX}")


def _is_text(text: str, length: int) -> bool:
    return len(text) <= length and (not text or text.isprintable())
