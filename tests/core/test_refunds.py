"""What becomes of points that a return takes back and the member has spent: scenario S20."""

import pytest

from ledger.core.commands import RefundTerms
from ledger.core.refusals import ClawbackRefused
from loyalty.v1.events_pb2 import ClawbackWrittenOff
from tests.core.offers import Offer
from tests.core.spec import Story, moved


def test_s20_what_was_spent_is_written_off_to_a_unit() -> None:
    story, offer = _s20(RefundTerms(when_spent="write_off", write_off_to="A"))
    gone = offer.posts(story, "D1", 2)
    assert moved(gone.facts) == [("points_clawed_back", 20), ("clawback_written_off", 80)]
    [written] = [f.event for f in gone.facts if isinstance(f.event, ClawbackWrittenOff)]
    assert (written.business_unit, written.over_limit) == ("A", False)
    assert (story.available, story.arrears) == (0, 0)


def test_s20b_what_was_spent_refuses_the_return() -> None:
    story, offer = _s20(RefundTerms(when_spent="refuse"))
    with pytest.raises(ClawbackRefused) as refused:
        offer.posts(story, "D1", 2)
    assert refused.value.fields == {"missing": 80, "currency": "P", "document": "A/till/D1"}
    assert (story.available, story.heads["D1"].document.version) == (20, 1)


def test_s20c_arrears_have_a_limit() -> None:
    story, offer = _s20(RefundTerms(arrears_limit=50))
    gone = offer.posts(story, "D1", 2)
    assert moved(gone.facts) == [
        ("points_clawed_back", 20),
        ("arrears_incurred", 50),
        ("clawback_written_off", 30),
    ]
    [written] = [f.event for f in gone.facts if isinstance(f.event, ClawbackWrittenOff)]
    assert (written.business_unit, written.over_limit) == ("A", True)
    assert (story.available, story.arrears) == (0, 50)


def test_what_is_over_the_limit_of_arrears_may_be_refused_too() -> None:
    story, offer = _s20(RefundTerms(arrears_limit=50, over_limit="refuse"))
    with pytest.raises(ClawbackRefused) as refused:
        offer.posts(story, "D1", 2)
    assert refused.value.fields["missing"] == 30


def test_own_lots_alone_are_drawn_when_the_policy_says_so() -> None:
    story, offer = _s20(RefundTerms(any_lot=False))
    story.has_lot("L", 70)
    gone = offer.posts(story, "D1", 2)
    assert moved(gone.facts) == [("points_clawed_back", 20), ("arrears_incurred", 80)]
    assert story.lots_left == {"L": 70}


def _s20(refunds: RefundTerms) -> tuple[Story, Offer]:
    story, offer = Story(), Offer(refunds=refunds)
    offer.posts(story, "D1", 1, 100)
    story.burns(80, unit="B")
    return story, offer
