"""Laws of tiers: whatever happens on whatever ladder, every change is what the ladder gives."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import rules
from ledger.core.advance import advance
from ledger.core.commands import GrantTier, Occasion, TierVerdict
from ledger.core.evolve import evolve
from ledger.core.instant import from_datetime
from ledger.core.refusals import NoTierGranted
from ledger.core.state import Account
from ledger.ladders import verdict
from ledger.verifying.tier_trial import wrong_tier
from loyalty.v1.events_pb2 import TierChanged
from tests.core.spec import Grant, Story

BEGIN = datetime(2024, 2, 28, 12, tzinfo=UTC)

LADDERS: dict[str, dict[str, Any]] = {
    "calendar years": {},
    "one step, with grace": {"downgrade": "one_step", "grace_days": 40},
    "risen at the year's end": {"upgrade": "at_period_end", "grace_days": 10},
    "rolling months": {"window": "rolling_months", "window_months": 3, "valid": {"months": 2}},
    "rolling, risen by the month": {
        "window": "rolling_months",
        "window_months": 2,
        "valid": {"months": 3},
        "upgrade": "at_period_end",
        "downgrade": "one_step",
    },
    "membership years": {
        "window": "membership_year",
        "valid": {"years_after": 1, "month_day": "02-29"},
        "grace_days": 30,
    },
}

POLICY = """
schema: loyalty.policy/v1
programme: test
version: 1
effective_from: 2020-01-01T00:00:00Z
zone: Europe/Berlin
currencies: [{id: p, role: spendable}, {id: qp, role: tier_qualifying}]
business_units: [{id: a, zone: UTC, currency: EUR}]
earn:
  - {kind: base, id: base, currency: p, rate: {points: 1, per: "1.00 EUR"}}
  - {kind: base, id: status, currency: qp, rate: {points: 1, per: "1.00 EUR"}}
"""


def need(at_least: int, window: str = "ladder") -> list[list[dict[str, Any]]]:
    """So many qualifying points."""
    return [[{"currency": "qp", "at_least": at_least, "window": window}]]


def compiled(terms: dict[str, Any]) -> rules.Policy:
    """A policy with four tiers above the lowest one."""
    ladder = [
        {"id": "basic"},
        {"id": "silver", "reach_any": need(20)},
        {"id": "gold", "reach_any": need(50), "keep_any": need(40)},
        {"id": "black", "invite_only": True, "keep_any": need(60)},
        {"id": "platinum", "reach_any": need(90), "lifetime_any": need(300, "lifetime")},
    ]
    text = POLICY + yaml.safe_dump({"tiers": {**terms, "ladder": ladder}})
    return rules.compile_policy(rules.load(text))


POLICIES = {name: compiled(terms) for name, terms in LADDERS.items()}

ACTS = st.one_of(
    st.tuples(st.just("buys"), st.integers(1, 60)),
    st.tuples(st.just("returns"), st.integers(0, 5)),
    st.tuples(st.just("waits"), st.integers(1, 400)),
    st.tuples(st.just("comes late"), st.integers(1, 60)),
    st.tuples(st.just("is given"), st.integers(1, 90)),
    st.tuples(st.just("is given up"), st.just(0)),
)


class Told:
    """One member's story on a ladder."""

    def __init__(self, policy: rules.Policy) -> None:
        def ladder(
            account: Account, at: int, /, occasion: Occasion = "counted"
        ) -> TierVerdict | None:
            return verdict(policy, account, at, occasion)

        self.policy = policy
        self.day = BEGIN
        self.story = Story(now=from_datetime(BEGIN), ladder=ladder)
        self.bought: list[tuple[str, int, int]] = []
        self.given: list[GrantTier] = []
        """What staff gave and have not ended, as long as it is not over."""

    def happens(self, act: str, number: int) -> None:
        """Let something happen, then let time decide what is due."""
        story = self.story
        if act == "waits":
            self.day += timedelta(number)
            story.now = from_datetime(self.day)
        elif act == "buys":
            self.buys(number, days_ago=0)
        elif act == "comes late":
            self.buys(number, days_ago=number)
        elif act == "returns" and self.bought:
            document, version, days_ago = self.bought.pop(number % len(self.bought))
            self.posts(document, version + 1, 0, days_ago=days_ago)
        elif act == "is given":
            end = from_datetime(self.day + timedelta(number))
            given = self.grant(("silver", "gold", "black")[number % 3], end)
            story.does(given)
            self.given = [each for each in self.given if not self.reaches(each, given)] + [given]
        elif act == "is given up":
            try:
                story.does(self.grant("", None))
            except NoTierGranted:
                assert not self.given
            self.given = []
        story.passes_time()
        self.given = [each for each in self.given if (each.until or 0) > story.now]

    def rank(self, tier: str) -> int:
        """How high a tier stands."""
        return rules.tier_ranks(self.policy)[tier]

    def reaches(self, one: GrantTier, other: GrantTier) -> bool:
        """Whether one grant is as high as another."""
        return self.rank(one.tier) >= self.rank(other.tier)

    def grant(self, tier: str, until: int | None) -> GrantTier:
        """A decision of staff."""
        command = GrantTier("e", tier, until, "match", "a", self.story.now, self.policy.digest)
        replaces = bool(tier) and any(self.reaches(each, command) for each in self.given)
        return replace(command, replaces=replaces)

    def buys(self, amount: int, *, days_ago: int) -> None:
        """Post a new document."""
        document = f"D{len(self.story.facts)}"
        self.bought.append((document, 1, days_ago))
        self.posts(document, 1, amount, days_ago=days_ago)

    def posts(self, document: str, version: int, amount: int, *, days_ago: int) -> None:
        """Post a version of what happened some days ago; nothing is left of it when amount is 0."""
        happened = self.day - timedelta(days_ago)
        ladder = self.policy.terms.ladder
        assert ladder is not None
        window = ladder.window_of(happened.date().isoformat())
        grants = [Grant(amount, rule="status", currency="qp", window=window)] if amount else []
        occurred = happened.replace(tzinfo=None).isoformat()
        self.story.posts(document, version, *grants, occurred=occurred)


