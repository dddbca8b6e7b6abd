"""Changes of a profile: what a request asks for, held against the policy's words, then made."""

import re
from datetime import date
from typing import Final

import rules
from ledger.core import refusals
from ledger.profile import Profile
from loyalty.v1.member_service_pb2 import Birthday as BirthdayMessage
from loyalty.v1.member_service_pb2 import (
    MemberAttribute,
    MemberProfile,
    TextList,
    UpdateMemberRequest,
)
from rules.facts import AttributeValue

_ARMS: Final = {
    "int": "whole",
    "string": "text",
    "bool": "flag",
    "date": "text",
    "string_list": "list",
}
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


def check_words(request: UpdateMemberRequest, policy: rules.Policy) -> None:
    """Hold attributes and segments against the policy in force.

    Raises UnknownAttribute, AttributeType, UnknownSegment. What the policy has dropped may go.
    """
    types = {each.id: each.type for each in policy.model.member_attributes}
    for index, given in enumerate(request.attributes):
        field, arm = f"attributes[{index}]", given.WhichOneof("value")
        if arm is None:
            continue
        declared = types.get(given.attribute)
        if declared is None:
            known = ", ".join(sorted(types))
            raise refusals.UnknownAttribute(
                field=f"{field}.attribute", value=given.attribute, known=known
            )
        if arm != _ARMS[declared] or (declared == "date" and not _is_date(given.text)):
            raise refusals.AttributeType(
                field=f"{field}.{arm}", attribute=given.attribute, expected=declared
            )
    for index, segment in enumerate(request.add_segments):
        if segment not in policy.model.segments:
            known = ", ".join(sorted(policy.model.segments))
            field = f"add_segments[{index}]"
            raise refusals.UnknownSegment(field=field, value=segment, known=known)


def _is_date(text: str) -> bool:
    try:
        return bool(_DATE.fullmatch(text) and date.fromisoformat(text))
    except ValueError:
        return False


def changed(profile: Profile, request: UpdateMemberRequest, household_code: str) -> Profile:
    """The profile as the request wants it; what is left out stays.

    `household_code` stands for the household that the request names.
    """
    attributes = dict(profile.attributes)
    for given in request.attributes:
        value = _value(given)
        if value is None:
            attributes.pop(given.attribute, None)
        else:
            attributes[given.attribute] = value
    birthday, household, code = profile.birthday, profile.household, profile.household_code
    if request.WhichOneof("birthday_change") is not None:
        told = request.birthday
        birthday = None if request.clear_birthday else (told.month, told.day)
    if request.WhichOneof("household_change") is not None:
        household = "" if request.clear_household else request.household
        code = "" if request.clear_household else household_code
    segments = (profile.segments | set(request.add_segments)) - set(request.remove_segments)
    return Profile(attributes, segments, birthday, household, code)


def _value(given: MemberAttribute) -> AttributeValue | None:
    match given.WhichOneof("value"):
        case "text":
            return given.text
        case "whole":
            return given.whole
        case "flag":
            return given.flag
        case "list":
            return tuple(given.list.values)
        case _:
            return None


def parts_changed(before: Profile, after: Profile) -> tuple[str, ...]:
    """Names of the parts that differ, as the history tells them."""
    return tuple(
        part
        for part in ("birthday", "attributes", "segments", "household")
        if getattr(before, part) != getattr(after, part)
    )


def profile_message(profile: Profile) -> MemberProfile:
    """A profile as callers see it."""
    message = MemberProfile(segments=sorted(profile.segments), household=profile.household)
    if profile.birthday is not None:
        month, day = profile.birthday
        message.birthday.CopyFrom(BirthdayMessage(month=month, day=day))
    for name in sorted(profile.attributes):
        message.attributes.append(_attribute(name, profile.attributes[name]))
    return message


def _attribute(name: str, value: AttributeValue) -> MemberAttribute:
    if isinstance(value, bool):
        return MemberAttribute(attribute=name, flag=value)
    if isinstance(value, int):
        return MemberAttribute(attribute=name, whole=value)
    if isinstance(value, str):
        return MemberAttribute(attribute=name, text=value)
    return MemberAttribute(attribute=name, list=TextList(values=value))
