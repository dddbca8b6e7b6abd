"""Text to `PolicyDocument`: reading and shape, with every complaint as a finding with its path."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from rules.model import PolicyModel
from rules.reading import Place, Tree, read_tree
from rules.refusal import Finding, PolicyRefused, Severity, alternatives
from rules.shapes import child, keys_of, kinds_of, part_at, siblings_with


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """A policy document as read. `model` is None when `findings` refuse it.

    `rest` is then what is left without the entries that cannot be read, so that the others can be
    judged in the same go; `kept` gives the numbers that its entries have in `tree`.
    """

    model: PolicyModel | None
    findings: tuple[Finding, ...]
    lines: Mapping[Place, int] = field(repr=False)
    tree: Tree = field(repr=False)
    rest: PolicyModel | None = field(default=None, repr=False)
    kept: Mapping[str, tuple[int, ...]] = field(default_factory=dict, repr=False)

    @property
    def canonical(self) -> bytes:
        """The fully expanded document as canonical JSON, which `load` reads back unchanged."""
        if self.model is None:
            raise PolicyRefused(self.findings)
        expanded = self.model.model_dump(mode="json", by_alias=True)
        text = json.dumps(expanded, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return text.encode()

    @property
    def digest(self) -> str:
        """SHA-256 of `canonical`, hexadecimal."""
        return hashlib.sha256(self.canonical).hexdigest()

    def finding(self, place: Place, message: str, severity: Severity = "error") -> Finding:
        """Make a finding about the part of the document at `place`."""
        if len(place) > 1 and place[0] in self.kept:
            place = (place[0], self.kept[str(place[0])][int(place[1])], *place[2:])
        return Finding(path_of(self.tree, place), message, severity, line_of(self.lines, place))


def load(text: str | bytes) -> PolicyDocument:
    """Read a policy from YAML or JSON. Never raises: `check` reports what is wrong with it."""
    try:
        tree, lines = read_tree(text)
    except PolicyRefused as refused:
        return PolicyDocument(None, refused.findings, {}, {})
    if not isinstance(tree, dict):
        wrong = Finding("", "a policy document is a mapping that begins with 'schema'", "error", 1)
        return PolicyDocument(None, (wrong,), lines, tree)
    try:
        return PolicyDocument(PolicyModel.model_validate(tree), (), lines, tree)
    except ValidationError as error:
        return _refused(tree, lines, error)


def _refused(
    tree: dict[str, Tree], lines: Mapping[Place, int], error: ValidationError
) -> PolicyDocument:
    errors = error.errors(include_url=False)
    places = [_place(tree, detail) for detail in errors]
    findings = [
        _shape_finding(tree, lines, detail, place)
        for detail, place in zip(errors, places, strict=True)
        if not _misleads(detail, place, places)
    ]
    rest, kept = _rest(tree, places)
    return PolicyDocument(None, tuple(dict.fromkeys(findings)), lines, tree, rest, kept)


def _misleads(error: ErrorDetails, place: Place, places: list[Place]) -> bool:
    """Say whether an error only follows from others, which say it better."""
    # A list whose entries were refused counts as empty too.
    if error["type"] == "too_short" and error["input"]:
        return True
    # Where a word or a part is expected, or one value or several, what was written is judged as
    # both, and what is wrong within it is the point.
    composed = isinstance(error["input"], dict | list)
    return composed and any(
        len(other) > len(place) and other[: len(place)] == place for other in places
    )


_STANDING_IN = {
    "schema": "loyalty.policy/v1",
    "programme": "programme",
    "version": 1,
    "effective_from": "2000-01-01T00:00:00Z",
    "zone": "UTC",
}
"""What stands for a key that every document needs, while the rest of it is judged."""


def _rest(
    tree: dict[str, Tree], places: list[Place]
) -> tuple[PolicyModel | None, dict[str, tuple[int, ...]]]:
    """Read the document without the entries of its sections in which something is wrong."""
    bad: dict[str, set[int]] = {}
    left = dict(tree)
    for place in places:
        section = str(place[0]) if place else ""
        entries = tree.get(section)
        if len(place) > 1 and isinstance(entries, list) and isinstance(place[1], int):
            bad.setdefault(section, set()).add(place[1])
        else:
            left.pop(section, None)
    kept: dict[str, tuple[int, ...]] = {}
    for section, numbers in bad.items():
        entries = left.get(section)
        if isinstance(entries, list):
            kept[section] = tuple(n for n in range(len(entries)) if n not in numbers)
            left[section] = [entries[number] for number in kept[section]]
    try:
        return PolicyModel.model_validate({**_STANDING_IN, **left}), kept
    except ValidationError:
        return None, {}


def _shape_finding(
    tree: Tree, lines: Mapping[Place, int], error: ErrorDetails, place: Place
) -> Finding:
    at, message = place, _message(error)
    key = str(place[-1]) if place else ""
    if error["type"] == "extra_forbidden":
        at, message = place[:-1], f"unknown key {key!r}"
        part = part_at(tree, at)
        message += alternatives(key, [k.written for k in keys_of(part)] if part else [])
        kinds = [kind for other in siblings_with(tree, at, key) for kind in kinds_of(other)]
        if kinds:
            message += f"; kind {' and '.join(kinds)} has it"
    elif error["type"] == "missing":
        at, message = place[:-1], f"{key!r} is missing{_WHY_REQUIRED.get(key, '')}"
    return Finding(path_of(tree, at), message, "error", line_of(lines, place))


_WHY_REQUIRED = {"group": ": how a multiplier stacks with others has to be said"}


# How the shape errors of pydantic are said; what is in braces comes from the error's context.
_SAID = {
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be above {gt}",
    "less_than_equal": "must be at most {le}",
    "too_short": "must not be empty",
    "too_long": "has more than {max_length} entries",
    "model_type": "expected a mapping",
    "model_attributes_type": "expected a mapping",
    "tuple_type": "expected a list",
    "string_type": "expected text",
    "union_tag_not_found": "'kind' is missing",
}


def _message(error: ErrorDetails) -> str:
    message, value, context = error["msg"], error["input"], error.get("ctx", {})
    if error["type"] == "tuple_type" and isinstance(value, str) and value:
        return f"expected a list, not {value!r}: write [{value}]"
    if error["type"] in _SAID:
        return _SAID[error["type"]].format_map(context)
    if error["type"] == "literal_error":
        known = re.findall(r"'([^']*)'", context["expected"])
        return f"unknown {value!r}{alternatives(str(value), known)}"
    if error["type"] == "union_tag_invalid":
        known = re.findall(r"'([^']*)'", context["expected_tags"])
        return f"unknown kind {context['tag']!r}{alternatives(str(context['tag']), known)}"
    return message.removeprefix("Value error, ")


def _place(tree: Tree, error: ErrorDetails) -> Place:
    """Drop from a pydantic location the union tags, which are no part of the document."""
    place: list[str | int] = []
    *inner, last = error["loc"] or ("",)
    missing = error["type"] == "missing"
    for step in inner if missing else error["loc"]:
        below = child(tree, step)
        if below is not None or (isinstance(tree, dict) and step in tree):
            place.append(step)
            tree = below
    return (*place, last) if missing else tuple(place)


def path_of(tree: Tree, place: Place) -> str:
    """Write a place as people say it, list entries by their id: `earn[base.rooms].when`."""
    path = ""
    for step in place:
        if isinstance(tree, list) and isinstance(step, int):
            tree = tree[step] if step < len(tree) else None
            name = tree.get("id") if isinstance(tree, dict) else None
            path += f"[{name if isinstance(name, str) else step}]"
        else:
            tree = tree.get(str(step)) if isinstance(tree, dict) else None
            path += f".{step}" if path else str(step)
    return path


def line_of(lines: Mapping[Place, int], place: Place) -> int:
    """Find the line of the nearest part around `place` whose line is known; 0 for none."""
    for length in range(len(place), -1, -1):
        if place[:length] in lines:
            return lines[place[:length]]
    return 0
