"""Points that a till sets aside while its line is up, and spends while it is down."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest

from loyalty.v1.ledger_service_pb2 import (
    CaptureHoldRequest,
    HoldPointsRequest,
    ReleaseHoldRequest,
)
from loyalty.v1.types_pb2 import Origin
from loyalty_client import Client, NoAnswer, origin
from loyalty_client.offline import (
    AllowanceOver,
    BeyondAllowance,
    OfflineQueue,
    OtherContent,
    UnknownAllowance,
)
from loyalty_client.refusals import (
    HoldResolved,
    InsufficientPoints,
)
from tests.clients.tills import SHORT, HandClock, account, hold_of, post_sale


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
    rich.post_document(post_sale(9, 900_000))
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
