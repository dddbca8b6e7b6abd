"""Text to `PolicyDocument`: reading and shape, with every complaint as a finding with its path."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from rules import model
from rules.model import PolicyModel
from rules.reading import Place, Tree, read_tree
from rules.refusal import Finding, PolicyRefused, Severity, alternatives


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """A policy document as read. `model` is None when `findings` refuse it."""

    model: PolicyModel | None
    findings: tuple[Finding, ...]
    lines: Mapping[Place, int] = field(repr=False)
    tree: Tree = field(repr=False)

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

    def finding(self, place: Place, message: str, *, warning: bool = False) -> Finding:
        """Make a finding about the part of the document at `place`."""
        severity: Severity = "warning" if warning else "error"
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
        findings = [
            _shape_finding(tree, lines, detail)
            for detail in error.errors(include_url=False)
            # A list whose entries were refused counts as empty too, which helps nobody.
            if not (detail["type"] == "too_short" and detail["input"])
        ]
        return PolicyDocument(None, tuple(dict.fromkeys(findings)), lines, tree)


def _shape_finding(tree: Tree, lines: Mapping[Place, int], error: ErrorDetails) -> Finding:
    place = _place(tree, error["loc"])
    at, message = place, _message(error)
    key = str(place[-1]) if place else ""
    if error["type"] == "extra_forbidden":
        at, message = place[:-1], f"unknown key {key!r}"
        message += alternatives(key, _known_keys(_part_at(tree, at), at))
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
    if error["type"] in _SAID:
        return _SAID[error["type"]].format_map(context)
    if error["type"] == "literal_error":
        known = re.findall(r"'([^']*)'", context["expected"])
        return f"unknown {value!r}{alternatives(str(value), known)}"
    if error["type"] == "union_tag_invalid":
        known = re.findall(r"'([^']*)'", context["expected_tags"])
        return f"unknown kind {context['tag']!r}{alternatives(str(context['tag']), known)}"
    return message.removeprefix("Value error, ")


def _place(tree: Tree, loc: tuple[str | int, ...]) -> Place:
    """Drop from a pydantic location the union tags, which are no part of the document."""
    place: list[str | int] = []
    for depth, step in enumerate(loc):
        if isinstance(tree, dict):
            if step not in tree and depth < len(loc) - 1:
                continue
            if step not in tree and step == tree.get("kind"):
                continue
            tree = tree.get(str(step))
        elif isinstance(tree, list) and isinstance(step, int) and step < len(tree):
            tree = tree[step]
        place.append(step)
    return tuple(place)


def _part_at(tree: Tree, place: Place) -> Tree:
    for step in place:
        if isinstance(tree, dict):
            tree = tree.get(str(step))
        elif isinstance(tree, list) and isinstance(step, int):
            tree = tree[step]
    return tree


def _known_keys(part: Tree, place: Place) -> list[str]:
    """List the keys of the model that `part`, the mapping at `place`, is read into."""
    kind = part.get("kind") if isinstance(part, dict) else None
    section = next((step for step in reversed(place) if isinstance(step, str)), "")
    read_into = _PARTS.get((section, str(kind))) or _PARTS.get((section, None))
    if read_into is None:
        return []
    return [entry.alias or name for name, entry in read_into.model_fields.items()]


_PARTS: dict[tuple[str, str | None], type[BaseModel]] = {
    ("", None): PolicyModel,
    ("currencies", None): model.Currency,
    ("rounding", None): model.Rounding,
    ("business_units", None): model.BusinessUnit,
    ("categories", None): model.CategoryEntry,
    ("groups", None): model.Group,
    ("earn", "base"): model.BaseRule,
    ("earn", "multiplier"): model.MultiplierRule,
    ("earn", "bonus"): model.BonusRule,
    ("when", None): model.When,
    ("rate", None): model.Rate,
    ("expiries", "fixed"): model.FixedExpiry,
    ("expiries", "month_end"): model.PeriodEndExpiry,
    ("expiries", "quarter_end"): model.PeriodEndExpiry,
    ("expiries", "year_end"): model.PeriodEndExpiry,
    ("expiries", "never"): model.NeverExpiry,
    ("redemptions", None): model.Redemption,
    ("holds", None): model.HoldTerms,
    ("reversals", None): model.Reversals,
    ("tiers", None): model.Tiers,
    ("ladder", None): model.Tier,
    ("reach_any", None): model.Need,
    ("keep_any", None): model.Need,
}


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
