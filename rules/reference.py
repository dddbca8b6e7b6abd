"""The reference of every key of the policy language, as Markdown, made from the models."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Annotated, Literal, get_args, get_origin

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import BaseModel

from rules.meanings import meaning, purpose
from rules.model import ACTIVITIES, EXTENDERS, NON_EARNING, Part, PolicyModel
from rules.model.part import Names
from rules.schema import SHORT, flattened, is_required
from rules.shapes import Key, keys_of, kinds_of, parts_in
from rules.values import Form

_HEAD = """<!-- Made by `loyalty policy reference`; edit the models in rules/model instead. -->

# Reference of the policy language

Every key of a policy document. [policy.md](policy.md) teaches the language;
`loyalty policy schema` prints the same as a JSON Schema for editors.

Whole numbers, ratios and quantities may stand in quotes or without in a YAML file, where every
value is read as text. Numbers of points are in the currency's smallest unit, 10^-`scale` of a
point. A key without default is required; *none* means that what it says is left out.
"""


def reference() -> str:
    """Write the whole reference."""
    titles = _titles()
    sections = [_section(part, title, titles) for part, title in titles.items()]
    return "\n".join([_HEAD, _words(), *sections])


def _words() -> str:
    def listed(words: tuple[str, ...] | list[str]) -> str:
        return ", ".join(f"`{word}`" for word in words)

    return (
        f"Activities that every policy knows: {listed(ACTIVITIES)}.\n"
        f"What keeps points alive besides activities: {listed(EXTENDERS)}.\n"
        f"Categories that earn nothing unless the policy says so: {listed(sorted(NON_EARNING))}.\n"
    )


def _titles() -> dict[type[Part], str]:
    """Find every part and call it as it is written: by its key, by its path when that is shared."""
    paths = dict(_paths())
    leading: dict[str, set[str]] = {}
    for path in paths.values():
        leading.setdefault(path.rpartition(".")[2], set()).add(path)
    titles: dict[type[Part], str] = {PolicyModel: "The document"}
    for part, path in paths.items():
        key = path.rpartition(".")[2]
        title = f"`{key if len(leading[key]) == 1 else path}`"
        kinds = kinds_of(part)
        if kinds and len([one for one in paths.values() if one == path]) > 1:
            title += " of kind " + ", ".join(f"`{kind}`" for kind in kinds)
        titles[part] = title
    return titles


def _paths() -> Iterator[tuple[type[Part], str]]:
    """Go through the parts level by level, so that each is met where it is least deep."""
    seen: set[type[Part]] = {PolicyModel}
    level: list[tuple[type[Part], str]] = [(PolicyModel, "")]
    while level:
        below: list[tuple[type[Part], str]] = []
        for part, path in level:
            for key in keys_of(part):
                for inner in parts_in(key.info.annotation):
                    if inner not in seen:
                        seen.add(inner)
                        below.append((inner, f"{path}.{key.written}".lstrip(".")))
        yield from below
        level = below


def _section(part: type[Part], title: str, titles: dict[type[Part], str]) -> str:
    rows = [
        f"| `{key.written}` | {_cell(_form(key, titles))} | {_cell(_default(part, key))} "
        f"| {_cell(meaning(part, key.field))} |"
        # What kind it is comes first, wherever the class declares it.
        for key in sorted(keys_of(part), key=lambda key: key.written != "kind")
    ]
    return "\n".join(
        [
            f"## {title}",
            "",
            purpose(part),
            "",
            "| key | form | default | meaning |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _default(part: type[Part], key: Key) -> str:
    if is_required(part, key):
        return "required"
    value = None if key.info.is_required() else key.info.default
    if value is None or value == ():
        return "none"
    if isinstance(value, BaseModel):
        return "its defaults"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return ", ".join(f"`{one}`" for one in value)
    return f"`{value}`" if isinstance(value, int | Fraction) or value else "empty"


def _form(key: Key, titles: dict[type[Part], str]) -> str:
    return _says(key.info.annotation, tuple(key.info.metadata), titles)


def _says(annotation: object, marks: tuple[object, ...], titles: dict[type[Part], str]) -> str:
    """Say how a value of this type is written."""
    marks = flattened(marks)
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        return _says(inner, (*more, *marks), titles)
    names = next((mark.section for mark in marks if isinstance(mark, Names)), "")
    if names:
        return f"id of `{names}`"
    form = next((mark for mark in marks if isinstance(mark, Form)), None)
    if form is not None:
        return form.says + _range(marks)
    if isinstance(annotation, type) and issubclass(annotation, Part):
        short = f" or its `{SHORT[annotation]}` alone" if annotation in SHORT else ""
        return f"{_link(titles[annotation])}{short}"
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{word}`" for word in get_args(annotation))
    if get_origin(annotation) is tuple:
        return _list(get_args(annotation), marks, titles)
    if annotation is str:
        return "text" + _range(marks)
    choices = [one for one in get_args(annotation) if one is not type(None)]
    return " or ".join(dict.fromkeys(_says(one, marks, titles) for one in choices))


def _link(title: str) -> str:
    """Link to a section as GitHub names it: small letters, words by hyphens, no signs."""
    kept = "".join(c for c in title.lower() if c.isalnum() or c in " _-")
    return f"[{title}](#{kept.replace(' ', '-')})"


def _list(
    items: tuple[object, ...], marks: tuple[object, ...], titles: dict[type[Part], str]
) -> str:
    if items[-1] is not Ellipsis:
        return f"[{', '.join(_says(item, (), titles) for item in items)}]"
    most = next((mark.max_length for mark in marks if isinstance(mark, MaxLen)), None)
    least = any(isinstance(mark, MinLen) and mark.min_length for mark in marks)
    limits = [*(["at least one"] if least else []), *([f"at most {most:,}"] if most else [])]
    entry = _says(items[0], (), titles)
    return f"list of {entry}" + (f"; {', '.join(limits)}" if limits else "")


def _range(marks: tuple[object, ...]) -> str:
    least = next((mark.ge for mark in marks if isinstance(mark, Ge)), None)
    most = next((mark.le for mark in marks if isinstance(mark, Le)), None)
    longest = next((mark.max_length for mark in marks if isinstance(mark, MaxLen)), None)
    if longest is not None:
        return f", at most {longest:,} characters"
    if least is None:
        return ""
    return f", from {least:,}" if most is None else f", {least:,} to {most:,}"
