"""Joining, identities, and the tiers that a ladder gives."""

import pytest

from ledger.core.commands import AdvanceAccount, EnrolMember, LinkIdentity, Occasion, TierVerdict
from ledger.core.decide import decide
from ledger.core.events import kind_of
from ledger.core.instant import Instant
from ledger.core.refusals import AlreadyEnrolled
from ledger.core.state import Account
from loyalty.v1.events_pb2 import TIER_CAUSE_PERIOD_ENDED, TIER_CAUSE_REACHED, TierChanged
from tests.core.spec import Grant, Story, no_ladder, utc

MEMBER = "0196f2a0-1c00-7abc-8def-0123456789ab"


def gold_from_100(account: Account, at: Instant, occasion: Occasion = "counted") -> TierVerdict:
    """Gold for 100 points of 2025 to the end of 2026, else basic."""
    points = account.qualifying.get(("QP", "2025"), 0)
    if points >= 100 and at < utc("2027-01-01"):
        return TierVerdict("gold", utc("2027-01-01"), "2025", points, "policy-1")
    return TierVerdict("basic", None, "2025", points, "policy-1")


def counted(points: int, window: str = "2025") -> Grant:
    """Tier-qualifying points."""
    return Grant(points, rule="status", currency="QP", window=window)


def tier_facts(story: Story) -> list[TierChanged]:
    """All changes of tier."""
    return [fact.event for fact in story.facts if isinstance(fact.event, TierChanged)]


def test_joining_opens_the_account_and_links_identities() -> None:
    command = EnrolMember("A", "app", utc("2025-05-20"), (("i-1", "card"), ("i-2", "phone")))
    decision = decide(command, Account(MEMBER), now=utc("2025-05-20"), ladder=no_ladder)
    assert [kind_of(fact.event) for fact in decision.facts] == [
        "member_enrolled",
        "identity_linked",
        "identity_linked",
    ]
    account = decision.account
    assert (account.business_unit, account.identity_schemes) == ("A", ("card", "phone"))
    assert account.enrolled_at == utc("2025-05-20")
    with pytest.raises(AlreadyEnrolled) as refused:
        decide(command, account, now=utc("2025-05-21"), ladder=no_ladder)
    assert refused.value.fields == {"member_id": MEMBER}


def test_an_identity_is_linked_later() -> None:
    story = Story()
    story.does(LinkIdentity("i-9", "card", "B", story.now))
    story.does(LinkIdentity("i-10", "card", "B", story.now))
    assert story.account.identity_schemes == ("card",)


def test_a_tier_is_reached_when_enough_points_are_counted() -> None:
    story = Story(ladder=gold_from_100).at("2025-03-01")
    story.posts("D1", 1, counted(60))
    story.posts("D2", 1, counted(30))
    posted = story.posts("D3", 1, counted(20), occurred="2025-02-01")
    reached = posted.facts[-1].event
    assert isinstance(reached, TierChanged)
    assert (reached.from_tier, reached.to_tier, reached.cause) == (
        "basic",
        "gold",
        TIER_CAUSE_REACHED,
    )
    assert (reached.qualifying_points, reached.entry_id) == (110, "e3")
    assert reached.effective_time.ToMicroseconds() == utc("2025-02-01")
    assert [fact.to_tier for fact in tier_facts(story)] == ["basic", "gold"]
    assert story.account.tier_at(utc("2025-02-15")) == "gold"


def test_points_that_do_not_count_ask_no_ladder() -> None:
    def refuse_to_answer(
        account: Account, at: Instant, occasion: Occasion = "counted"
    ) -> TierVerdict | None:
        raise AssertionError("nobody was to ask")

    Story(ladder=refuse_to_answer).posts("D1", 1, 50)


def test_a_tier_ends_with_its_period() -> None:
    story = Story(ladder=gold_from_100).at("2025-03-01")
    story.posts("D1", 1, counted(120))
    facts = story.at("2027-05-01").passes_time()
    assert [fact.occurred_at for fact in facts] == [utc("2027-01-01")]
    ended = facts[0].event
    assert isinstance(ended, TierChanged)
    assert (ended.from_tier, ended.to_tier, ended.cause) == (
        "gold",
        "basic",
        TIER_CAUSE_PERIOD_ENDED,
    )
    assert not story.passes_time()


def test_a_tier_that_stays_is_confirmed_period_by_period() -> None:
    def for_a_year(account: Account, at: Instant, occasion: Occasion = "counted") -> TierVerdict:
        year = 2026 + sum(utc(f"{year}-01-01") <= at for year in range(2026, 2030))
        return TierVerdict("gold", utc(f"{year}-01-01"), "", 0, "policy-1")

    story = Story(ladder=for_a_year).at("2025-06-01")
    story.posts("D1", 1, counted(1))
    story.at("2028-06-01").passes_time()
    ends = [fact.valid_until_time.ToMicroseconds() for fact in tier_facts(story)]
    assert ends == [utc(f"{year}-01-01") for year in (2026, 2027, 2028, 2029)]
    assert len(story.account.tiers) == 4


def test_a_ladder_that_answers_the_past_is_asked_once() -> None:
    def always_over(account: Account, at: Instant, occasion: Occasion = "counted") -> TierVerdict:
        return TierVerdict("gold", utc("2025-01-02"), "", 0, "policy-1")

    story = Story(ladder=always_over).at("2025-06-01")
    story.posts("D1", 1, counted(1))
    assert [fact.HasField("valid_until_time") for fact in tier_facts(story)] == [True, False]
    assert not story.passes_time()


def test_a_programme_that_gave_up_its_tiers_ends_them() -> None:
    story = Story(ladder=gold_from_100).at("2025-03-01")
    story.posts("D1", 1, counted(120))
    story.ladder = no_ladder
    story.at("2027-01-01").passes_time()
    assert story.account.tier == ""


def test_advancing_is_a_command_too() -> None:
    story = Story().has_lot("L1", 10, expires="2025-02-01").at("2025-03-01")
    decision = decide(AdvanceAccount(), story.account, now=story.now, ladder=no_ladder)
    assert [kind_of(fact.event) for fact in decision.facts] == ["points_expired"]
