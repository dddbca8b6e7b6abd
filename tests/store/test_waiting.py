"""The queues before the writer: bulk never holds up a till, and nobody hangs on a dead writer."""

import pytest

from ledger.act import Act, Answer
from ledger.core.refusals import NotServing, QueueFull, Refusal
from ledger.waiting import Job, Waiting
from loyalty.v1.ledger_service_pb2 import AdvanceAccountRequest


def jobs(count: int, told: list[object] | None = None) -> list[Job]:
    """Jobs of one act each; what they are answered is added to `told`."""

    def deliver(result: Answer | Refusal | Exception) -> None:
        if told is not None:
            told.append(result)

    return [
        Job((Act(AdvanceAccountRequest(), "till", deliver, deadline=None),)) for _ in range(count)
    ]


async def test_bulk_gets_a_fourth_of_a_batch_even_while_no_till_waits() -> None:
    waiting = Waiting(10_000)
    waiting.put(jobs(1000), bulk=True)
    assert len(await waiting.take(512)) == 128
    waiting.put(jobs(600), bulk=False)
    assert len(await waiting.take(512)) == 512
    assert (waiting.interactive, waiting.bulk) == (600 - 384, 1000 - 256)


async def test_tills_take_the_whole_batch_when_no_bulk_waits() -> None:
    waiting = Waiting(10_000)
    waiting.put(jobs(600), bulk=False)
    assert len(await waiting.take(512)) == 512


async def test_a_group_is_taken_whole() -> None:
    waiting = Waiting(10_000)
    [first], group = jobs(1), Job(tuple(job.acts[0] for job in jobs(300)))
    waiting.put([group, first], bulk=True)
    assert await waiting.take(512) == [group]
    assert await waiting.take(512) == [first]


async def test_a_full_queue_refuses_and_an_empty_one_takes_any_batch() -> None:
    waiting = Waiting(10)
    waiting.put(jobs(50), bulk=True)
    with pytest.raises(QueueFull):
        waiting.put(jobs(1), bulk=True)
    waiting.put(jobs(1), bulk=False)


async def test_when_nobody_takes_any_more_everybody_is_told() -> None:
    told: list[object] = []
    waiting = Waiting(10)
    waiting.put(jobs(3, told), bulk=False)
    waiting.fail("the writer has ended")
    assert [type(result) for result in told] == [NotServing] * 3
    with pytest.raises(NotServing):
        waiting.put(jobs(1), bulk=False)
