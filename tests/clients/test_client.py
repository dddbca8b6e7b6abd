"""Both clients against a real ledger: calls, refusals, batches, streams, TLS, restarts."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from loyalty.v1.account_service_pb2 import GetAccountRequest
from loyalty.v1.audit_service_pb2 import LanePosition, StreamEventsRequest, VerifyHistoryRequest
from loyalty.v1.ledger_service_pb2 import (
    OUTCOME_POSTED,
    OUTCOME_REPLAYED,
    BurnPointsRequest,
    PostDocumentRequest,
    PostStreamRequest,
)
from loyalty_client import (
    AsyncClient,
    Client,
    Connection,
    NoAnswer,
    Result,
    batching,
    identity,
    line,
    money,
    origin,
    points,
    sale,
)
from loyalty_client.refusals import (
    AtomicRefused,
    InsufficientPoints,
    Unauthenticated,
    UnknownMember,
)
from tests.clients.beside import beside, publish
from tests.database_fixtures import blocking
from tests.server import requests
from tests.server.served import Served

CARD = identity("card", "8800")
SALES = 250


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would take thousands of writes takes hundreds."""
    monkeypatch.setattr(batching, "BATCH_ITEMS", 100)


def post_sale(number: int, cents: int = 12_50) -> PostDocumentRequest:
    """A sale of some till; its request_id is the client's to choose."""
    document = sale(f"T-{number}", 1, [line("grocery", money(f"{cents / 100:.2f}", "USD"))])
    return PostDocumentRequest(member=CARD, document=document)


def burn(amount: int) -> BurnPointsRequest:
    return BurnPointsRequest(member=CARD, points=points(amount))


def available(client: Client) -> int:
    account = client.get_account(GetAccountRequest(member=CARD)).account
    return next((row.available for row in account.balances if row.currency == "point"), 0)


def awaited(connection: Connection, work: Callable[[AsyncClient], Any]) -> Any:
    """Do something with an AsyncClient, from a test that blocks."""

    async def run() -> Any:
        async with AsyncClient(connection) as client:
            return await work(client)

    return asyncio.run(run())


def test_a_write_is_read_at_once_and_sent_again_is_replayed(client: Client) -> None:
    request = post_sale(1, 50_00)
    first = client.post_document(request)
    assert first.posting.outcome == OUTCOME_POSTED
    account = client.get_account(GetAccountRequest(member=CARD), after=first).account
    assert {row.currency: row.available for row in account.balances}["point"] == 50
    again = client.post_document(request)
    assert again.posting.outcome == OUTCOME_REPLAYED
    assert again.posting.entry_id == first.posting.entry_id


def test_a_refusal_has_its_fields_and_a_sentence_for_the_cashier(client: Client) -> None:
    client.post_document(post_sale(1, 300_00))
    have = available(client)
    with pytest.raises(InsufficientPoints) as error:
        client.burn_points(burn(9_999))
    assert (error.value.available, error.value.requested) == (have, 9_999)
    assert error.value.currency == "point"
    assert error.value.spoken["en"] == "There are not enough points."
    assert error.value.spoken["zh-CN"] == "积分不足。"


def test_the_client_that_awaits_does_the_same(connection: Connection) -> None:
    async def work(client: AsyncClient) -> None:
        first = await client.post_document(post_sale(1, 500_00))
        burned = await client.burn_points(burn(200))
        read = await client.get_account(GetAccountRequest(member=CARD), after=burned)
        [balance] = [row for row in read.account.balances if row.currency == "point"]
        earned = sum(one.points for one in first.posting.movements if one.currency == "point")
        assert balance.available == earned - 200
        with pytest.raises(InsufficientPoints):
            await client.burn_points(burn(9_999))
        words = [word async for word in client.verify_history(VerifyHistoryRequest())]
        assert words[-1].done
        assert not words[-1].divergences

    awaited(connection, work)


@pytest.mark.usefixtures("small_batches")
def test_many_writes_are_cut_into_batches_and_answered_in_order(client: Client) -> None:
    writes = [post_sale(number) for number in range(SALES)]
    results = list(client.post_all(writes))
    assert [result.request_id for result in results] == [write.request_id for write in writes]
    assert {result.get().outcome for result in results} == {OUTCOME_POSTED}
    again = list(client.post_streamed(writes))
    assert [result.get().entry_id for result in again] == [each.get().entry_id for each in results]
    assert {result.get().outcome for result in again} == {OUTCOME_REPLAYED}


@pytest.mark.usefixtures("small_batches")
def test_many_writes_are_awaited_in_order(connection: Connection) -> None:
    async def work(client: AsyncClient) -> tuple[list[Result], list[Result]]:
        writes = [post_sale(number) for number in range(SALES)]
        streamed = [result async for result in client.post_streamed(writes)]
        return streamed, [result async for result in client.post_all(writes)]

    streamed, again = awaited(connection, work)
    assert {result.get().outcome for result in streamed} == {OUTCOME_POSTED}
    assert [result.get().entry_id for result in again] == [each.get().entry_id for each in streamed]


