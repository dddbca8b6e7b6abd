"""Waiting for the read side, so that an answer reflects what its caller has seen already."""

from collections.abc import Iterable

from ledger.answers.postings import parse_position
from ledger.core.refusals import NotServing
from projections.projection import Connection, Positions
from projections.reading import Behind, reached


def positions_in(tokens: Iterable[str]) -> dict[int, int]:
    """By lane, the furthest of the positions that a caller names. Raises Malformed."""
    positions: dict[int, int] = {}
    for token in filter(None, tokens):
        lane, pos = parse_position(token)
        positions[lane] = max(pos, positions.get(lane, 0))
    return positions


async def catch_up(
    connection: Connection, name: str, wanted: Positions, *, seconds: float, late: str = ""
) -> None:
    """Wait until a projection includes `wanted`.

    Raises NotServing when it does not come that far in time; `late` says so to the caller, else
    which lanes are behind.
    """
    if not wanted:
        return
    try:
        await reached(connection, name, wanted, seconds=seconds)
    except Behind as behind:
        raise NotServing(cause=late or str(behind)) from behind
