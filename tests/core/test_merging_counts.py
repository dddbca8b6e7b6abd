"""What two accounts count for together, and apart again: numbers, caps, status points, tiers."""

from ledger.core.commands import Counts, Numbered, Occasion, TierVerdict, Use
from ledger.core.instant import Instant
from ledger.core.snapshot import decode, encode
from ledger.core.state import Account
from tests.core.people import People
from tests.core.spec import CANCELLED, Grant, utc


def two() -> People:
    return People(["s", "t"])


def counted(number: int, counter: str = "visit") -> Counts:
    offered = Numbered(counter, "2025", "", number, False, False)
    return Counts([Use("cap/all", "", "", 0, 5)], [offered])


def test_numbers_go_on_above_both_and_none_is_had_again_while_they_are_one() -> None:
    people = two()
    for number in range(1, 4):
        people.posts("s", f"S{number}", 1, 5, counts=counted(number))
    for number in range(1, 3):
        people.posts("t", f"T{number}", 1, 5, counts=counted(number))
    people.merges("s", "t")
    numbers = people.accounts["t"].numbers["visit", "2025"]
    assert (numbers.highest, numbers.next()) == (5, 6)
    people.posts("s", "S2", 2, status=CANCELLED)
    assert people.accounts["t"].numbers["visit", "2025"].next() == 6
    people.posts("t", "T3", 1, 5, counts=counted(6))
    assert people.accounts["t"].usage["cap/all", "", ""] == 25
    people.unmerges("s")
    mine = people.accounts["s"].numbers["visit", "2025"]
    assert (mine.highest, mine.next()) == (3, 2)
    assert people.accounts["t"].numbers["visit", "2025"].next() == 7
    assert people.accounts["s"].usage["cap/all", "", ""] == 10
    assert people.accounts["t"].usage["cap/all", "", ""] == 15


def gold_from_100(account: Account, at: Instant, occasion: Occasion = "counted") -> TierVerdict:
    """Gold for 100 points of 2025 to the end of 2026, else basic; what is held stays."""
    points = account.qualifying.get(("QP", "2025"), 0)
    held = account.tiers[-1] if account.tiers else None
    if held and held.tier == "gold" and (held.valid_until is None or held.valid_until > at):
        return TierVerdict("gold", held.valid_until, "2025", points, "policy-1", basis=held.basis)
    if points >= 100:
        return TierVerdict("gold", utc("2027-01-01"), "2025", points, "policy-1")
    return TierVerdict("basic", None, "2025", points, "policy-1")


def tiered() -> People:
    return People(["s", "t", "x"], ladder=gold_from_100, ranks=("basic", "gold"))


def status(points: int) -> Grant:
    return Grant(points, rule="status", currency="QP", window="2025")


def test_qualifying_points_of_both_count_together_and_part_again() -> None:
    people = tiered()
    people.posts("s", "S1", 1, status(60))
    people.posts("t", "T1", 1, status(60))
    people.merges("s", "t")
    there = people.accounts["t"]
    assert (there.qualifying, there.tier) == ({("QP", "2025"): 120}, "gold")
    people.posts("s", "S1", 2, status(50))
    people.unmerges("s")
    assert people.accounts["s"].qualifying == {("QP", "2025"): 50}
    assert people.accounts["t"].qualifying == {("QP", "2025"): 60}
    assert (people.accounts["s"].tier, people.accounts["t"].tier) == ("basic", "basic")


def test_the_better_tier_is_kept_and_goes_with_whom_it_came() -> None:
    people = tiered()
    people.posts("s", "S1", 1, status(100))
    people.posts("t", "T1", 1, status(10))
    people.at("2025-06-01").posts("s", "S1", 2, status(20))
    assert people.accounts["s"].tier == "gold"
    people.merges("s", "t")
    there = people.accounts["t"]
    assert (there.tier, there.tiers[-1].valid_until) == ("gold", utc("2027-01-01"))
    people.unmerges("s")
    assert (people.accounts["s"].tier, people.accounts["t"].tier) == ("gold", "basic")


def test_the_tier_of_who_stays_is_kept_when_another_leaves() -> None:
    people = tiered()
    for name in "sx":
        people.posts(name, f"{name}1", 1, status(100))
        people.posts(name, f"{name}1", 2, status(0))
    people.merges("s", "t")
    people.merges("x", "t")
    people.unmerges("s")
    assert people.accounts["t"].tier == "gold"
    people.unmerges("x")
    assert people.accounts["t"].tier == "basic"


def test_time_asks_no_ladder_about_a_member_who_is_merged() -> None:
    people = tiered()
    people.posts("s", "S1", 1, status(100))
    people.merges("s", "t")
    people.at("2027-03-01").passes_time("s")
    assert people.accounts["s"].tier == "gold"
    people.passes_time("t")
    people.unmerges("s")
    assert people.accounts["s"].tier == "gold"


def test_an_account_in_any_of_these_states_survives_its_bytes() -> None:
    people = People(["a", "b", "c"], ladder=gold_from_100, ranks=("basic", "gold"))
    people.posts("a", "D1", 1, 10, status(120), counts=counted(1))
    people.posts("b", "D2", 1, 20, counts=counted(1))
    people.merges("a", "b")
    people.holds("b", "H", 5)
    people.begins("b", "c")
    for name in "abc":
        assert decode(encode(people.accounts[name])) == people.accounts[name]
    people.finishes("b")
    for name in "abc":
        assert decode(encode(people.accounts[name])) == people.accounts[name]
