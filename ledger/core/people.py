"""Who acts: a client that has proven who it is, and the person it names."""

from typing import Final
from unicodedata import normalize

OPERATOR: Final = "/"
"""Stands between client and operator; a client's name has none."""


def actor(client: str, operator: str) -> str:
    """Who acts: the client that proved who it is, and the person it names."""
    return f"{client}{OPERATOR}{operator}" if operator else client


def same_person(one: str, other: str) -> bool:
    """Whether two actors may be one person: the same client, or the same operator of two.

    Clients are what is authenticated; an operator is a client's word, which can only add doubt.
    """
    one_client, _, one_operator = one.partition(OPERATOR)
    other_client, _, other_operator = other.partition(OPERATOR)
    if one_client == other_client:
        return True
    return bool(one_operator.strip()) and folded(one_operator) == folded(other_operator)


def operator_of(named: str) -> str:
    """The person of an actor, in folded characters; empty where the client named none."""
    return folded(named.partition(OPERATOR)[2])


def folded(operator: str) -> str:
    """An operator's name without what two ways of writing it may differ in.

    é may be written as one character or as two, and a letter in full width.
    """
    return " ".join(normalize("NFKC", normalize("NFKC", operator).casefold()).split())
