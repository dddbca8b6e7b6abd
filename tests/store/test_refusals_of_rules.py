"""What the rules refuse, as the ledger refuses it: each reason that a call can meet is its own."""

from typing import get_args

import pytest

import rules
from ledger.core.refusals import Malformed
from ledger.policies import refusal_of
from rules.refusal import Reason

NOBODY_ASKS = {
    "ABOVE_MAXIMUM",
    "ACCOUNT_TOO_YOUNG",
    "BELOW_MINIMUM",
    "LIMIT_REACHED",
    "NOT_A_STEP",
    "NO_RELATION",
    "UNKNOWN_CONVERSION",
}
"""Reasons of transfers and conversions, which no call asks for."""
OF_FORM = {"AMOUNT_TOO_LARGE", "TIME_OUT_OF_RANGE"}


@pytest.mark.parametrize("reason", sorted(set(get_args(Reason)) - NOBODY_ASKS))
def test_a_reason_becomes_a_refusal_that_names_the_value(reason: Reason) -> None:
    refused = rules.RulesRefusal(reason, path="there", value="this", known=["that"])
    refusal = refusal_of(refused)
    assert isinstance(refusal, Malformed) == (reason in OF_FORM)
    assert "this" in refusal.fields.values()


@pytest.mark.parametrize("reason", sorted(NOBODY_ASKS))
def test_a_reason_that_no_call_can_meet_is_not_taken_for_another(reason: Reason) -> None:
    refused = rules.RulesRefusal(reason, path="points", value="5")
    with pytest.raises(AssertionError, match=reason):
        refusal_of(refused)
