"""Steps of spending: burns, holds, and what is taken back of them."""

from typing import Any

import hypothesis.strategies as st
from hypothesis.stateful import Bundle, consumes, multiple, rule

from loyalty.v1.ledger_service_pb2 import (
    BurnPointsRequest,
    CaptureHoldRequest,
    HoldPointsRequest,
    ReleaseHoldRequest,
    ReverseEntryRequest,
)
from tests.machine.real import posting
from tests.machine.steps import Steps, amount, entries, fitting, members, points, units

holds: Bundle[tuple[str, str]] = Bundle("holds")
"""(hold, unit)"""


pooled = st.sampled_from((None, None, 0, 1))
"""Number of the pool whose points are spent, if there is one."""


class SpendingSteps(Steps):
    """Whatever can be done with points in one account."""

    def _whose(self, pooled: int | None) -> tuple[str, dict[str, str]]:
        """The pool whose points are spent, and how a request says that; empty: the member's own."""
        pool = None if pooled is None else self.pool(pooled)
        return ("", {}) if pool is None else (pool, {"pool_id": self.pools[pool]})

    @rule(
        target=entries,
        member=members,
        unit=units,
        number=points,
        currency=st.sampled_from(("p", "p", "q")),
        fits=fitting,
        pooled=pooled,
    )
    def burn(
        self, member: str, unit: str, number: int, currency: str, fits: bool, pooled: int | None
    ) -> Any:
        """Points are spent, one's own or a pool's."""
        pool, of = self._whose(pooled)
        number = self.within(pool or member, currency, number, fits=fits)
        request = self.about(
            BurnPointsRequest, unit, member=self.ref(member), points=amount(currency, number), **of
        )
        answer = self.both(
            request,
            lambda made: self.clerk.burn(made, member, unit, number, self.now, currency, pool),
        )
        return multiple() if answer is None else (posting(answer).entry_id, unit)

    @rule(target=holds, member=members, unit=units, number=points, fits=fitting, pooled=pooled)
    def hold(self, member: str, unit: str, number: int, fits: bool, pooled: int | None) -> Any:
        """Points are set aside."""
        pool, of = self._whose(pooled)
        number = self.within(pool or member, "p", number, fits=fits)
        hold = self.new("H")
        request = self.about(
            HoldPointsRequest,
            unit,
            member=self.ref(member),
            hold_id=hold,
            points=amount("p", number),
            **of,
        )
        answer = self.both(
            request, lambda _: self.clerk.hold(hold, member, unit, number, self.now, pool)
        )
        return multiple() if answer is None else (hold, unit)

    @rule(
        target=entries,
        hold=holds,
        number=st.one_of(st.integers(1, 20), points),
        final=st.booleans(),
    )
    def capture(self, hold: tuple[str, str], number: int, final: bool) -> Any:
        """Held points are spent."""
        request = self.about(
            CaptureHoldRequest, hold[1], hold_id=hold[0], points=number, final=final
        )
        answer = self.both(
            request, lambda made: self.clerk.capture(made, hold[0], number, final, self.now)
        )
        return multiple() if answer is None else (posting(answer).entry_id, hold[1])

    @rule(hold=consumes(holds))
    def release(self, hold: tuple[str, str]) -> None:
        """Held points come back."""
        request = self.about(ReleaseHoldRequest, hold[1], hold_id=hold[0])
        self.both(request, lambda _: self.clerk.release(hold[0], self.now))

    @rule(target=entries, entry=entries, number=st.one_of(st.just(0), st.just(0), points))
    def reverse(self, entry: tuple[str, str], number: int) -> Any:
        """A burn is taken back, or such a reversal."""
        request = self.about(ReverseEntryRequest, entry[1], entry_id=entry[0], points=number)
        answer = self.both(
            request, lambda made: self.clerk.reverse(made, entry[0], number, self.now)
        )
        if answer is None or entry[0] in self.clerk.reversals:
            return multiple()
        return posting(answer).entry_id, entry[1]
