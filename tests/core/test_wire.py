"""Fields put around bytes are what protobuf itself would have written."""

import pytest
from google.protobuf.message import Message

from ledger.core.wire import nested, tag_of, varint, varint_at
from loyalty.v1.ledger_service_pb2 import BatchPostResponse, BatchResult, Posting
from loyalty.v1.types_pb2 import Document, DocumentLine


@pytest.mark.parametrize("length", [0, 1, 127, 128, 16_383, 16_384, 2_100_000])
def test_a_nested_message_is_written_as_protobuf_writes_it(length: int) -> None:
    posting = Posting(entry_id="e" * length)
    written = nested(tag_of(BatchResult, "posting"), posting.SerializeToString())
    assert written == BatchResult(posting=posting).SerializeToString()


def test_repeated_fields_are_written_one_after_the_other() -> None:
    results = [BatchResult(posting=Posting(entry_id=each)) for each in ("a", "b")]
    tag = tag_of(BatchPostResponse, "results")
    written = b"".join(nested(tag, result.SerializeToString()) for result in results)
    assert written == BatchPostResponse(results=results).SerializeToString()


def test_a_number_takes_seven_bits_a_byte() -> None:
    assert varint(0) == b"\x00"
    assert varint(300) == b"\xac\x02"


@pytest.mark.parametrize("value", [0, 1, 127, 128, 300, 16_383, 16_384, 2**40])
def test_a_number_is_read_as_it_was_written(value: int) -> None:
    written = b"ab" + varint(value)
    assert varint_at(written + b"\xff", 2) == (value, len(written))
    assert varint_at(written[:-1], 2) is None


@pytest.mark.parametrize(("owner", "field"), [(Document, "source"), (DocumentLine, "line_id")])
def test_only_messages_have_a_tag_here(owner: type[Message], field: str) -> None:
    with pytest.raises(AssertionError, match="only messages"):
        tag_of(owner, field)
