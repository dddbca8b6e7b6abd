"""Room: scenarios of caps, counters and budgets with their numbers, and what is remembered."""

import rules
from ledger.core.decision import Decision
from ledger.core.state import Account
from ledger.room import LedgerRoom, recorded_room
from loyalty.v1.events_pb2 import DocumentPosted
from tests.core.offers import FIRST, Offer, number_of
from tests.core.spec import Story, moved


def test_s04_room_under_a_cap_is_given_back_and_taken_again() -> None:
    story, offer = Story().at("2025-03-01"), Offer(cap=100)
    seen = []
    for document, version, wanted in [
        ("D1", 1, 80),
        ("D2", 1, 50),
        ("D1", 2, 0),
        ("D3", 1, 40),
        ("D2", 2, 55),
        ("D1", 3, 80),
    ]:
        offer.posts(story, document, version, wanted)
        granted = sum(grant.granted for grant in story.heads[document].grants)
        seen.append((wanted, granted, 100 - offer.used_of(story)))
    assert seen == [
        (80, 80, 20),
        (50, 20, 0),
        (0, 0, 80),
        (40, 40, 40),
        (55, 55, 5),
        (80, 5, 0),
    ]
    assert story.available == 100


def test_s05_the_first_purchase_is_the_first_that_was_recorded() -> None:
    story, offer = Story(), Offer(welcome=200)
    steps = [("D1", 1, 50), ("D0", 1, 30), ("D1", 2, 0), ("D2", 1, 20), ("D1", 3, 50)]
    assert [_gained(offer.posts(story, *step)) for step in steps] == [250, 30, -250, 220, 50]
    assert [number_of(story, document, FIRST) for document in ("D0", "D1", "D2")] == [2, 0, 1]
    assert story.available == 300


def test_s06_a_free_slot_is_for_the_next_new_document() -> None:
    story, offer = Story(), Offer(welcome=200)
    for step in [("D1", 1, 50), ("D0", 1, 30), ("D1", 2, 0)]:
        offer.posts(story, *step)
    assert _gained(offer.posts(story, "D0", 2, 35)) == 5
    assert _gained(offer.posts(story, "D2", 1, 20)) == 220
    assert number_of(story, "D2", FIRST) == 1
    assert _gained(offer.posts(story, "D2", 2)) == -220
    assert story.account.numbers["first_purchase", ""].freed == ((1, "A/till/D2"),)
    assert story.available == 35


def _gained(decision: Decision) -> int:
    taken = ("points_clawed_back", "pending_clawed_back")
    return sum(-n if kind in taken else n for kind, n in moved(decision.facts))


def test_s30_a_budget_is_never_overshot() -> None:
    offer = Offer(budget=500)
    members = {name: Story(Account(name)) for name in ("M1", "M2", "M3")}
    seen = []
    for name, document, version, wanted in [
        ("M1", "D1", 1, 300),
        ("M2", "D2", 1, 250),
        ("M1", "D1", 2, 220),
        ("M3", "D3", 1, 100),
        ("M2", "D2", 2, 240),
    ]:
        offer.posts(members[name], document, version, wanted)
        given = {grant.rule: grant.granted for grant in members[name].heads[document].grants}
        seen.append((given["k"], 500 - offer.purses["budget/budget/k/P/all/"]))
    assert seen == [(300, 200), (200, 0), (220, 80), (80, 0), (200, 0)]
    assert [story.available for story in members.values()] == [440, 440, 180]


def test_a_households_cap_is_one_purse_and_without_a_household_the_members_own() -> None:
    cap = rules.CapKey("cap/family", "household", "2025")

    def used(household: str) -> int:
        purses = {"budget/cap/family/household/h1/2025": 70}
        account = Account("m-1", usage={("cap/family", "", "2025"): 20})
        room = LedgerRoom(
            account,
            "A/till/D1",
            None,
            household=household,
            purse_used=lambda stream: purses.get(stream, 0),
            limit=lambda name: 0,
        )
        return room.used(cap)

    assert [used("h1"), used("h2"), used("")] == [70, 0, 20]


def test_a_version_saw_the_purse_of_the_household_it_has_now() -> None:
    posted = DocumentPosted()
    posted.usages.add(name="cap/family", scope="household/h2", period="2025", others=30, total=5)
    posted.usages.add(name="cap/family", scope="household/h1", period="2025", change=-5)
    assert recorded_room(posted).used(rules.CapKey("cap/family", "household", "2025")) == 30
