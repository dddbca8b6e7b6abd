"""A conflict shows values as people write them."""

from google.protobuf.timestamp_pb2 import Timestamp

from ledger.differences import ABSENT, first_difference
from loyalty.v1.ledger_service_pb2 import PostDocumentRequest
from loyalty.v1.types_pb2 import Origin

FIRST, LATER = Timestamp(seconds=1_793_614_500), Timestamp(seconds=1_793_614_500, nanos=500_000)


def posted(occurred_time: Timestamp | None) -> PostDocumentRequest:
    return PostDocumentRequest(origin=Origin(business_unit="market", occurred_time=occurred_time))


def test_a_time_is_one_value_with_its_zone() -> None:
    assert first_difference(posted(None), posted(FIRST)) == (
        "origin.occurred_time",
        ABSENT,
        "2026-11-02T10:15:00Z",
    )
    assert first_difference(posted(FIRST), posted(LATER)) == (
        "origin.occurred_time",
        "2026-11-02T10:15:00Z",
        "2026-11-02T10:15:00.000500Z",
    )


def test_so_is_a_time_within_a_message_that_is_shown_whole() -> None:
    difference = first_difference(posted(FIRST), PostDocumentRequest())
    assert difference is not None
    assert difference.first == ('business_unit: "market" occurred_time { 2026-11-02T10:15:00Z }'), (
        difference
    )
