"""Refusals: complete, distinct, and useful to whoever meets them."""

import dataclasses
import re

import pytest

from ledger.core import refusals
from ledger.core.refusals import ALL_REFUSALS, Refusal


def test_reasons_are_distinct_and_follow_the_order_in_the_docstring() -> None:
    reasons = [refusal.reason for refusal in ALL_REFUSALS]
    assert len(set(reasons)) == len(reasons)
    tree = (refusals.__doc__ or "").split("\n\n")[2]
    assert re.findall(r"[A-Z]+(?:_[A-Z]+)+|[A-Z]{5,}", tree) == reasons


@pytest.mark.parametrize("refusal", ALL_REFUSALS, ids=lambda refusal: refusal.reason)
def test_every_refusal_says_what_it_means_and_what_to_do(refusal: type[Refusal]) -> None:
    assert (refusal.__doc__ or "").split("\n")[0].endswith(".")
    assert refusal.advice.endswith(".")
    named = set(re.findall(r"{(\w+)", refusal.sentence))
    fields = {field.name: field.type for field in dataclasses.fields(refusal)}
    assert named <= set(fields)
    example = refusal(**{name: 7 if kind is int else "x" for name, kind in fields.items()})
    assert re.fullmatch(r"\S.*\S", str(example))
    assert "{" not in str(example)
    assert set(example.fields) == set(fields)


def test_what_is_not_known_is_no_field() -> None:
    over = refusals.HoldResolved(hold_id="H", first_outcome="RELEASED")
    assert over.fields == {"hold_id": "H", "first_outcome": "RELEASED"}


def test_where_the_policy_has_no_word_at_all_the_refusal_says_so() -> None:
    unknown = refusals.UnknownAttribute(field="attributes[0]", value="pets", known="")
    assert str(unknown) == "attributes[0] names attribute 'pets', but the policy has none"


def test_a_value_that_sounds_like_the_sentence_is_told_as_it_is() -> None:
    for known, rest in (("", "but the policy has none"), ("gold", "expected one of gold")):
        unknown = refusals.UnknownTier(field="tier", value="expected one of all", known=known)
        assert str(unknown) == f"tier names tier 'expected one of all', {rest}"
