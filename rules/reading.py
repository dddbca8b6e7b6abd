"""Policy text to a plain tree and the line of each part, with YAML's traps closed.

Every scalar of a YAML file is text here: `22:00` stays a time, `no` a word, `1.10` what was
written. Duplicate keys, anchors, aliases, tags and second documents are refused, because each of
them lets a file mean something else than what its reader sees.
"""

import json
import re
from collections.abc import Iterator
from typing import NoReturn

import yaml

from rules.refusal import Finding, PolicyRefused

TEXT_BYTES_MAX = 4 * 1024 * 1024
DEPTH_MAX = 24
PARTS_MAX = 100_000
"""Keys and values of a YAML file: several times the largest sensible policy."""

Tree = object
Place = tuple[str | int, ...]

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_tree(text: str | bytes) -> tuple[Tree, dict[Place, int]]:
    """Read JSON or YAML; PolicyRefused says what is wrong and where."""
    if len(text) > TEXT_BYTES_MAX:
        _refuse(f"a policy document has at most {TEXT_BYTES_MAX} bytes", line=0)
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            _refuse(f"not UTF-8 at byte {error.start}", line=0)
    _require_whole_characters(text)
    if text.lstrip().startswith("{"):
        tree = _read_json(text)
        if tree is not None:
            return tree, {}
    return _YamlReader(text).read()


_HALF = re.compile("[\ud800-\udfff]")


def _require_whole_characters(text: str) -> None:
    """Refuse half a character (a lone surrogate): nothing that has one can be written down."""
    if _HALF.search(text):
        _refuse("it has half a character (a lone surrogate)", line=0)


def _read_json(text: str) -> Tree:
    """Read a JSON object; None when the text is not JSON, for YAML has braces too."""
    try:
        tree: Tree = json.loads(text, object_pairs_hook=_unique_keys)
    except RecursionError:
        _refuse(f"nested deeper than {DEPTH_MAX} levels", line=0)
    except ValueError:
        return None
    if _deeper_than(tree, DEPTH_MAX):
        _refuse(f"nested deeper than {DEPTH_MAX} levels", line=0)
    if "\\u" in text:
        # An escape writes what the text itself cannot hold; a pair of halves is whole again.
        _require_whole_characters(json.dumps(tree, ensure_ascii=False))
    return tree


def _unique_keys(pairs: list[tuple[str, Tree]]) -> dict[str, Tree]:
    seen: dict[str, Tree] = {}
    for key, value in pairs:
        if key in seen:
            _refuse(f"key {key!r} is written twice", line=0)
        seen[key] = value
    return seen


def _deeper_than(tree: Tree, depth: int) -> bool:
    if isinstance(tree, dict):
        children = list(tree.values())
    elif isinstance(tree, list):
        children = tree
    else:
        return False
    # An empty one has nothing that is deeper, as in YAML.
    return bool(children) if depth == 0 else any(_deeper_than(c, depth - 1) for c in children)


class _YamlReader:
    """Builds the tree from the parser's events: the composer would recurse and follow aliases."""

    def __init__(self, text: str) -> None:
        self._events: Iterator[yaml.Event] = iter(yaml.parse(text, Loader=_Loader))
        self._lines: dict[Place, int] = {}

    def read(self) -> tuple[Tree, dict[Place, int]]:
        try:
            self._next()  # The stream begins.
            if isinstance(self._next(), yaml.StreamEndEvent):
                _refuse("the document is empty", line=1)
            tree = self._node(self._next(), ())
            self._next()  # The document ends.
            after = self._next()
            if not isinstance(after, yaml.StreamEndEvent):
                _refuse("a policy file holds one document", line=_line(after))
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            _refuse(f"not YAML: {error.problem}", line=0 if mark is None else mark.line + 1)
        except yaml.YAMLError as error:
            _refuse(f"not YAML: {error}".splitlines()[0], line=0)
        return tree, self._lines

    def _next(self) -> yaml.Event:
        return next(self._events)

    def _node(self, event: yaml.Event, place: Place) -> Tree:
        line = _line(event)
        self._lines.setdefault(place, line)
        if len(place) > DEPTH_MAX:
            _refuse(f"nested deeper than {DEPTH_MAX} levels", line=line)
        if len(self._lines) > PARTS_MAX:
            _refuse(f"a policy file has at most {PARTS_MAX} keys and values", line=line)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            _refuse("anchors and aliases are not accepted: write the value out", line=line)
        if getattr(event, "tag", None) not in (None, "!"):
            _refuse("tags are not accepted: every value is plain text here", line=line)
        if isinstance(event, yaml.ScalarEvent):
            return str(event.value)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(place)
        return self._mapping(place)

    def _sequence(self, place: Place) -> list[Tree]:
        items: list[Tree] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.append(self._node(event, (*place, len(items))))
        return items

    def _mapping(self, place: Place) -> dict[str, Tree]:
        entries: dict[str, Tree] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._node(event, (*place, "<key>"))
            if not isinstance(key, str):
                _refuse("a key is plain text", line=_line(event))
            if key in entries:
                _refuse(f"key {key!r} is written twice", line=_line(event))
            self._lines[(*place, key)] = _line(event)
            entries[key] = self._node(self._next(), (*place, key))
        return entries


def _line(event: yaml.Event) -> int:
    return 0 if event.start_mark is None else int(event.start_mark.line) + 1


def _refuse(message: str, *, line: int) -> NoReturn:
    raise PolicyRefused([Finding("", message, "error", line)])
