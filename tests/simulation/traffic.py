"""What the tills of a world ask for: drawn from a seed, sent until answered, kept in mind."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from ledger.act import Answer
from ledger.core.instant import DAY, SECOND
from ledger.core.refusals import NotServing, Refusal
from ledger.store import KeyTaken
from loyalty.v1.ledger_service_pb2 import (
    OUTCOME_SUPERSEDED,
    BurnPointsRequest,
    CaptureHoldRequest,
    ConvertPointsRequest,
    HoldPointsRequest,
    Posting,
    ReleaseHoldRequest,
    ReverseEntryRequest,
    TransferPointsRequest,
)
from loyalty.v1.member_service_pb2 import (
    EnrolMemberRequest,
    MergeMembersRequest,
    Pool,
    UnmergeMembersRequest,
)
from loyalty.v1.programme_service_pb2 import PublishPolicyRequest
from loyalty.v1.types_pb2 import (
    MemberRef,
    Origin,
    Points,
)
from server import transferring
from server.services import merge_calls
from tests.simulation import merges, motion, pools
from tests.simulation.cards import card, holder
from tests.simulation.merges import Merges
from tests.simulation.motion import Motion
from tests.simulation.pools import Pools
from tests.simulation.processes import JUMP_MAX, WAIT_SECONDS, Process, World
from tests.simulation.programme import POLICY
from tests.simulation.sales import Sales

CLIENT: Final = "till"
UNITS: Final = ("a", "b")
RETRY_SECONDS: Final = 0.1
LEFT_UNDER_WAY: Final = 0.3
"""How often what was begun is not brought on at once, as if the process died just then."""


@dataclass
class Sent:
    """A request with its last word: an answer, or the refusal of the last time it was asked."""

    request: Any
    result: Answer | Refusal


@dataclass
class Traffic:
    """Draws requests, and remembers what became of each."""

    world: World
    members: int
    random: Random = field(init=False)
    sent: dict[str, Sent] = field(default_factory=dict)
    """By request id."""
    holds: list[tuple[str, str]] = field(default_factory=list)
    burns: list[tuple[str, str]] = field(default_factory=list)
    sales: Sales = field(init=False)
    motion: Motion = field(init=False)
    merges: Merges = field(init=False)
    pools: Pools = field(init=False)
    steps: int = 0
    _number: int = 0

    def __post_init__(self) -> None:
        self.random = Random(self.world.seed + 1)
        self.sales = Sales(self.random, list(range(self.members)), self._id, self._unit)
        self.motion = Motion(self.random, self._anybody, self._id, self._unit)
        self.merges = Merges(self.random, self._anybody, self._id, self._unit)
        self.pools = Pools(self.random, self._anybody, self._id, self._unit)

    async def begin(self) -> None:
        """Publish the policy and enrol everybody."""
        published = await self.send(PublishPolicyRequest(request_id="policy", document=POLICY))
        assert isinstance(published, Answer), published
        # Until every process has read it, and no clock stands before it.
        await asyncio.sleep(WAIT_SECONDS)
        self.world.now += 2 * JUMP_MAX
        for member in range(self.members):
            identities = [card(member)]
            origin = Origin(business_unit="a")
            enrol = EnrolMemberRequest(
                request_id=f"enrol-{member}", origin=origin, identities=identities
            )
            result = await self.send(enrol)
            assert isinstance(result, Answer), result

    async def step(self) -> None:
        """One thing happens, or an old request comes again."""
        self.steps += 1
        if self.sent and self.random.random() < 0.1:
            await self._again()
            return
        draw = self.random.choices(
            (
                self.sales.first,
                self.sales.next,
                self.sales.claim,
                self.sales.join,
                self._burn,
                self._hold,
                self._capture,
                self._reverse,
                self.motion.send,
                self.motion.decide,
                self.motion.convert,
                self.merges.merge,
                self.merges.unmerge,
                self.pools.draw,
            ),
            weights=(25, 20, 3, 1, 11, 7, 7, 8, 9, 5, 4, 1, 1, 5),
        )
        await self.send(draw[0]())

    def pass_time(self) -> None:
        """Let some time pass; once in a while a week."""
        week = self.random.random() < 0.002
        self.world.now += 7 * DAY if week else self.random.randint(1, 60 * SECOND)

    # Sending

    async def send(self, request: Any) -> Answer | Refusal:
        """Send to any process, and to another when it does not answer, until one does."""
        while True:
            process = await self.world.any_process()
            result = await self._ask(process, request)
            if isinstance(result, Answer):
                await self._bring_on(process, request, result)
                return self._remember(request, result)
            if isinstance(result, Refusal) and not isinstance(result, NotServing):
                return self._remember(request, result)
            await asyncio.sleep(RETRY_SECONDS)

    async def _ask(self, process: Process, request: Any) -> Answer | Refusal | None:
        """One try; None: nobody answered, and the caller cannot know what was recorded."""
        asking = await process.run(process.ledger.write(request, client=CLIENT))
        if asking.cancelled():
            return None
        error = asking.exception()
        if error is None:
            return asking.result()
        if isinstance(error, Refusal):
            return error
        # As a caller sees INTERNAL: too many contests for one key. Asking again is safe.
        assert isinstance(error, KeyTaken), error
        return None

    async def _bring_on(self, process: Process, request: Any, result: Answer) -> None:
        """As the service does it before it answers."""
        message: Any = result.message
        if isinstance(request, motion.BROUGHT_ON):
            steps: list[Coroutine[Any, Any, Any]] = [
                transferring.bring_on(process.ledger, message.entry_id)
            ]
        elif isinstance(request, pools.BROUGHT_ON):
            steps = [transferring.bring_on(process.ledger, each) for each in message.transfer_ids]
        elif isinstance(request, merges.BROUGHT_ON):
            steps = [merge_calls.bring_on(process.ledger, message)]
        else:
            return
        for doing in steps:
            if self.random.random() < LEFT_UNDER_WAY:
                doing.close()
                continue
            done = await process.run(doing)
            if not done.cancelled() and done.exception() is not None:
                assert isinstance(done.exception(), KeyTaken), done.exception()

    def _remember(self, request: Any, result: Answer | Refusal) -> Answer | Refusal:
        before = self.sent.get(request.request_id)
        if before is not None and isinstance(before.result, Answer) and recorded(before.result):
            assert isinstance(result, Answer), f"{request} was answered, then {result!r}"
            assert entry(before.result) == entry(result), request
            return result
        self.sent[request.request_id] = Sent(request, result)
        if isinstance(result, Answer):
            self._learn(request, result)
        return result

    def _learn(self, request: Any, result: Answer) -> None:
        unit = getattr(getattr(request, "origin", None), "business_unit", "")
        if isinstance(request, HoldPointsRequest):
            self.holds.append((unit, request.hold_id))
        elif isinstance(request, BurnPointsRequest | CaptureHoldRequest):
            self.burns.append((unit, entry(result)))
        elif isinstance(request, TransferPointsRequest | ConvertPointsRequest):
            if isinstance(request, TransferPointsRequest):
                self.motion.learn(request, entry(result))
            # Somebody tries to take it back, too.
            self.burns.append((unit, entry(result)))
        elif isinstance(request, EnrolMemberRequest):
            self.sales.joined(request)
        elif isinstance(request, MergeMembersRequest | UnmergeMembersRequest):
            self.merges.learn(request)
        elif isinstance(result.message, Pool):
            self.pools.learn(request, result.message)

    # Drawing

    async def _again(self) -> None:
        """An old request comes once more, answered or not."""
        old = self.random.choice(list(self.sent.values()))
        await self.send(old.request)

    def _id(self, kind: str) -> str:
        self._number += 1
        return f"{kind}-{self._number}"

    def _unit(self) -> str:
        return self.random.choice(UNITS)

    def _anybody(self) -> MemberRef:
        return holder(self.random.choice(self.sales.known))

    def _burn(self) -> Any:
        return BurnPointsRequest(
            request_id=self._id("burn"),
            origin=Origin(business_unit=self._unit()),
            member=self._anybody(),
            points=Points(currency="p", amount=self.random.randint(1, 200)),
        )

    def _hold(self) -> Any:
        return HoldPointsRequest(
            request_id=self._id("hold"),
            origin=Origin(business_unit=self._unit()),
            member=self._anybody(),
            hold_id=self._id("H"),
            points=Points(currency="p", amount=self.random.randint(1, 150)),
        )

    def _capture(self) -> Any:
        if not self.holds:
            return self._hold()
        unit, hold = self.random.choice(self.holds)
        origin = Origin(business_unit=unit)
        if self.random.random() < 0.3:
            return ReleaseHoldRequest(request_id=self._id("free"), origin=origin, hold_id=hold)
        return CaptureHoldRequest(
            request_id=self._id("take"),
            origin=origin,
            hold_id=hold,
            points=self.random.randint(1, 100),
            final=self.random.random() < 0.5,
        )

    def _reverse(self) -> Any:
        if not self.burns:
            return self._burn()
        unit, burn = self.random.choice(self.burns)
        return ReverseEntryRequest(
            request_id=self._id("back"),
            origin=Origin(business_unit=unit),
            entry_id=burn,
            points=self.random.choice((0, self.random.randint(1, 100))),
        )


def recorded(answer: Answer) -> bool:
    """Whether it will be given again: that a version is superseded is not remembered."""
    return getattr(answer.message, "outcome", None) != OUTCOME_SUPERSEDED


def entry(answer: Answer) -> str:
    """What tells one answer from another."""
    message = answer.message
    if isinstance(message, Posting):
        return message.entry_id
    return str(
        getattr(message, "member_id", "")
        or getattr(message, "pool_id", "")
        or getattr(message, "digest", "")
    )
