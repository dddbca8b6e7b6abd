"""What differs between two policies, part by part."""

from collections.abc import Iterator

from rules.loading import PolicyDocument
from rules.refusal import PolicyRefused

Part = object


def differences(before: PolicyDocument, after: PolicyDocument) -> list[str]:
    """A sentence for each part that differs, in the order of the document.

    Entries of lists are compared by their ids, so that their order does not count. Raises
    PolicyRefused for a document that cannot be read.
    """
    return list(_parts(_expanded(before), _expanded(after), ""))


def _expanded(document: PolicyDocument) -> Part:
    if document.model is None:
        raise PolicyRefused(document.findings)
    expanded: Part = document.model.model_dump(mode="json", by_alias=True)
    return expanded


def _parts(before: Part, after: Part, path: str) -> Iterator[str]:
    if before == after:
        return
    one, other = _by_name(before, path), _by_name(after, path)
    if one is None or other is None:
        yield f"{path}: {_said(before)} → {_said(after)}"
        return
    for name in [*one, *(name for name in other if name not in one)]:
        if name not in other:
            yield f"{name} is no longer there"
        elif name not in one:
            yield f"{name} is new"
        else:
            yield from _parts(one[name], other[name], name)


def _by_name(part: Part, path: str) -> dict[str, Part] | None:
    """The parts of a mapping, or of a list whose entries have ids, by their paths."""
    if isinstance(part, dict):
        return {f"{path}.{key}" if path else str(key): value for key, value in part.items()}
    if isinstance(part, list) and all(isinstance(each, dict) and "id" in each for each in part):
        return {f"{path}[{each['id']}]": each for each in part}
    return None


def _said(part: Part) -> str:
    return "nothing" if part is None or part in ([], "") else str(part)
