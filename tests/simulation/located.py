"""How the checks look at a world: at its facts, and at what was answered."""

from collections.abc import Iterator
from typing import Any, TypeVar

from google.protobuf.message import Message

from ledger.act import Answer
from ledger.core.events import AnyFact
from tests.simulation.traffic import Traffic

Located = tuple[str, AnyFact]
"""A fact, and the account in whose stream it stands; empty for another stream."""
Question = TypeVar("Question", bound=Message)


def answered(traffic: Traffic, kind: type[Question]) -> Iterator[tuple[Question, Any]]:
    """Requests of a kind that were answered, with their first answers."""
    for sent in traffic.sent.values():
        if isinstance(sent.request, kind) and isinstance(sent.result, Answer):
            yield sent.request, sent.result.message


def by_entry(facts: list[Located], kind: type[Any]) -> dict[str, list[tuple[str, Any]]]:
    """Facts of a kind with their accounts, by entry."""
    found: dict[str, list[tuple[str, Any]]] = {}
    for account, fact in facts:
        if isinstance(fact, kind):
            found.setdefault(fact.entry_id, []).append((account, fact))
    return found