@pytest.mark.parametrize("name", LADDERS)
@settings(max_examples=40, deadline=None)
@given(acts=st.lists(ACTS, max_size=25))
def test_every_change_is_what_the_ladder_gives(name: str, acts: list[tuple[str, int]]) -> None:
    told = Told(POLICIES[name])
    for act, number in acts:
        told.happens(act, number)
        for grant in told.given:
            # Whatever came over it and went again: who was given a tier has it or a higher one.
            assert told.rank(told.story.account.tier) >= told.rank(grant.tier)
    story = told.story
    account = Account("m-1")
    for fact in story.facts:
        if isinstance(fact.event, TierChanged):
            assert wrong_tier(told.policy, account, fact.event) == ""
        account = evolve(account, fact.event)  # type: ignore[arg-type]
    assert account == story.account
    again = advance(story.account, now=story.now, ladder=story.ladder)
    assert again.facts == ()
    if account.tiers:
        asked_at = account.tiers[-1].next_question_at
        assert asked_at is None or asked_at > story.now


@settings(max_examples=60, deadline=None)
@given(
    acts=st.lists(
        st.one_of(
            st.tuples(st.just("buys"), st.integers(1, 400)),
            st.tuples(st.just("returns"), st.integers(0, 5)),
            st.tuples(st.just("waits"), st.integers(1, 15)),
            st.tuples(st.just("is given"), st.sampled_from((2, 32, 62))),
        ),
        max_size=16,
    )
)
def test_nothing_is_left_beneath_what_staff_gave_once_all_was_returned(
    acts: list[tuple[str, int]],
) -> None:
    """Within one calendar year: whatever was bought in it can be asked as if it had never been."""
    told = Told(POLICIES["calendar years"])
    for act, number in acts:
        # What is lower than the tier that was earned is not given.
        if act != "is given" or told.story.account.tier != "platinum":
            told.happens(act, number)
    while told.bought:
        told.happens("returns", 0)
    told.happens("is given up", 0)
    assert told.story.account.tier in ("", "basic")
