"""Decide the jobs of a batch, one after the other, each on what those before it made."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from ledger.act import Act, Answer
from ledger.core.refusals import AtomicRefused, Refusal
from ledger.handlers import decide_act, decide_group
from ledger.waiting import Job
from ledger.work import Work

DECIDED_PER_TURN: Final = 16
"""Acts decided before the event loop gets a turn: reads wait for some milliseconds, not sixty."""

Result = Answer | Refusal


class Broke(Exception):
    """An act failed with something that is no refusal."""

    def __init__(self, job: Job, error: Exception) -> None:
        """`job` failed with `error`, and may have recorded half of itself."""
        super().__init__(str(error))
        self.job = job
        self.error = error


async def decide_jobs(
    jobs: Sequence[Job], work: Work, cannot_serve: Callable[[Job], Refusal | None]
) -> list[tuple[Act, Result]]:
    """The result of each act. Raises Broke, after which `work` is void."""
    results: list[tuple[Act, Result]] = []
    for number, job in enumerate(jobs, start=1):
        try:
            results.extend(_decide_job(job, work, cannot_serve(job)))
        except Exception as error:
            raise Broke(job, error) from error
        if number % DECIDED_PER_TURN == 0:
            await asyncio.sleep(0)
    return results


def _decide_job(job: Job, work: Work, refusal: Refusal | None) -> list[tuple[Act, Result]]:
    if refusal is not None:
        return [(act, refusal) for act in job.acts]
    if len(job.acts) == 1:
        return [(job.acts[0], _decide_one(job.acts[0], work))]
    return _decide_atomic(job.acts, work)


def _decide_one(act: Act, work: Work) -> Result:
    try:
        return decide_act(act, work)
    except Refusal as refusal:
        return refusal.as_answer()


def _decide_atomic(acts: tuple[Act, ...], work: Work) -> list[tuple[Act, Result]]:
    decided = decide_group(list(acts), work)
    if isinstance(decided, list):
        return list(zip(acts, decided, strict=True))
    index, refusal = decided[0], decided[1].as_answer()
    others = AtomicRefused(index=index, refused_as=refusal.reason)
    return [(act, refusal if at == index else others) for at, act in enumerate(acts)]
