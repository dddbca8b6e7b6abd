"""What is due of recalled points: nothing while they are set aside, all of it afterwards."""

from typing import Any

import pytest

from ledger.core.events import KIND_NUMBER, AnyFact, kind_of
from ledger.core.instant import to_timestamp
from loyalty.v1.events_pb2 import (
    PendingQuarantined,
    PendingQuarantineLifted,
    PointsEarned,
    PointsPended,
    PointsQuarantined,
    QuarantineLifted,
)
from loyalty.v1.types_pb2 import Draw
from projections.due_ends import Part
from projections.due_names import KINDS, lot_part, names_in
from projections.due_parts import Key, Parts
from tests.projections.history import START

SOON, LATER = to_timestamp(START + 10**12), to_timestamp(START + 10**13)
LOT: dict[str, Any] = {"lot_id": "lot", "points": 40, "expire_time": LATER}
MADE: dict[str, Any] = {"currency": "point", "business_unit": "market", "earned_time": SOON}


def applied(known: dict[Key, Part], fact: AnyFact) -> dict[Key, Part]:
    """What is kept after a fact, when only what it names is looked up."""
    names = set(names_in(fact))
    parts = Parts({key: part for key, part in known.items() if key[1] in names})
    parts.apply("m", fact)
    kept = {key: part for key, part in known.items() if key not in parts.gone()}
    return kept | dict(parts.changed())


@pytest.mark.parametrize("pending", [False, True])
def test_what_is_set_aside_is_not_due_until_it_comes_back(pending: bool) -> None:
    made: AnyFact = PointsEarned(**LOT, **MADE)
    aside: AnyFact = PointsQuarantined(draws=[Draw(**LOT)])
    back: AnyFact = QuarantineLifted(draws=[Draw(**LOT)])
    if pending:
        draws = [Draw(**LOT, available_time=SOON)]
        made = PointsPended(**LOT, **MADE, available_time=SOON)
        aside, back = PendingQuarantined(draws=draws), PendingQuarantineLifted(draws=draws)
    before = applied({}, made)
    assert set(before) == {("m", lot_part("lot"))}
    assert applied(before, aside) == {}
    assert applied({}, back) == before


def test_these_facts_are_looked_at() -> None:
    facts: list[AnyFact] = [
        PointsQuarantined(),
        PendingQuarantined(),
        QuarantineLifted(),
        PendingQuarantineLifted(),
    ]
    assert {KIND_NUMBER[kind_of(fact)] for fact in facts} <= set(KINDS)
