"""Checks of names: every one is declared once, and every one that is used is declared."""

from collections.abc import Iterator

from rules.checking.subject import Findings, Subject, used_names
from rules.model import ACTIVITIES, When
from rules.reading import Place
from rules.refusal import alternatives
from rules.shapes import keys_of

FIRST_PURCHASE = "first_purchase"
"""The counter that every policy has."""


def duplicates(subject: Subject) -> Findings:
    """Find ids that are declared twice in one list, and those that are taken already."""
    for place, part in subject.parts:
        for key in keys_of(type(part)):
            entries = getattr(part, key.field)
            if isinstance(entries, tuple) and (key.holds_parts or not place):
                yield from _twice(subject, (*place, key.written), entries)
    for number, name in enumerate(subject.model.activities):
        if name in ACTIVITIES:
            yield subject.error(("activities", number), f"every policy knows {name!r}")
    for number, counter in enumerate(subject.model.counters):
        if counter.id == FIRST_PURCHASE:
            yield subject.error(("counters", number), "every policy has this counter")
    yield from _cap_names(subject)


def _twice(subject: Subject, place: Place, entries: tuple[object, ...]) -> Findings:
    seen: set[str] = set()
    for number, entry in enumerate(entries):
        name = entry if isinstance(entry, str) else getattr(entry, "id", None)
        if not isinstance(name, str):
            return
        if name in seen:
            yield subject.error((*place, number), f"duplicate id {name!r}")
        seen.add(name)


def _cap_names(subject: Subject) -> Findings:
    """A rule's second cap is counted as `<rule>.2`, so no other cap may be called that."""
    own: dict[str, str] = {}
    for rule in subject.points_rules:
        own.update({f"{rule.id}.{n}": rule.id for n in range(1, len(rule.caps) + 1)})
    for number, cap in enumerate(subject.model.caps):
        if cap.id in own:
            message = f"{cap.id!r} is how a cap of rule {own[cap.id]!r} is counted: choose another"
            yield subject.error(("caps", number), message)


def references(subject: Subject) -> Findings:
    """Find names that are used and not declared."""
    categories = _Categories(subject)
    for place, part in subject.parts:
        for section, names, key in used_names(part):
            known = subject.names[section]
            for name in names:
                if name not in known:
                    yield subject.error((*place, *key), subject.unknown(section, name))
        if isinstance(part, When):
            yield from categories.unknown(place, part)


class _Categories:
    """What the conditions of a rule may name."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._any = subject.model.unlisted_categories == "earn"
        self._listed = {entry.id for entry in subject.model.categories}
        # Sets of names, so that a pattern is looked up and not held against every category.
        self._above = {above for name in self._listed for above in _above(name)}

    def unknown(self, place: Place, when: When) -> Findings:
        if self._any:
            return
        for key, patterns in (("category", when.category), ("category_not", when.category_not)):
            for pattern in patterns:
                name = pattern.removesuffix("/*")
                if not self._has_family(name):
                    message = f"{pattern!r} matches no category{alternatives(name, self._listed)}"
                    yield self._subject.error((*place, key), message)

    def _has_family(self, name: str) -> bool:
        """Say whether a category of this name is listed, or one above or below it."""
        return (
            name in self._listed
            or name in self._above
            or any(above in self._listed for above in _above(name))
        )


def _above(name: str) -> Iterator[str]:
    """Name the categories that a category lies in: of a/b/c they are a/b and a."""
    while "/" in name:
        name = name.rpartition("/")[0]
        yield name
