"""YAML to a plain tree and the line of each part. Every scalar is text, as it was written.

Duplicate keys, anchors, aliases, tags and second documents are refused: each lets a file mean
something else than what its reader sees.
"""

from pathlib import Path
from typing import Any, Final

import yaml

Place = tuple[str | int, ...]
DEPTH_MAX: Final = 12
BYTES_MAX: Final = 1_000_000


class NotYaml(Exception):
    """The text cannot be read; says why and in which line."""

    def __init__(self, problem: str, line: int = 0) -> None:
        """Keep the problem and its line; 0: none in particular."""
        super().__init__(problem)
        self.problem = problem
        self.line = line


def text_of(path: Path) -> str:
    """Return the text of a file. Raises NotYaml if there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise NotYaml(f"it cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise NotYaml("it is no text in UTF-8") from None


def read(text: str) -> tuple[Any, dict[Place, int]]:
    """Return the tree and the lines of its parts. Raises NotYaml."""
    if len(text) > BYTES_MAX:
        raise NotYaml(f"a mapping has at most {BYTES_MAX} characters")
    lines: dict[Place, int] = {}
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise NotYaml("anchors and aliases are not accepted: write it out", _line(event))
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise NotYaml(f"no YAML: {error.problem}", mark.line + 1 if mark else 0) from None
    except yaml.YAMLError as error:
        raise NotYaml(f"no YAML: {error}".splitlines()[0]) from None
    except RecursionError:
        raise NotYaml(f"nested deeper than {DEPTH_MAX} levels") from None
    if node is None:
        raise NotYaml("the file is empty", 1)
    return _tree(node, (), lines), lines


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


def _tree(node: yaml.Node, place: Place, lines: dict[Place, int]) -> Any:
    line = node.start_mark.line + 1
    lines.setdefault(place, line)
    if len(place) > DEPTH_MAX:
        raise NotYaml(f"nested deeper than {DEPTH_MAX} levels", line)
    if isinstance(node, yaml.ScalarNode):
        return str(node.value)
    if isinstance(node, yaml.SequenceNode):
        return [_tree(item, (*place, at), lines) for at, item in enumerate(node.value)]
    assert isinstance(node, yaml.MappingNode)
    entries: dict[str, Any] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise NotYaml("a key is plain text", key.start_mark.line + 1)
        name = str(key.value)
        if name in entries:
            raise NotYaml(f"key {name!r} is written twice", key.start_mark.line + 1)
        lines[(*place, name)] = key.start_mark.line + 1
        entries[name] = _tree(value, (*place, name), lines)
    return entries
