"""What the member register knows of a member: asked by the rules, never part of the history."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from rules.facts import NO_ATTRIBUTES, AttributeValue


class Profile(NamedTuple):
    """A member as the business units know it now."""

    attributes: Mapping[str, AttributeValue] = NO_ATTRIBUTES
    segments: frozenset[str] = frozenset()
    birthday: tuple[int, int] | None = None
    """(month, day)."""
    household: str = ""
    """Id of the household; empty for who has none, and is one alone."""
    household_code: str = ""
    """What stands for the household in the history: an id may be a family's name."""


class ProfileRow(NamedTuple):
    """A row of the member register: a profile, sealed."""

    account: str
    sealed: bytes
    wrapped_key: bytes


UNKNOWN: Final = Profile()
"""Of whom nothing is known."""


def joined(profiles: Iterable[Profile]) -> Profile:
    """What is known of a member under several accounts; of what two tell the first counts."""
    known, *others = profiles
    for other in others:
        lives = known if known.household else other
        known = Profile(
            {**other.attributes, **known.attributes},
            known.segments | other.segments,
            known.birthday or other.birthday,
            lives.household,
            lives.household_code,
        )
    return known
