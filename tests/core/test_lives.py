"""Points whose life more than a date decides: activity, tiers, segments and releases."""

from dataclasses import dataclass, field

import pytest

from ledger.core.commands import Occasion, TierVerdict
from ledger.core.decision import DATES_ALONE
from ledger.core.events import kind_of
from ledger.core.instant import Instant, to_timestamp
from ledger.core.refusals import InsufficientPoints
from ledger.core.snapshot import decode, encode
from ledger.core.state import Account
from ledger.ends import Ends, with_ends
from loyalty.v1.events_pb2 import (
    MemberProfileChanged,
    PointsBurned,
    PointsExpired,
    PointsReleased,
)
from rules import Policy
from tests.core.spec import PENDING, Grant, Story, drawn, moved, utc
from tests.rules.documents import SMALL, policy

NOUNS = """
currencies: [{id: p, role: spendable}, {id: qp, role: tier_qualifying}]
business_units: [{id: a, zone: UTC, currency: EUR}]
segments: [amex]
tiers: {ladder: [{id: green}, {id: gold, reach_any: [[{currency: qp, at_least: 1}]]}]}
"""
IDLE = "kind: inactivity, months: 12, hard_months: 36"
HALF_A_YEAR = "kind: fixed, months: 6, unless_tier: [gold]"


def expiry(keys: str) -> Policy:
    """A policy with one expiry, called e."""
    head = SMALL[: SMALL.index("currencies")]
    return policy(head + NOUNS + f"expiries: [{{id: e, {keys}}}]")


@dataclass
class Living(Story):
    """A story whose points live as an expiry of a policy says."""

    policy: Policy = field(default_factory=lambda: expiry(IDLE))
    segments: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.ends = Ends(lambda digest: self.policy, lambda account_id: self.segments)
        super().__post_init__()

    def gives(self, points: int, occurred: str, *, waits: bool = False) -> Grant:
        """What the rules give for a purchase."""
        rule = self.policy.terms.expiries["e"]
        end, life = rule.lot_end(utc(occurred), waits=waits)
        return Grant(points, expires_at=end, life=life)

    def buys(self, document: str, points: int, occurred: str, recorded: str | None = None) -> None:
        """Earn points for a purchase that is recorded then, or at once."""
        self.at(recorded or occurred)
        self.posts(document, 1, self.gives(points, occurred), occurred=occurred)

    def ends_at(self, lot_id: str) -> Instant | None:
        """When a lot is gone, as it is known now."""
        return self.ends.end(self.lot(lot_id), self.account)


# --- inactivity -----------------------------------------------------------------------------------


def idle_story() -> Living:
    """S21: two lots, of January and June 2024."""
    story = Living(now=utc("2024-01-01"))
    story.buys("D1", 100, "2024-01-15T12:00")
    story.buys("D2", 10, "2024-06-20T12:00")
    return story


def test_s21a_activity_recorded_after_expiry_revives_nothing() -> None:
    story = idle_story()
    story.buys("D3", 20, "2025-05-10T12:00", recorded="2025-06-25T12:00")
    assert (story.available, story.total("points_expired")) == (20, 110)
    assert [story.ends_at(lot.lot_id) for lot in story.account.lots] == [utc("2026-05-11")]


def test_s21b_the_newest_activity_counts_whenever_it_is_recorded() -> None:
    story = idle_story()
    story.buys("D3", 20, "2024-12-01T12:00", recorded="2025-06-10T12:00")
    story.buys("D4", 5, "2024-08-01T12:00", recorded="2025-06-11T12:00")
    assert {story.ends_at(lot.lot_id) for lot in story.account.lots} == {utc("2025-12-02")}
    assert story.at("2025-12-01T23:59:59").passes_time() == []
    assert story.available == 135
    story.at("2025-12-03").passes_time()
    assert (story.available, story.total("points_expired")) == (0, 135)
    due = [fact.occurred_at for fact in story.facts if isinstance(fact.event, PointsExpired)]
    assert set(due) == {utc("2025-12-02")}


def test_a_burn_is_activity_too() -> None:
    story = idle_story()
    story.at("2025-05-05T12:00").burns(10)
    assert story.ends_at("e1.1") == utc("2026-05-06")


def test_no_activity_carries_points_over_the_hard_limit() -> None:
    story = idle_story()
    for month in range(1, 36):
        story.at(f"{2024 + month // 12}-{month % 12 + 1:02}-16T12:00").burns(1)
    story.at("2027-01-16T00:00").passes_time()
    assert story.lots_left == {"e2.1": 10}
    assert story.total("points_expired") == 65


