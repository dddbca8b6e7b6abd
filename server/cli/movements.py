"""What moved with a write, as commands show it: what came has a plus, what went a minus."""

from collections.abc import Iterable, Iterator
from typing import Final

from ledger.core.events import EFFECTS
from loyalty.v1 import ledger_service_pb2 as pb
from server.cli import console

PARTS: Final = {
    "available": "",
    "pending": "pending",
    "held": "held",
    "in_transit": "in transit",
    "arrears": "owed",
}
"""Of a balance, with what commands call them; points without a word can be spent."""


def print_movements(movements: Iterable[pb.Movement]) -> None:
    """Show each movement in a line of its own: "points sent   -100 point, +100 in transit"."""
    for movement in movements:
        what = movement.kind.replace("_", " ")
        console.out.print(f"{what}   {', '.join(_changes(movement))}", markup=False)


def _changes(movement: pb.Movement) -> Iterator[str]:
    unit = f" {movement.currency}"
    for part, sign in EFFECTS[movement.kind]._asdict().items():
        if sign:
            word = f" {PARTS[part]}" if PARTS[part] else ""
            yield f"{sign * movement.points:+,}{unit}{word}"
            unit = ""
