"""Any order of anything: the ledger and the clerk's model must agree after every step.

LOYALTY_MACHINE_EXAMPLES says how many stories are tried; the usual number is for every day.
"""

import os

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.machine.document_steps import DocumentSteps
from tests.machine.join_steps import JoinSteps
from tests.machine.pool_steps import PoolSteps
from tests.machine.spending_steps import SpendingSteps


class Machine(DocumentSteps, SpendingSteps, JoinSteps, PoolSteps):
    """Everything that callers can do."""


def test_ledger_and_clerk_agree_after_every_step() -> None:
    """Stories of forty steps, each begun with the members' first purchases."""
    often = settings(
        max_examples=int(os.environ.get("LOYALTY_MACHINE_EXAMPLES", "100")),
        stateful_step_count=40,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Machine, settings=often)