def test_lots_with_a_life_are_drawn_by_their_derived_end() -> None:
    story = idle_story()
    story.has_lot("fixed", 50, expires="2025-06-01")
    story.has_lot("later", 50, expires="2026-06-01")
    burn = story.at("2025-03-01T12:00").burns(130)
    # The end of the living ones is 2025-06-21 when the burn is decided.
    assert drawn(burn, "points_burned") == {"fixed": 50, "e1.1": 80}


def test_a_state_with_lives_is_the_same_after_a_snapshot() -> None:
    story = idle_story()
    story.holds("H", 20)
    assert story.account.holds[0].draws[0].life is not None
    assert decode(encode(story.account)) == story.account


def test_a_reversed_burn_gives_the_life_back_with_the_points() -> None:
    story = idle_story()
    burn = story.at("2025-02-01T12:00").burns(110)
    assert isinstance(burn.facts[0].event, PointsBurned)
    assert not story.account.lots
    story.at("2025-03-01T12:00").reverses(burn)
    assert story.ends_at("e1.1") == utc("2026-02-02")


def test_what_is_reversed_too_late_comes_back_expired_or_on_grace() -> None:
    for grace, left in (None, 0), ("2026-03-12", 110):
        story = idle_story()
        burn = story.at("2025-02-01T12:00").burns(110)
        story.at("2026-03-01T12:00").reverses(burn, grace=grace)
        assert story.available == left
        story.at("2026-03-12").passes_time()
        assert story.available == 0


def test_people_see_the_derived_end_in_draw_order() -> None:
    story = idle_story().has_lot("never", 5)
    assert [lot.lot_id for lot in story.account.lots] == ["never", "e1.1", "e2.1"]
    shown = with_ends(story.account, story.ends)
    assert [(lot.lot_id, lot.expires_at) for lot in shown.lots] == [
        ("e1.1", utc("2025-06-21")),
        ("e2.1", utc("2025-06-21")),
        ("never", None),
    ]
    plain = Story().has_lot("L1", 5).account
    assert with_ends(plain, DATES_ALONE) is plain


# --- tiers ----------------------------------------------------------------------------------------


@dataclass
class Tiers:
    """A ladder that gives gold, and takes it away at an instant."""

    lapse: str

    def __call__(
        self, account: Account, at: Instant, /, occasion: Occasion = "counted"
    ) -> TierVerdict | None:
        if at < utc(self.lapse):
            return TierVerdict("gold", utc(self.lapse), "2025", 1, "policy-1")
        return TierVerdict("green", None, "2025", 0, "policy-1")


def gold_story(keys: str) -> Living:
    """Gold until 2025-10-10 15:00, with points of 2025-01-10 that live six months."""
    story = Living(policy=expiry(keys), ladder=Tiers("2025-10-10T15:00"))
    story.at("2025-01-10T12:00").posts(
        "D1", 1, story.gives(100, "2025-01-10T12:00"), Grant(1, "qp", "QP", window="2025")
    )
    assert story.account.tier == "gold"
    return story


def test_points_live_on_while_the_tier_holds() -> None:
    story = gold_story(HALF_A_YEAR)
    story.at("2025-10-10T14:59").passes_time()
    assert (story.available, story.ends_at("e1.1")) == (100, None)


def test_sb07_with_the_tier_old_points_expire_at_once() -> None:
    story = gold_story(HALF_A_YEAR)
    facts = story.at("2025-12-01").passes_time()
    assert moved(facts) == [("points_expired", 100)]
    assert [fact.occurred_at for fact in facts] == [utc("2025-10-10T15:00")] * 2


def test_sb07_or_they_live_anew_from_that_day() -> None:
    story = gold_story(HALF_A_YEAR + ", lapse: restart")
    assert moved(story.at("2025-12-01").passes_time()) == []
    assert story.ends_at("e1.1") == utc("2026-04-11")
    story.at("2026-04-11").passes_time()
    assert (story.available, story.total("points_expired")) == (0, 100)


