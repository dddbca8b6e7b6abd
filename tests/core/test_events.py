"""The registry of facts: nothing is forgotten, and bytes once written keep their meaning.

Golden files are frozen. For a new kind write `tests/golden/<kind>.txtpb` by hand, for new fields of
an old one `<kind>.2.txtpb` and so on, and run this module once with LOYALTY_WRITE_GOLDEN=1, which
makes the bytes where there are none.
"""

import os
from pathlib import Path
from typing import get_args

import pytest
from google.protobuf import text_format

from ledger.core.applying import APPLIES
from ledger.core.events import (
    EFFECTS,
    KIND_NAME,
    KIND_NUMBER,
    AccountFact,
    AnyFact,
    MovingFact,
    UnknownKind,
    columns_of,
    decode,
    encode,
    kind_of,
)
from loyalty.v1.events_pb2 import Event, PointsEarned, TierChanged

GOLDEN = Path(__file__).resolve().parent.parent / "golden"


def test_the_union_and_the_effects_name_every_kind() -> None:
    kinds = {kind_of(message()) for message in get_args(AnyFact)}
    assert kinds == set(EFFECTS) == set(KIND_NUMBER) == set(KIND_NAME.values())


def test_the_fold_knows_every_fact_of_an_account() -> None:
    assert set(APPLIES) == set(get_args(AccountFact))


def test_what_moves_points_has_an_effect_and_nothing_else_has() -> None:
    moving = {kind_of(message()) for message in get_args(MovingFact)}
    assert moving == {kind for kind, effect in EFFECTS.items() if any(effect)}


@pytest.mark.parametrize("name", sorted(path.stem for path in GOLDEN.glob("*.txtpb")))
def test_golden_bytes_keep_their_meaning(name: str) -> None:
    text = (GOLDEN / f"{name}.txtpb").read_text(encoding="utf-8")
    event = text_format.Parse(text, Event())
    stored = GOLDEN / f"{name}.binpb"
    if os.environ.get("LOYALTY_WRITE_GOLDEN") and not stored.exists():
        stored.write_bytes(event.SerializeToString(deterministic=True))
    payload = stored.read_bytes()
    fact = decode(payload)
    assert kind_of(fact) == _kind_of_file(stored)
    assert Event.FromString(payload) == event
    assert encode(fact) == payload


def test_every_kind_has_golden_bytes_and_nothing_else_has() -> None:
    for suffix in ("binpb", "txtpb"):
        assert {_kind_of_file(path) for path in GOLDEN.glob(f"*.{suffix}")} == set(KIND_NUMBER)


def _kind_of_file(path: Path) -> str:
    return path.name.partition(".")[0]


def test_columns_are_those_of_the_message() -> None:
    earned = PointsEarned(currency="P", points=5, business_unit="A")
    assert columns_of(earned) == (KIND_NUMBER["points_earned"], "P", 5, "A")
    assert columns_of(TierChanged()) == (KIND_NUMBER["tier_changed"], None, None, None)


def test_a_kind_of_a_newer_build_is_not_guessed_at() -> None:
    with pytest.raises(UnknownKind):
        decode(b"\xfa\x3e\x00")