def test_a_refusal_in_a_batch_touches_no_other_item(client: Client) -> None:
    good, bad = client.post_all([post_sale(1), burn(9_999)])
    assert good.get().outcome == OUTCOME_POSTED
    with pytest.raises(InsufficientPoints):
        bad.get()


def test_all_or_nothing_tells_what_was_refused_first(
    client: Client, connection: Connection
) -> None:
    with pytest.raises(InsufficientPoints):
        client.post_together([post_sale(1), burn(9_999)])
    assert available(client) == 0
    with pytest.raises(InsufficientPoints):
        awaited(connection, lambda one: one.post_together([post_sale(1), burn(9_999)]))
    postings = client.post_together([post_sale(1, 200_00), burn(100)])
    assert [posting.outcome for posting in postings] == [OUTCOME_POSTED] * 2
    assert AtomicRefused.reason == "ATOMIC_REFUSED"


def test_a_batch_that_is_repeated_after_a_restart_is_replayed(
    database: str, tmp_path: Path, served: Served, connection: Connection, client: Client
) -> None:
    writes = [post_sale(number) for number in range(20)]
    first = [result.get() for result in client.post_all(writes)]
    with (
        beside(database, tmp_path) as again,
        Client(Connection(again.address, connection.token)) as other,
    ):
        second = [result.get() for result in other.post_all(writes)]
    assert [posting.entry_id for posting in second] == [posting.entry_id for posting in first]


@pytest.mark.usefixtures("small_batches")
def test_a_stream_goes_on_at_another_server_without_doubling(database: str, tmp_path: Path) -> None:
    with beside(database, tmp_path) as first:
        port = first.address.rpartition(":")[2]
        token = blocking(first.token("till"))
        publish(first, token)
        with Client(Connection(first.address, token)) as client:
            client.enrol_member(requests.enrolment())
        connection = Connection(first.address, token, origin=origin("market"))
        client = Client(connection)
        results = client.post_streamed([post_sale(number) for number in range(550)])
        before = [next(results) for _ in range(100)]
    with beside(database, tmp_path, listen=f"127.0.0.1:{port}"), client:
        after = list(results)
        outcomes = {each.get().outcome for each in after}
        posted = [
            event
            for message in client.stream_events(StreamEventsRequest(decode=True))
            for event in message.events
            if event.event.WhichOneof("kind") == "document_posted"
        ]
    assert outcomes <= {OUTCOME_POSTED, OUTCOME_REPLAYED}
    assert len({each.get().entry_id for each in before + after}) == len(posted) == 550


def test_the_history_is_followed_from_where_one_stood(
    client: Client, connection: Connection
) -> None:
    client.post_document(post_sale(1))
    seen = [message.positions for message in client.stream_events(StreamEventsRequest())]
    stood: dict[int, LanePosition] = {}
    for positions in seen:
        stood |= {position.lane: position for position in positions}
    posted = client.post_document(post_sale(2))
    for message in client.follow_events(list(stood.values())):
        if message.events:
            break
    assert {event.event.WhichOneof("kind") for event in message.events} >= {"document_posted"}
    lane = int(posted.posting.position.partition("-")[0])
    assert {event.lane for event in message.events} == {lane}

    async def work(other: AsyncClient) -> int:
        async for first in other.follow_events(list(stood.values())):
            if first.events:
                return len(first.events)
        return 0

    assert awaited(connection, work) == len(message.events)


def test_a_dialogue_is_answered_in_order(client: Client) -> None:
    def speak() -> Iterator[PostStreamRequest]:
        for number in range(1, 4):
            yield PostStreamRequest(sequence=number, items=requests.sales(2, prefix=str(number)))

    assert [answer.sequence for answer in client.post_stream(speak())] == [1, 2, 3]


def test_a_token_that_is_none_is_refused_in_calls_and_in_streams(served: Served) -> None:
    with Client(Connection(served.address, "loy_made_up")) as client:
        with pytest.raises(Unauthenticated):
            client.get_account(GetAccountRequest(member=CARD))
        with pytest.raises(Unauthenticated):
            list(client.verify_history(VerifyHistoryRequest()))
        with pytest.raises(Unauthenticated):
            list(client.post_streamed([post_sale(1)]))


def test_the_token_travels_under_tls(database: str, tmp_path: Path) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    ca, cert, key = (tmp_path / name for name in ("ca.pem", "cert.pem", "key.pem"))
    authority.cert_pem.write_to_path(ca)
    issued.cert_chain_pems[0].write_to_path(cert)
    issued.private_key_pem.write_to_path(key)
    with beside(database, tmp_path, tls_cert=cert, tls_key=key) as served:
        token = blocking(served.token("till"))
        target = f"localhost:{served.address.rpartition(':')[2]}"
        right, request = Connection(target, token, ca=ca), GetAccountRequest(member=CARD)
        with Client(right) as client, pytest.raises(UnknownMember):
            client.get_account(request)
        with pytest.raises(UnknownMember):
            awaited(right, lambda one: one.get_account(request))
        for wrong in (Connection(target, token, plaintext=True), Connection(target, token)):
            with Client(wrong) as client, pytest.raises(NoAnswer):
                client.get_account(request, timeout=1)