def test_a_tier_that_lapses_before_the_time_changes_nothing() -> None:
    story = Living(policy=expiry(HALF_A_YEAR), ladder=Tiers("2025-02-02"))
    story.at("2025-01-10T12:00").posts(
        "D1", 1, story.gives(100, "2025-01-10T12:00"), Grant(1, "qp", "QP", window="2025")
    )
    facts = story.at("2025-12-01").passes_time()
    assert [fact.occurred_at for fact in facts] == [utc("2025-02-02"), utc("2025-07-11")]


def test_a_tier_that_a_release_reaches_protects_and_ends_in_the_same_step() -> None:
    """Nobody looked from January to April; gold came on the 15th and went with March."""
    terms = expiry("kind: fixed, days: 20, unless_tier: [gold]")
    story = Living(policy=terms, ladder=Tiers("2025-03-01"))
    story.posts(
        "D1",
        1,
        story.gives(100, "2025-01-01"),
        Grant(1, "qp", "QP", pending_until=utc("2025-01-15"), window="2025"),
    )
    facts = story.at("2025-04-01").passes_time()
    assert [(kind_of(fact.event), fact.occurred_at) for fact in facts] == [
        ("points_released", utc("2025-01-15")),
        ("tier_changed", utc("2025-01-15")),
        ("tier_changed", utc("2025-03-01")),
        ("points_expired", utc("2025-03-01")),
    ]
    assert (story.account.tier, story.available) == ("green", 0)


# --- segments -----------------------------------------------------------------------------------


def card_holder() -> Living:
    """A member of a segment with points of 2022 that would live three years."""
    terms = expiry("kind: fixed, months: 36, unless_segment: [amex]")
    story = Living(policy=terms, segments=frozenset({"amex"}), now=utc("2022-01-01"))
    story.buys("D1", 100, "2022-01-15T12:00")
    return story


def loses_segments(story: Living, at: str) -> None:
    """Time is recorded first, as before every command; then the register changes."""
    story.at(at).passes_time()
    changed = MemberProfileChanged(changed=["segments"], change_time=to_timestamp(utc(at)))
    story.tells(changed)
    story.segments = frozenset()


def test_pb08_a_card_holder_keeps_old_points() -> None:
    story = card_holder()
    story.at("2025-05-15T12:00").passes_time()
    assert (story.available, story.ends_at("e1.1")) == (100, None)


def test_who_leaves_the_segment_loses_points_whose_time_has_passed() -> None:
    story = card_holder()
    loses_segments(story, "2025-05-15T12:00")
    facts = story.at("2025-06-01").passes_time()
    assert moved(facts) == [("points_expired", 100)]
    assert facts[0].occurred_at == utc("2025-05-15T12:00")


def test_who_leaves_it_before_keeps_them_to_their_date() -> None:
    story = card_holder()
    loses_segments(story, "2024-05-15T12:00")
    assert story.ends_at("e1.1") == utc("2025-01-16")


# --- since the release --------------------------------------------------------------------------


def test_a_life_since_release_begins_with_the_final_document() -> None:
    story = Living(policy=expiry("kind: fixed, days: 10, since: released"))
    waiting = story.gives(100, "2025-03-01", waits=True)
    story.at("2025-03-01T12:00").posts("D1", 1, waiting, status=PENDING)
    assert story.lot("e1.1").expires_at is None
    story.at("2025-04-01T12:00").posts("D1", 2, story.gives(100, "2025-04-01T12:00"))
    released = [fact.event for fact in story.facts if isinstance(fact.event, PointsReleased)]
    assert released[0].expire_time == to_timestamp(utc("2025-04-12"))
    assert (story.lot("e1.1").expires_at, story.lot("e1.1").life) == (utc("2025-04-12"), None)
    with pytest.raises(InsufficientPoints):
        story.at("2025-04-12").burns(1)


def test_a_protected_life_goes_on_after_the_release() -> None:
    keys = "kind: fixed, days: 10, since: released, unless_tier: [gold]"
    story = Living(policy=expiry(keys))
    waiting = story.gives(100, "2025-03-01", waits=True)
    story.at("2025-03-01T12:00").posts("D1", 1, waiting, status=PENDING)
    story.at("2025-04-01T12:00").posts("D1", 2, story.gives(100, "2025-04-01T12:00"))
    life = story.lot("e1.1").life
    assert life is not None
    assert life.unless_tiers == ("gold",)
    assert story.ends_at("e1.1") == utc("2025-04-12")


def test_facts_say_under_which_policy_points_live() -> None:
    life = idle_story().lot("e1.1").life
    assert life is not None
    assert (life.expiry, life.policy_digest) == ("e", "policy-1")
