"""XML by local names: senders of one standard use different namespaces and prefixes for it."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element


def local(name: str) -> str:
    """Return a tag's or attribute's name without its namespace."""
    return name.rpartition("}")[2]


def children(element: Element | None, name: str) -> list[Element]:
    """Return the children with a local name; none of no element."""
    qualified = f"}}{name}"
    return [
        each
        for each in (() if element is None else element)
        if each.tag == name or each.tag.endswith(qualified)
    ]


def child(element: Element | None, *path: str) -> Element | None:
    """Return the first element on a path of local names; None: there is none."""
    for name in path:
        if element is None:
            return None
        qualified = f"}}{name}"
        for each in element:
            if each.tag == name or each.tag.endswith(qualified):
                element = each
                break
        else:
            return None
    return element


def descendants(element: Element | None, *names: str) -> Iterator[Element]:
    """Return all elements below with one of these local names, in document order."""
    if element is not None:
        yield from (each for each in element.iter() if local(each.tag) in names)


def attribute(element: Element | None, name: str) -> str:
    """Return an attribute by its local name, without blanks around it; empty: there is none."""
    if element is None:
        return ""
    value = element.get(name)
    if value is None:
        value = next((text for key, text in element.items() if local(key) == name), "")
    return value.strip()


def text(element: Element | None, *path: str) -> str:
    """Return the text of the first element on a path, or of the element itself, bare of blanks."""
    found = child(element, *path)
    return (found.text or "").strip() if found is not None else ""


def is_true(value: str) -> bool:
    """Whether a text is XML's true."""
    return value.lower() in ("true", "1")
