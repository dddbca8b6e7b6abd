"""A till's queue against a real ledger: with a line, without one, and when it comes back."""

import sqlite3
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from loyalty.v1.account_service_pb2 import GetAccountRequest, ListEntriesRequest
from loyalty.v1.ledger_service_pb2 import (
    OUTCOME_POSTED,
    OUTCOME_REPLAYED,
    BatchPostRequest,
    BurnPointsRequest,
)
from loyalty_client import Client, Connection, NoAnswer, points
from loyalty_client.offline import (
    OfflineQueue,
    OtherContent,
    QueueUnusable,
    State,
    TokenChanged,
)
from loyalty_client.offline.store import Store
from loyalty_client.refusals import (
    InsufficientPoints,
    OccurredInFuture,
    Permission,
)
from tests.clients.tills import CARD, SHORT, HandClock, account, post_sale
from tests.database_fixtures import blocking
from tests.server.served import Served


def test_what_is_written_down_without_a_line_is_sent_in_order_when_it_is_back(
    queue: OfflineQueue, client: Client, no_line: Client
) -> None:
    ids = [queue.put(post_sale(number)) for number in range(5)]
    stopped = queue.upload(no_line, timeout=SHORT)
    assert isinstance(stopped.stopped_by, NoAnswer)
    assert (stopped.posted, stopped.left) == (0, 5)
    done = queue.upload(client)
    assert (done.posted, done.refused, done.left, done.stopped_by) == (5, 0, 0, None)
    entries = client.list_entries(ListEntriesRequest(member=CARD, currency="point")).entries
    assert [entry.document for entry in reversed(entries)] == [
        f"market/till/T-{number}" for number in range(5)
    ]
    for request_id in ids:
        found = queue.find(request_id)
        assert found is not None
        assert found.state is State.POSTED
        assert found.answer.posting.outcome == OUTCOME_POSTED


def test_a_write_happened_when_it_was_written_down(
    queue: OfflineQueue, client: Client, clock: HandClock
) -> None:
    clock.fast = -timedelta(hours=5)
    queue.put(post_sale(1))
    clock.fast = timedelta()
    queue.upload(client)
    [entry, *_] = client.list_entries(ListEntriesRequest(member=CARD)).entries
    late = entry.recorded_time.ToDatetime(UTC) - entry.occurred_time.ToDatetime(UTC)
    assert timedelta(hours=4, minutes=59) < late < timedelta(hours=5, minutes=1)


