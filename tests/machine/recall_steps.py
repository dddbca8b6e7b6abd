"""Steps of recalls: points of some lot are set aside, given back, or taken."""

import hypothesis.strategies as st
from hypothesis.stateful import rule

from loyalty.v1.ledger_service_pb2 import RecallPointsRequest
from loyalty.v1.types_pb2 import (
    RECALL_ACTION_CLAW_BACK,
    RECALL_ACTION_QUARANTINE,
    RECALL_ACTION_RELEASE,
    MemberRef,
)
from tests.machine.books import RECALLS
from tests.machine.real import spendable
from tests.machine.steps import MEMBERS, Steps

QUARANTINE, RELEASE, CLAW_BACK = (
    RECALL_ACTION_QUARANTINE,
    RECALL_ACTION_RELEASE,
    RECALL_ACTION_CLAW_BACK,
)


class RecallSteps(Steps):
    """Whatever a recall can do in one account, a pool's too."""

    @rule(
        who=st.sampled_from((*MEMBERS, "pool1")),
        recall=st.sampled_from(RECALLS),
        action=st.sampled_from((QUARANTINE, QUARANTINE, RELEASE, CLAW_BACK)),
        number=st.integers(0, 9),
        named=st.booleans(),
    )
    def recall(self, who: str, recall: str, action: int, number: int, named: bool) -> None:
        """Somebody finds out that the points of a lot should not have been."""
        if who not in self.clerk.members:
            return
        real = spendable(self.real.account(self.party(who)))
        mine = self.clerk.in_order(who)
        if not real:
            return
        place = number % len(real)
        names = named or action == QUARANTINE
        lots = [mine[place]] if names else None
        request = self.about(
            RecallPointsRequest,
            "a",
            member=MemberRef(member_id=self.pools[who]) if who in self.pools else self.ref(who),
            recall_id=recall,
            action=action,
            lot_ids=[real[place].lot_id] if names else [],
            reason="paid twice",
        )

        def work(_: str) -> None:
            if action == QUARANTINE:
                self.clerk.set_aside(recall, lots or [])
            elif action == RELEASE:
                self.clerk.give_back(recall, who, lots, self.now)
            else:
                self.clerk.take_for_good(recall, who, lots, self.now)

        self.both(request, work)
