"""What changed from one policy to another, in words: entry by entry, whatever their order.

Both are compared as fully expanded documents, so a default that one writes out is no change.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from rules.difference_words import Language, Remark, decimal, remark, says, widened
from rules.loading import PolicyDocument
from rules.model import PolicyModel
from rules.refusal import PolicyRefused

Json = object
_Path = tuple[str, ...]

_SHORT_FRACTION: Final = re.compile("[0-9]+/(2|4|5|8|10|20|25|40|50|100|125|200|250|500|1000)")
_ORDERED: Final = (("tiers", "ladder"),)
"""Lists of entries whose order means something."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change: where, what it was and is, and what follows from it where that can be said.

    `before` None: it is new; `after` None: it is gone. `title` is what people call a rule.
    """

    path: str
    before: str | None
    after: str | None
    title: str = ""
    remark: Remark | None = None

    def says(self, language: Language = "en") -> str:
        """Say the change as a line for a person."""
        line = says(self.path, self.before, self.after, self.title, self.remark, language)
        # Who approves reads this in a terminal, where text could paint over the lines before it.
        return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)

    def __str__(self) -> str:
        return self.says()


def difference(before: PolicyDocument, after: PolicyDocument) -> tuple[Change, ...]:
    """Compare two documents that can be read; PolicyRefused when one cannot."""
    for document in (before, after):
        if document.model is None:
            raise PolicyRefused(document.findings)
    assert before.model is not None, "refused above"
    assert after.model is not None, "refused above"
    return tuple(_Comparison(before.model, after.model).changes())


class _Comparison:
    """Two policies, as what they say in full, and in short for what is new or gone."""

    def __init__(self, before: PolicyModel, after: PolicyModel) -> None:
        self._old = before.model_dump(mode="json", by_alias=True)
        self._new = after.model_dump(mode="json", by_alias=True)
        self._short = {**_in_short(before), **_in_short(after)}

    def changes(self) -> Iterator[Change]:
        return self._compared(self._old, self._new, ())

    def _compared(self, old: Json, new: Json, path: _Path) -> Iterator[Change]:
        if old == new:
            return
        if isinstance(old, dict) and isinstance(new, dict):
            yield from self._mappings(old, new, path)
        elif isinstance(old, list) and isinstance(new, list):
            yield from self._lists(old, new, path)
        else:
            yield Change(_written(path), _text(old), _text(new), remark=remark(path, old, new))

    def _mappings(
        self, old: dict[str, Json], new: dict[str, Json], path: _Path
    ) -> Iterator[Change]:
        if old.get("kind") != new.get("kind") and "id" in old:
            # Another kind of rule has other keys: nothing in it is the same thing changed.
            yield Change(_written(path), _text(old), _text(new), _title(new))
            return
        whole = remark(path, old, new)
        if whole is not None:
            keys = [key for key in old if old[key] != new.get(key)]
            if len(keys) == 1:
                key = keys[0]
                yield Change(
                    _written((*path, key)), _text(old[key]), _text(new.get(key)), remark=whole
                )
            else:
                yield Change(_written(path), _text(old), _text(new), remark=whole)
            return
        for key in [*old, *(key for key in new if key not in old)]:
            yield from self._compared(old.get(key), new.get(key), (*path, key))

    def _lists(self, old: list[Json], new: list[Json], path: _Path) -> Iterator[Change]:
        before, after = _by_id(old), _by_id(new)
        if before is not None and after is not None and (before or after):
            yield from self._entries(before, after, path)
            if path in _ORDERED and _shared(before, after) != _shared(after, before):
                yield Change(_written(path), ", ".join(before), ", ".join(after))
        elif all(isinstance(entry, str) for entry in (*old, *new)):
            gone = [str(entry) for entry in old if entry not in new]
            come = [str(entry) for entry in new if entry not in old]
            if gone or come:
                yield Change(
                    _written(path),
                    ", ".join(gone) or None,
                    ", ".join(come) or None,
                    remark=widened(path, old, new),
                )
            elif len(old) == len(new) and path[-1:] == ("local_time",):
                yield Change(_written(path), _text(old), _text(new))
        elif len(old) == len(new):
            for number, (one, other) in enumerate(zip(old, new, strict=True)):
                yield from self._compared(one, other, (*path[:-1], f"{path[-1]}[{number}]"))
        else:
            yield Change(_written(path), _text(old), _text(new))

    def _entries(
        self, before: dict[str, dict[str, Json]], after: dict[str, dict[str, Json]], path: _Path
    ) -> Iterator[Change]:
        for name, entry in before.items():
            at = (*path[:-1], f"{path[-1]}[{name}]")
            if name not in after:
                yield Change(_written(at), _text(self._short[_written(at)]), None, _title(entry))
            else:
                yield from self._compared(entry, after[name], at)
        for name, entry in after.items():
            if name not in before:
                at = (*path[:-1], f"{path[-1]}[{name}]")
                yield Change(_written(at), None, _text(self._short[_written(at)]), _title(entry))


def _in_short(model: PolicyModel) -> dict[str, Json]:
    """Give every entry with an id by its path, without its defaults, its id and its title."""
    said = model.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    found: dict[str, Json] = {}
    for section, entries in {
        **said,
        "tiers.ladder": said.get("tiers", {}).get("ladder", []),
    }.items():
        if isinstance(entries, list):
            for name, entry in (_by_id(entries) or {}).items():
                short = {key: value for key, value in entry.items() if key not in ("id", "title")}
                found[f"{section}[{name}]"] = short
    return found


def _shared(entries: Iterable[str], others: Iterable[str]) -> list[str]:
    return [name for name in entries if name in set(others)]


def _by_id(entries: list[Json]) -> dict[str, dict[str, Json]] | None:
    """Give entries by their id; None when they have none."""
    if not all(isinstance(entry, dict) and "id" in entry for entry in entries):
        return None
    return {str(entry["id"]): entry for entry in entries if isinstance(entry, dict)}


def _title(entry: dict[str, Json]) -> str:
    title = entry.get("title")
    if isinstance(title, dict):
        title = title.get("en") or next(iter(title.values()))
    return str(title or "")


def _written(path: _Path) -> str:
    return ".".join(path)


def _text(value: Json) -> str | None:
    """Write a value in one line, without what it leaves at nothing."""
    if value is None or value == []:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(_text(entry) or 'none' for entry in value)}]"
    if isinstance(value, dict):
        said = {
            key: _text(entry)
            for key, entry in value.items()
            if entry not in (None, [], "") and entry is not False
        }
        return "{" + ", ".join(f"{key}: {text}" for key, text in said.items() if text != "{}") + "}"
    text = str(value)
    # A ratio is kept as a fraction; where it is a short decimal, that is how people write it.
    return decimal(Fraction(text)) if _SHORT_FRACTION.fullmatch(text) else text
