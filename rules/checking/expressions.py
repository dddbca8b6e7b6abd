"""Checks of `when.expr`: its types and names, and the words that it compares names with."""

from collections.abc import Collection, Iterator, Mapping

from rules.checking.asked import PURCHASES
from rules.checking.subject import Findings, Subject
from rules.expr import Environment, ExprError, Node, environment, read
from rules.expr.nodes import Binary, Items, Name, Text, Whole, children
from rules.model import When
from rules.reading import Place
from rules.refusal import alternatives


def expression_findings(subject: Subject) -> Findings:
    """Find expressions that are no conditions, and words in them that nothing is called."""
    types = {entry.id: entry.type for entry in subject.model.member_attributes}
    names = environment(types, [counter.id for counter in subject.model.counters])
    words: Mapping[str, Collection[str]] = {
        "member.tier": subject.names["tiers"],
        "tx.unit": subject.names["business_units"],
        "tx.activity": {"", *subject.names["activities"]},
        "tx.kind": {*PURCHASES, "activity"},
        "tx.currency": {unit.currency for unit in subject.model.business_units},
    }
    for place, part in subject.parts:
        if isinstance(part, When) and part.expr is not None:
            yield from _expression(subject, (*place, "expr"), part.expr, names, words)


def _expression(
    subject: Subject,
    place: Place,
    text: str,
    names: Environment,
    words: Mapping[str, Collection[str]],
) -> Findings:
    try:
        node = read(text, names)
    except ExprError as error:
        yield subject.error(place, str(error))
        return
    for zero in _zeros(node):
        yield subject.warning(place, f"column {zero.at}: what is divided by 0 has no answer")
    for name, word in _compared(node):
        if name == "tx.channel" and word.value != word.value.lower():
            message = f"channels are compared in small letters: write {word.value.lower()!r}"
            yield subject.error(place, f"column {word.at}: {message}")
        known = words.get(name)
        if known is not None and word.value not in known:
            message = (
                f"{name} is never {word.value!r}{alternatives(word.value, filter(None, known))}"
            )
            yield subject.error(place, f"column {word.at}: {message}")


def _zeros(node: Node) -> Iterator[Whole]:
    """Find the zeros that something is divided by."""
    if isinstance(node, Binary) and node.op in ("/", "%"):
        yield from (by for by in (node.right,) if isinstance(by, Whole) and by.value == 0)
    for child in children(node):
        yield from _zeros(child)


def _compared(node: Node) -> Iterator[tuple[str, Text]]:
    """Find the words that names are compared with."""
    if isinstance(node, Binary) and node.op in ("==", "!=", "in"):
        for name, other in ((node.left, node.right), (node.right, node.left)):
            if isinstance(name, Name):
                among = other.items if isinstance(other, Items) else (other,)
                yield from ((str(name), word) for word in among if isinstance(word, Text))
    for below in children(node):
        yield from _compared(below)
