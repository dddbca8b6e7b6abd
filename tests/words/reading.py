"""Reads stories: Markdown with a table for each, one row per step, what comes of it at its end.

A file begins with a policy. A story may add to it, as the author's guide does: lists grow, an
entry with a known id takes its place. Its table has three columns: when, what happens, and what
comes of it, in clauses between semicolons. A row without a time happens when the one before did.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.rules.guide import added

_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_BLOCK = re.compile(r"```yaml\n(.*?)```", re.DOTALL)


@dataclass(frozen=True)
class Row:
    """A step: when, what happens, and every clause of what comes of it."""

    when: str
    happens: str
    outcome: tuple[str, ...]


@dataclass(frozen=True)
class Story:
    """A table, with the policy under which it happens."""

    name: str
    policy: str
    rows: tuple[Row, ...]


def stories(path: Path) -> Iterator[Story]:
    """Every story of a file, in order."""
    head, *parts = _HEADING.split(path.read_text(encoding="utf-8"))
    first = yaml.load(_block(head), Loader=yaml.BaseLoader)
    for name, text in zip(parts[::2], parts[1::2], strict=True):
        extra = yaml.load(_block(text) or "{}", Loader=yaml.BaseLoader)
        policy = yaml.safe_dump(added(first, extra), sort_keys=False)
        rows = tuple(_rows(text))
        if not rows:
            raise ValueError(f"{path.name}: {name!r} has no table")
        yield Story(name.strip(), policy, rows)


def _block(text: str) -> str:
    found = _BLOCK.search(text)
    return found.group(1) if found else ""


def _rows(text: str) -> Iterator[Row]:
    when = ""
    for line in text.splitlines():
        if not line.startswith("| ") or line.startswith(("| when", "| ---")):
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) != 3:
            raise ValueError(f"a row has three cells: {line}")
        when = cells[0] or when
        outcome = tuple(filter(None, (clause.strip() for clause in cells[2].split(";"))))
        yield Row(when, cells[1], outcome)
