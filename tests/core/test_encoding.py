"""Stored bytes are written without an Event around them; they must be the Event's bytes."""

from collections.abc import Iterator

import pytest
from google.protobuf.descriptor import Descriptor

from ledger.core.events import AnyFact, decode, encode
from loyalty.v1.events_pb2 import DocumentPosted, Event, MemberEnrolled, PointsEarned


@pytest.mark.parametrize("length", [0, 1, 100, 130, 20_000, 3_000_000])
def test_bytes_are_those_of_the_envelope_at_every_length(length: int) -> None:
    facts: dict[str, AnyFact] = {
        "member_enrolled": MemberEnrolled(member_id="m" * length),
        "points_earned": PointsEarned(lot_id="l" * length, points=2**62),
        "document_posted": DocumentPosted(entry_id="e" * length),
    }
    for arm, fact in facts.items():
        envelope = Event(**{arm: fact})  # type: ignore[arg-type]
        assert encode(fact) == envelope.SerializeToString(deterministic=True)
        assert decode(encode(fact)) == fact


def test_no_fact_holds_a_map_whose_bytes_would_have_no_fixed_order() -> None:
    assert not [field for field in _fields(Event.DESCRIPTOR, set()) if field.endswith("Entry")]


def _fields(message: Descriptor, seen: set[str]) -> Iterator[str]:
    if message.full_name in seen:
        return
    seen.add(message.full_name)
    for field in message.fields:
        if field.message_type is not None:
            yield field.message_type.full_name
            yield from _fields(field.message_type, seen)
