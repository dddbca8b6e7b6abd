"""What the rules refuse, as the ledger refuses it: each reason that a call can meet is its own."""

from typing import get_args

import pytest

import rules
from ledger.core.refusals import Malformed
from ledger.policies import refusal_of
from rules.refusal import Reason

OF_AMOUNTS: dict[Reason, dict[str, int | str]] = {
    "ABOVE_MAXIMUM": {"maximum": 3},
    "ACCOUNT_TOO_YOUNG": {"days": 1, "minimum": 3},
    "BELOW_MINIMUM": {"minimum": 7},
    "LIMIT_REACHED": {"limit": 7, "used": 4, "window": "local_day"},
    "NOT_A_STEP": {"step": 3},
}
"""Reasons that come with bounds, which their refusals tell."""
OF_FORM = {"AMOUNT_TOO_LARGE", "TIME_OUT_OF_RANGE"}


@pytest.mark.parametrize(
    "reason", sorted(set(get_args(Reason)) - set(OF_AMOUNTS) - {"NO_RELATION"})
)
def test_a_reason_becomes_a_refusal_that_names_the_value(reason: Reason) -> None:
    refused = rules.RulesRefusal(reason, path="there", value="this", known=["that"])
    refusal = refusal_of(refused)
    assert isinstance(refusal, Malformed) == (reason in OF_FORM)
    assert "this" in refusal.fields.values()


@pytest.mark.parametrize("reason", sorted(OF_AMOUNTS))
def test_a_reason_with_bounds_becomes_a_refusal_that_tells_them(reason: Reason) -> None:
    bounds = OF_AMOUNTS[reason]
    refusal = refusal_of(rules.RulesRefusal(reason, path="points", value="5", bounds=bounds))
    assert refusal.reason == reason
    assert bounds.items() <= refusal.fields.items()


def test_who_has_no_relation_is_told_which_would_do() -> None:
    refused = rules.RulesRefusal("NO_RELATION", path="receiver", value="p", known=["household"])
    assert refusal_of(refused).reason == "NO_RELATION"
