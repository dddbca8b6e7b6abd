"""Who somebody is to a till: the number on a card."""

from loyalty.v1.types_pb2 import Identity, MemberRef


def card(number: int) -> Identity:
    """The card with a number."""
    return Identity(scheme="card", value=f"{number:06d}")


def holder(number: int) -> MemberRef:
    """Whoever has that card."""
    return MemberRef(identity=card(number))
