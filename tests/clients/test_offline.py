"""A till's queue against a real ledger: with a line, without one, and when it comes back."""

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from loyalty.v1.account_service_pb2 import VIEW_FULL, GetAccountRequest, ListEntriesRequest
from loyalty.v1.ledger_service_pb2 import (
    OUTCOME_POSTED,
    OUTCOME_REPLAYED,
    BatchPostRequest,
    BurnPointsRequest,
    CaptureHoldRequest,
    HoldPointsRequest,
    PostDocumentRequest,
    ReleaseHoldRequest,
)
from loyalty.v1.types_pb2 import Origin
from loyalty_client import Client, Connection, NoAnswer, identity, line, money, origin, points, sale
from loyalty_client.offline import (
    AllowanceOver,
    BeyondAllowance,
    OfflineQueue,
    OtherContent,
    QueueUnusable,
    State,
    TokenChanged,
    UnknownAllowance,
)
from loyalty_client.offline.store import Store
from loyalty_client.refusals import (
    HoldResolved,
    InsufficientPoints,
    OccurredInFuture,
    Permission,
)
from tests.database_fixtures import blocking
from tests.server.served import Served

CARD = identity("card", "8800")
DEAD = "127.0.0.1:9"
"""Nobody listens there: the line is down."""
SHORT = 0.3


def post_sale(number: int, cents: int = 10_00, request_id: str = "") -> PostDocumentRequest:
    document = sale(f"T-{number}", 1, [line("grocery", money(f"{cents // 100}", "USD"))])
    return PostDocumentRequest(request_id=request_id, member=CARD, document=document)


def hold_of(amount: int, hold_id: str = "H-1") -> HoldPointsRequest:
    return HoldPointsRequest(hold_id=hold_id, member=CARD, points=points(amount))


def account(client: Client) -> dict[str, int]:
    read = client.get_account(GetAccountRequest(member=CARD, view=VIEW_FULL)).account
    [row] = [row for row in read.balances if row.currency == "point"]
    return {"available": row.available, "held": row.held}


class HandClock:
    """A till's clock, set by hand."""

    def __init__(self) -> None:
        self.fast = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.fast


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def queue(tmp_path: Path, clock: HandClock) -> Iterator[OfflineQueue]:
    """An empty queue of a till of the market."""
    with OfflineQueue(tmp_path / "till.queue", origin=origin("market", till="3"), clock=clock) as q:
        yield q


@pytest.fixture
def rich(client: Client) -> Client:
    """The member has plenty of points."""
    client.post_document(post_sale(0, 2_000_00))
    return client


@pytest.fixture
def no_line(connection: Connection) -> Iterator[Client]:
    """The same client, who reaches nobody."""
    with Client(Connection(DEAD, connection.token)) as client:
        yield client


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


def test_an_allowance_is_spent_without_a_line_and_captured_later(
    queue: OfflineQueue, rich: Client, no_line: Client
) -> None:
    before = account(rich)["available"]
    allowance = queue.take_allowance(rich, hold_of(500))
    assert (allowance.points, allowance.left, allowance.state) == (500, 500, "open")
    assert allowance.ends_at is not None
    assert timedelta(hours=23) < allowance.ends_at - datetime.now(UTC) <= timedelta(hours=24)
    queue.spend("H-1", 300, request_id="receipt-1")
    queue.spend("H-1", 150)
    assert queue.upload(no_line, timeout=SHORT).left == 2
    assert queue.allowance("H-1").left == 50
    with pytest.raises(BeyondAllowance) as error:
        queue.spend("H-1", 51)
    assert (error.value.left, error.value.requested) == (50, 51)
    assert account(rich) == {"available": before - 500, "held": 500}
    assert queue.upload(rich).posted == 2
    assert account(rich) == {"available": before - 500, "held": 50}
    queue.end_allowance("H-1")
    queue.end_allowance("H-1")
    assert queue.upload(rich).posted == 1
    assert account(rich) == {"available": before - 450, "held": 0}
    assert not queue.allowances()


def test_the_same_spending_counts_once(queue: OfflineQueue, rich: Client) -> None:
    queue.take_allowance(rich, hold_of(500))
    for _ in range(3):
        assert queue.spend("H-1", 300, request_id="receipt-1") == "receipt-1"
    assert queue.allowance("H-1").spent == 300
    with pytest.raises(OtherContent):
        queue.spend("H-1", 301, request_id="receipt-1")
    queue.upload(rich)
    assert queue.spend("H-1", 300, request_id="receipt-1") == "receipt-1"
    assert queue.forget(timedelta(0)) == 0
    assert queue.allowance("H-1").spent == 300
    queue.end_allowance("H-1")
    queue.upload(rich)
    assert queue.forget(timedelta(0)) == 2


