"""Steps of tiers: a member's tier lasts to its end, or nearly."""

import hypothesis.strategies as st
from hypothesis.stateful import rule

from tests.machine.books import DAY
from tests.machine.steps import Steps, members


class TierSteps(Steps):
    """What tiers have of their own; documents reach and lose them."""

    @rule(member=members, early=st.sampled_from((0, 0, 1, DAY, 9 * DAY)))
    def outlast(self, member: str, early: int) -> None:
        """Time passes until a tier is over, or until just before."""
        _, until = self.clerk.tier(member, self.now)
        if until is not None:
            self.move_on(until - early)
