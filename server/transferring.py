"""Brings transfers on: at once when points were sent, and whatever was left under way by a crash.

It decides nothing. Each step is a ContinueTransfer with a request id made of the transfer and the
step's number, and the ledger takes it once.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import asyncpg
import structlog

from ledger.core.instant import Instant, from_datetime
from ledger.core.refusals import Refusal
from ledger.repeating import again_and_again
from ledger.service import Ledger
from loyalty.v1.ledger_service_pb2 import OUTCOME_REPLAYED, ContinueTransferRequest
from loyalty.v1.types_pb2 import Origin
from projections.transfers import DueTransfer, Waiting, due_transfers, waiting
from server.passes import BEHIND, Outcome, Send, outcomes_of

TRANSFERS: Final = "transfers"
"""Who asks, where nobody says otherwise: the unit, and inside the server the client too."""
PAGE: Final = 200
STEPS: Final = (1, 2)
"""The points arrive or come back; the sender lets go of those that arrived."""
_NOTHING_DUE: Final = frozenset({"TRANSFER_RESOLVED", "TRANSFER_WAITS"})

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Continued:
    """What a pass did."""

    completed: int = 0
    """Transfers that have arrived."""
    returned: int = 0
    """Transfers that came back."""
    replayed: int = 0
    """Steps that somebody else, or an earlier pass, had asked for already."""
    refused: Counter[str] = field(default_factory=Counter)
    """Steps by the reason of their refusal: they are tried again in the next pass."""

    def count(self, outcome: Outcome) -> None:
        """Count what became of one step."""
        if isinstance(outcome, str):
            if outcome not in _NOTHING_DUE:
                self.refused[outcome] += 1
        elif outcome.outcome == OUTCOME_REPLAYED:
            self.replayed += 1
        else:
            kinds = {movement.kind for movement in outcome.movements}
            self.completed += "transfer_completed" in kinds
            self.returned += "points_returned" in kinds


class TransferMetrics(Protocol):
    """What is told to whoever measures."""

    def transfers_continued(self, continued: Continued, left: Waiting, *, now: Instant) -> None:
        """A pass is over; so many transfers are still to be brought on."""


def step_request(transfer_id: str, step: int, *, unit: str = TRANSFERS) -> ContinueTransferRequest:
    """The request for a step of a transfer: the same, whoever makes it."""
    return ContinueTransferRequest(
        request_id=f"transfer/{transfer_id}/{step}",
        origin=Origin(business_unit=unit),
        transfer_id=transfer_id,
    )


async def bring_on(ledger: Ledger, transfer_id: str) -> None:
    """Take the steps of a transfer that was just sent or accepted; a failure is left to the pass.

    The caller's deadline does not count: what is under way is brought to its end anyhow.
    """
    for step in STEPS:
        try:
            await ledger.write(step_request(transfer_id, step), client=TRANSFERS)
        except Refusal as refusal:
            if refusal.reason not in _NOTHING_DUE:
                log.warning("transfer_not_continued", transfer=transfer_id, reason=refusal.reason)
            return


class Continuing:
    """Goes through the transfers that are due, page by page, oldest first."""

    def __init__(
        self, pool: asyncpg.Pool, send: Send[ContinueTransferRequest], *, unit: str = TRANSFERS
    ) -> None:
        """Look for them in the projection behind `pool`."""
        self._pool = pool
        self._send = send
        self._unit = unit

    async def now(self) -> Instant:
        """The newest instant by which a time-out can be told, by the database's clock."""
        return from_datetime(await self._pool.fetchval("SELECT clock_timestamp()")) - BEHIND

    async def go_on(self, now: Instant) -> Continued:
        """Take the steps that are due. Raises PassStopped, and what `send` raises."""
        continued = Continued()
        after = ""
        while page := await self._page(now, after):
            await self._steps(page, continued)
            after = page[-1].transfer
        return continued

    async def left(self, now: Instant) -> Waiting:
        """How many are still due."""
        async with self._pool.acquire() as connection:
            return await waiting(connection, now)

    async def _page(self, now: Instant, after: str) -> list[DueTransfer]:
        async with self._pool.acquire() as connection:
            return await due_transfers(connection, now, after=after, limit=PAGE)

    async def _steps(self, page: Sequence[DueTransfer], continued: Continued) -> None:
        for step in STEPS:
            wanted = [due.transfer for due in page if step > 1 or not due.received]
            requests = [step_request(transfer, step, unit=self._unit) for transfer in wanted]
            if not requests:
                continue
            for outcome in await outcomes_of(self._send, requests):
                continued.count(outcome)


async def keep_continuing(
    continuing: Continuing, *, seconds: float, metrics: TransferMetrics
) -> None:
    """Bring transfers on again and again until cancelled; a failure is logged."""

    async def bring_all_on() -> None:
        now = await continuing.now()
        continued = await continuing.go_on(now)
        metrics.transfers_continued(continued, await continuing.left(now), now=now)
        if continued.completed or continued.returned or continued.refused:
            log.info(
                "transfers_continued",
                completed=continued.completed,
                returned=continued.returned,
                refused=dict(continued.refused),
            )

    await again_and_again(bring_all_on, seconds=seconds, failed="continuing_failed")