def test_an_allowance_that_is_spent_to_the_last_point_needs_no_giving_back(
    queue: OfflineQueue, rich: Client
) -> None:
    queue.take_allowance(rich, hold_of(200))
    queue.spend("H-1", 200)
    queue.end_allowance("H-1")
    assert queue.upload(rich).posted == 1
    assert account(rich)["held"] == 0
    with pytest.raises(AllowanceOver):
        queue.spend("H-1", 1)


def test_an_allowance_beyond_what_the_member_has_is_refused(
    queue: OfflineQueue, client: Client, rich: Client
) -> None:
    with pytest.raises(InsufficientPoints):
        queue.take_allowance(client, hold_of(1_000_000))
    assert queue.allowance("H-1").state == "refused"
    with pytest.raises(AllowanceOver):
        queue.spend("H-1", 1)
    assert queue.upload(client).stopped_by is None
    # The member has more by now.
    rich.post_document(post_sale(9, 900_000_00))
    assert queue.take_allowance(client, hold_of(1_000_000)).state == "open"


def test_an_allowance_without_an_answer_is_asked_for_again(
    queue: OfflineQueue, rich: Client, no_line: Client
) -> None:
    wanted = hold_of(200)
    with pytest.raises(NoAnswer):
        queue.take_allowance(no_line, wanted, timeout=SHORT)
    with pytest.raises(AllowanceOver, match="not known yet"):
        queue.spend("H-1", 1)
    assert queue.upload(rich).stopped_by is None
    assert queue.allowance("H-1").left == 200
    assert queue.take_allowance(no_line, wanted).left == 200


def test_an_allowance_nobody_wants_any_more_is_given_back(
    queue: OfflineQueue, rich: Client, no_line: Client
) -> None:
    before = account(rich)
    with pytest.raises(NoAnswer):
        queue.take_allowance(no_line, hold_of(200), timeout=SHORT)
    queue.end_allowance("H-1")
    assert queue.upload(rich).posted == 1
    assert queue.allowance("H-1").state == "ended"
    assert account(rich) == before


def test_another_hold_under_the_id_of_an_allowance_is_not_taken(
    queue: OfflineQueue, rich: Client
) -> None:
    queue.take_allowance(rich, hold_of(200))
    with pytest.raises(OtherContent):
        queue.take_allowance(rich, hold_of(300))
    for write in (CaptureHoldRequest(hold_id="H-1", points=1), ReleaseHoldRequest(hold_id="H-1")):
        with pytest.raises(ValueError, match="is an allowance"):
            queue.put(write)
    with pytest.raises(UnknownAllowance):
        queue.spend("H-2", 1)
    with pytest.raises(ValueError, match="1 or more"):
        queue.spend("H-1", 0)
    with pytest.raises(ValueError, match="validate_only"):
        queue.take_allowance(rich, HoldPointsRequest(validate_only=True))


def test_after_its_time_an_allowance_is_over_here_too(
    queue: OfflineQueue, rich: Client, clock: HandClock
) -> None:
    queue.take_allowance(rich, hold_of(200))
    clock.fast = timedelta(hours=25)
    assert not queue.allowances()
    with pytest.raises(AllowanceOver):
        queue.spend("H-1", 1)


def test_what_was_spent_of_a_hold_that_is_over_is_the_units_loss_and_is_told(
    queue: OfflineQueue, rich: Client
) -> None:
    queue.take_allowance(rich, hold_of(200))
    spent = queue.spend("H-1", 150)
    rich.release_hold(ReleaseHoldRequest(hold_id="H-1", origin=Origin(business_unit="market")))
    queue.end_allowance("H-1")
    done = queue.upload(rich)
    # The capture is refused and told; that nothing is left to give back is nobody's business.
    assert (done.posted, done.refused, done.left) == (0, 1, 0)
    [refused] = queue.refused()
    assert refused.request_id == spent
    assert isinstance(refused.refusal, HoldResolved)


def test_threads_and_queues_on_one_file_never_spend_more_than_there_is(
    queue: OfflineQueue, rich: Client, tmp_path: Path
) -> None:
    before = account(rich)["available"]
    queue.take_allowance(rich, hold_of(500))
    with OfflineQueue(tmp_path / "till.queue", origin=origin("market", till="4")) as other:
        run_at_once(*[lambda one=one: spend_all(one) for one in (queue, other, queue, other)])
        assert queue.allowance("H-1").left == other.allowance("H-1").left == 3
        run_at_once(lambda: queue.upload(rich), lambda: other.upload(rich))
    assert not queue.waiting()
    assert not queue.refused()
    assert account(rich) == {"available": before - 500, "held": 3}


def spend_all(queue: OfflineQueue) -> None:
    """Spend sevens until nothing is left."""
    try:
        while True:
            queue.spend("H-1", 7)
    except BeyondAllowance:
        return


def run_at_once(*works: Callable[[], object]) -> None:
    """Run in threads; all of them must come to an end."""
    threads = [Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


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
