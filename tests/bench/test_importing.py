"""The files of the benchmark are what their adapters take: one document for each ticket or stay."""

import io
from collections.abc import Iterator

import pytest

from adapters.frame.importing import messages_of
from adapters.frame.translating import translated
from adapters.frame.words import Delivery, Statement
from bench import importing


@pytest.mark.parametrize(
    ("system", "made", "worth"),
    [("poslog", importing.tickets(150), 19_90), ("ota", importing.stays(150), 495_00)],
)
def test_a_file_means_a_document_for_each(system: str, made: Iterator[str], worth: int) -> None:
    connection = importing.connection(system)
    stream = io.BytesIO("".join(made).encode())
    deliveries = [Delivery(body) for body in messages_of(stream, connection.adapter)]
    results = translated(deliveries, connection)
    assert len(results) == 150
    for stated in results.values():
        assert isinstance(stated, Statement), stated
        assert sum(line.net_minor_units for line in stated.document.lines) == worth
