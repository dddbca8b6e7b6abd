"""Stored bytes are written without an Event around them; they must be the Event's bytes."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError

from ledger.core import events
from ledger.core.events import AnyFact, UnknownKind, decode, encode
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


GOLDEN = sorted((Path(__file__).resolve().parent.parent / "golden").glob("*.binpb"))
OTHER = encode(MemberEnrolled(member_id="m"))
UNKNOWN = b"\xfa\x3e\x02\x0a\x00"


def _variants(payload: bytes) -> Iterator[bytes]:
    """Bytes that were damaged, or that nobody here would have written like that."""
    yield from (payload[:length] for length in (*range(min(8, len(payload))), len(payload) - 1))
    yield from (payload + more for more in (b"\x00", OTHER, UNKNOWN, payload, b"\xff\xff"))
    yield from (first + payload for first in (OTHER, UNKNOWN, b"\x00"))
    for place in range(min(12, len(payload))):
        for bit in range(8):
            flipped = bytes([payload[place] ^ 1 << bit])
            yield payload[:place] + flipped + payload[place + 1 :]
        # The same number in more bytes, where a number's last byte stands there.
        longer = bytes([payload[place] | 0x80, 0])
        yield payload[:place] + longer + payload[place + 1 :]


def _by_envelope(payload: bytes) -> AnyFact:
    event = Event.FromString(payload)
    arm = event.WhichOneof("kind")
    if arm is None:
        raise UnknownKind
    fact: AnyFact = getattr(event, arm)
    return fact


def _outcome(read: Callable[[bytes], AnyFact], payload: bytes) -> tuple[type, bytes]:
    try:
        fact = read(payload)
    except (DecodeError, UnknownKind) as error:
        return type(error), b""
    return type(fact), fact.SerializeToString(deterministic=True)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_any_bytes_are_the_fact_that_they_are_as_an_event(path: Path) -> None:
    payload = path.read_bytes()
    found = {_outcome(decode, each)[0] for each in _variants(payload)}
    assert {DecodeError, UnknownKind, MemberEnrolled} <= found
    for each in (payload, *_variants(payload)):
        assert _outcome(decode, each) == _outcome(_by_envelope, each), each.hex()


def test_how_facts_begin_is_remembered_of_a_bounded_number() -> None:
    arms = events._Arms()
    starts = [encode(MemberEnrolled(member_id="m" * length))[:4] for length in range(15_000)]
    assert [arms[start][1:] for start in starts] == [events._arm_at(start)[1:] for start in starts]
    assert len(arms) == events._Arms.MOST