def test_what_was_sent_and_not_noted_is_replayed(
    queue: OfflineQueue, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_id = queue.put(post_sale(1))
    with monkeypatch.context() as broken:
        broken.setattr(queue._uploads, "answered", _die)
        with pytest.raises(KeyboardInterrupt):
            queue.upload(client)
    assert account(client)["available"] == 10
    assert queue.upload(client).posted == 1
    found = queue.find(request_id)
    assert found is not None
    assert found.answer.posting.outcome == OUTCOME_REPLAYED
    assert account(client)["available"] == 10


def _die(*_: object) -> bool:
    raise KeyboardInterrupt


def test_the_same_write_is_written_down_once_and_another_under_its_id_is_not(
    queue: OfflineQueue,
) -> None:
    write = post_sale(1)
    first = queue.put(write)
    assert queue.put(write) == queue.put(post_sale(1, request_id=first)) == first
    assert len(queue.waiting()) == 1
    with pytest.raises(OtherContent, match=first):
        queue.put(post_sale(2, request_id=first))
    with pytest.raises(OtherContent):
        queue.put(BurnPointsRequest(request_id=first, member=CARD, points=points(1)))


@pytest.mark.parametrize(
    ("write", "told"),
    [
        (GetAccountRequest(member=CARD), "no request_id"),
        (BatchPostRequest(), "no request_id"),
        (BurnPointsRequest(validate_only=True), "validate_only"),
    ],
)
def test_only_single_writes_can_wait(queue: OfflineQueue, write: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        queue.put(write)
    assert not queue.waiting()


def test_a_refusal_for_good_is_kept_and_passed_by(
    queue: OfflineQueue, client: Client, tmp_path: Path
) -> None:
    bad = queue.put(BurnPointsRequest(member=CARD, points=points(9_999)))
    good = queue.post(client, post_sale(1))
    assert good.state is State.POSTED
    [refused] = queue.refused()
    assert refused.request_id == bad
    assert isinstance(refused.refusal, InsufficientPoints)
    assert refused.refusal.requested == 9_999
    with OfflineQueue(tmp_path / "till.queue") as again:
        assert [upload.request_id for upload in again.refused()] == [bad]
        assert again.dismiss(bad)
        assert not again.dismiss(bad)
    assert not queue.refused()
    assert queue.upload(client).posted == 0


def test_a_write_that_the_token_may_not_send_waits_for_another_token(
    queue: OfflineQueue, served: Served, client: Client
) -> None:
    queue.put(post_sale(1))
    weak = blocking(served.token("weak", verbs=("read",)))
    with Client(Connection(served.address, weak)) as other:
        assert isinstance(queue.upload(other).stopped_by, Permission)
    with pytest.raises(TokenChanged):
        queue.upload(client)
    assert len(queue.waiting()) == 1
    assert queue.upload(client, any_token=True).posted == 1


def test_a_clock_that_is_far_too_fast_stops_the_upload_and_loses_nothing(
    queue: OfflineQueue, client: Client, clock: HandClock
) -> None:
    clock.fast = timedelta(hours=1)
    queue.put(post_sale(1))
    stopped = queue.upload(client)
    assert isinstance(stopped.stopped_by, OccurredInFuture)
    assert stopped.left == 1
    assert queue.dismiss(queue.waiting()[0].request_id)
    assert queue.upload(client).left == 0


def test_a_clock_that_is_a_little_fast_is_waited_for(
    queue: OfflineQueue, client: Client, clock: HandClock
) -> None:
    clock.fast = timedelta(seconds=1.5)
    assert queue.post(client, post_sale(1)).state is State.POSTED


def test_a_cashier_does_not_wait_for_a_dead_line(queue: OfflineQueue, no_line: Client) -> None:
    began = datetime.now(UTC)
    assert queue.post(no_line, post_sale(1)).state is State.WAITING
    assert datetime.now(UTC) - began < timedelta(seconds=5)


def test_a_cashier_does_not_wait_for_a_backlog(
    queue: OfflineQueue, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        queue.put(post_sale(number))
    send = client.send

    def slowly(*args: Any, **options: Any) -> Any:
        time.sleep(0.2)
        return send(*args, **options)

    monkeypatch.setattr(client, "send", slowly)
    assert queue.post(client, post_sale(9), seconds=0.5).state is State.WAITING
    assert 0 < len(queue.waiting()) < 6
    with queue._uploading:
        # Somebody else uploads, and takes long.
        assert queue.post(client, post_sale(10), seconds=0.2).state is State.WAITING
    assert queue.upload(client).left == 0


def test_the_file_is_forced_to_the_disk_with_every_commit(tmp_path: Path) -> None:
    store = Store(tmp_path / "till.queue")
    assert store.row("PRAGMA journal_mode")[0] == "wal"
    assert store.row("PRAGMA synchronous")[0] == 2
    store.close()


def test_a_file_of_another_release_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "till.queue"
    with sqlite3.connect(path) as made:
        made.execute("PRAGMA user_version = 99")
    made.close()
    with pytest.raises(QueueUnusable, match="format 99"):
        OfflineQueue(path)
    with pytest.raises(QueueUnusable, match="write-ahead log"):
        OfflineQueue(":memory:")


def test_a_write_that_this_release_does_not_know_says_so(
    queue: OfflineQueue, client: Client
) -> None:
    queue.put(post_sale(1))
    with queue._store.writing():
        queue._store.change("UPDATE upload SET method = 'loyalty.v2.LedgerService/SellPoints'")
    with pytest.raises(QueueUnusable, match="SellPoints"):
        queue.upload(client)
