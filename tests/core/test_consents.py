"""Consents: the last word of the member counts, and no can always be said."""

import pytest

from ledger.core.care import CONSENTS_MAX, Consent
from ledger.core.commands import ChangeProfile, EnrolMember
from ledger.core.decide import decide
from ledger.core.refusals import TooManyConsents
from ledger.core.state import Account
from tests.core.spec import Story, no_ladder, utc


def says(story: Story, purpose: str, *, yes: bool, at: str, channel: str = "") -> None:
    told = Consent(purpose, channel, yes, "v1" if yes else "", "form/1", "A", utc(at))
    story.does(ChangeProfile((), "A", story.now, (told,)))


def granted(story: Story) -> set[tuple[str, str]]:
    return {each.about for each in story.account.care.consents if each.granted}


def test_each_channel_is_a_consent_of_its_own() -> None:
    story = Story().at("2025-03-01")
    says(story, "marketing", yes=True, at="2025-03-01", channel="email")
    says(story, "marketing", yes=True, at="2025-03-01", channel="sms")
    says(story, "marketing", yes=False, at="2025-03-01", channel="sms")
    assert granted(story) == {("marketing", "email")}


def test_what_was_said_later_counts_although_it_was_recorded_before() -> None:
    story = Story().at("2025-03-03")
    says(story, "marketing", yes=False, at="2025-03-02")
    says(story, "marketing", yes=True, at="2025-03-01")
    assert not granted(story)
    [last] = story.account.care.consents
    assert last.changed_at == utc("2025-03-02")
    assert sum(name == "ConsentChanged" for name in kinds(story)) == 2, "both are evidence"


def kinds(story: Story) -> list[str]:
    return [type(fact.event).__name__ for fact in story.facts]


def test_a_change_that_only_tells_consents_is_no_change_of_the_profile() -> None:
    story = Story().at("2025-03-01")
    says(story, "marketing", yes=True, at="2025-03-01")
    assert "MemberProfileChanged" not in kinds(story)


def test_consents_given_in_joining_are_recorded_with_it() -> None:
    terms = Consent("programme-terms", "", True, "2025-01", "app", "A", utc("2025-01-01"))
    command = EnrolMember("A", "app", utc("2025-01-01"), (), (terms,))
    decision = decide(command, Account("m-2"), now=utc("2025-01-01"), ladder=no_ladder)
    assert decision.account.care.consents == (terms,)


def test_a_full_account_takes_no_more_consents_and_every_withdrawal() -> None:
    story = Story().at("2025-03-01")
    for number in range(CONSENTS_MAX):
        says(story, f"purpose-{number}", yes=True, at="2025-03-01")
    with pytest.raises(TooManyConsents):
        says(story, "one-more", yes=True, at="2025-03-01")
    says(story, "never-given", yes=False, at="2025-03-01")
    says(story, "purpose-7", yes=False, at="2025-03-01")
    assert len(story.account.care.consents) == CONSENTS_MAX
    assert ("purpose-7", "") not in granted(story)
    says(story, "purpose-7", yes=True, at="2025-03-01")
    assert len(granted(story)) == CONSENTS_MAX
