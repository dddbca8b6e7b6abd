"""Any order of anything: the ledger and the clerk's model must agree after every step.

LOYALTY_MACHINE_EXAMPLES says how many stories are tried; the usual number is for every day.
"""

import os

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import initialize, run_state_machine_as_test

from tests.machine.document_steps import DOCUMENTS, DocumentSteps
from tests.machine.join_steps import JoinSteps
from tests.machine.life_steps import LifeSteps
from tests.machine.opening_steps import OpeningSteps
from tests.machine.recall_steps import RecallSteps
from tests.machine.referral_steps import ReferralSteps
from tests.machine.sharing import MAY
from tests.machine.spending_steps import SpendingSteps
from tests.machine.steps import MEMBERS
from tests.machine.tier_steps import TierSteps


class Machine(
    DocumentSteps,
    SpendingSteps,
    JoinSteps,
    LifeSteps,
    RecallSteps,
    TierSteps,
    OpeningSteps,
    ReferralSteps,
):
    """Everything that callers can do."""

    @initialize(
        bought=st.lists(st.integers(3_000, 20_000), min_size=3, max_size=6),
        pooled=st.booleans(),
        brought=st.booleans(),
    )
    def begin(self, bought: list[int], pooled: bool, brought: bool) -> None:
        """All members have bought something; two may have a pool, one may have been brought."""
        for member, household in MEMBERS.items():
            self.enrol(member, household)
        if brought:
            self.refer("cat", "ann")
        for document, cents in zip(DOCUMENTS, bought, strict=False):
            self.state(document, 1, cents, 0, "final")
        if pooled:
            self.open_pool("ann")
            self.add(0, "ann", "cat", MAY)
            for who in (0, 1):
                self.put_in(0, who, "p", 20, bring_on=True)


def test_ledger_and_clerk_agree_after_every_step() -> None:
    """Stories of forty steps, each begun with the members' first purchases."""
    often = settings(
        max_examples=int(os.environ.get("LOYALTY_MACHINE_EXAMPLES", "100")),
        stateful_step_count=40,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Machine, settings=often)
