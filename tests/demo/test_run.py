"""A small year, all the way through: database, server, gRPC, projections, replay, verification."""

from dataclasses import replace
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from loyalty.v1.events_pb2 import DocumentPosted
from loyalty.v1.types_pb2 import (
    DOCUMENT_STATUS_CANCELLED,
    BenefitGrant,
    Document,
    Grant,
    Pins,
    Usage,
)
from rules import check, load
from server.demo import dining, hotel, market, web
from server.demo.habits import COUPON_LIVES, DINNER_FROM, with_habits
from server.demo.owners import CUSTOMER_PERCENT, ORDER_PERCENT, Members
from server.demo.returns import returns_of
from server.demo.rewarding import CampaignResult, PurseResult, Rewarding
from server.demo.run import MARKER, POLICY, Demo, DemoFailed, run_demo
from server.demo.sources import WHOLE, Control, Source, Status, major, seeded, total
from server.demo.year import Scale, Year

HOUSEHOLDS = 10
LIMIT = 400


def first_of(source: Source) -> Source:
    """The first documents of a source, each with all its versions."""
    ids = list(dict.fromkeys(document.document_id for document in source.documents))[:LIMIT]
    chosen = set(ids)
    kept = [document for document in source.documents if document.document_id in chosen]
    return replace(source, documents=kept, control=Control(None, len(ids), total(kept)))


def small_year() -> Year:
    """Ten households' baskets, and a few hundred made-up stays and orders."""
    shop = market.read(HOUSEHOLDS)
    members = Members(document.owner for document in shop.documents if document.owner is not None)
    others = [first_of(unit.read(members, real=False)) for unit in (hotel, web)]
    pairs = list(returns_of(shop.documents))
    documents = [*shop.documents, *(later for _, later in pairs)]
    documents += [document for source in others for document in source.documents]
    shown, activities = with_habits(documents, members)
    back = major(sum(before.net - later.net for before, later in pairs))
    return Year((shop, *others), WHOLE, members, [*shown, *activities], {"market": back})


@pytest.mark.slow
async def test_a_small_year_ties_replays_and_verifies(data_dir: Path) -> None:
    data_dir.mkdir()
    spoken = StringIO()
    demo = Demo(data_dir, small_year(), Console(file=spoken, width=100))
    assert await demo.run() == []
    said = spoken.getvalue()
    assert "0 divergences" in said
    assert "issued points that no figure explains: 0" in said
    assert "refused: document" not in said


def test_a_folder_that_is_not_the_demos_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.demo.year.read", lambda _: small_year())
    precious = tmp_path / "precious"
    precious.touch()
    with pytest.raises(DemoFailed, match="not the demo's"):
        run_demo(tmp_path, Scale(households=10, real=False), Console(file=StringIO()))
    assert precious.exists()
    assert not (tmp_path / MARKER).exists()


def test_returns_come_after_the_purchase_and_lower_it() -> None:
    documents = market.read(200).documents
    pairs = list(returns_of(documents))
    assert 0.005 < len(pairs) / len(documents) < 0.02
    for before, later in pairs:
        assert later.version == before.version + 1
        assert later.occurred_at > before.occurred_at
        assert later.net <= before.net
        assert later.status is Status.CANCELLED or later.lines == before.lines[:-1]


def test_owners_depend_on_hashes_alone() -> None:
    members = Members(range(1, 1_001))
    known = [
        members.of_visit("dining", str(order), percent=ORDER_PERCENT) for order in range(4_000)
    ]
    assert known == [
        Members(reversed(range(1, 1_001))).of_visit("dining", str(order), percent=ORDER_PERCENT)
        for order in range(4_000)
    ]
    share = Decimal(sum(owner is not None for owner in known)) / len(known)
    assert abs(share - Decimal(ORDER_PERCENT) / 100) < Decimal("0.03")
    customers = members.of_customers(f"c{number}" for number in range(5_000))
    assert len(customers) == len(set(customers.values())) == 1_000 * CUSTOMER_PERCENT // 100
    assert seeded("a", 1) != seeded("a", 2)


def test_a_campaign_a_cap_and_a_benefit_are_told_by_the_latest_version() -> None:
    rewarding = Rewarding()
    pins = Pins(predicates=["holdout:discover"])
    first = DocumentPosted(
        document=Document(version=1),
        pins=pins,
        grants=[
            Grant(campaign="weekend", granted=40, wanted=50, cut_by="budget/weekend/point"),
            Grant(granted=7, wanted=7),
        ],
        usages=[Usage(name="budget/weekend/point", others=60, total=40)],
        benefits=[BenefitGrant(benefit="table_to_room", quantity=2)],
    )
    late = DocumentPosted(
        document=Document(version=1),
        usages=[Usage(name="budget/weekend/point", others=100), Usage(name="metric/visits")],
    )
    rewarding.add(("dining", "demo", "a"), "account/one", first)
    rewarding.add(("dining", "demo", "b"), "account/two", first)
    rewarding.add(("dining", "demo", "c"), "account/two", late)
    voided = DocumentPosted(document=Document(version=2, status=DOCUMENT_STATUS_CANCELLED))
    rewarding.add(("dining", "demo", "b"), "account/two", voided)
    campaigns = rewarding.campaigns()
    assert campaigns["weekend"] == CampaignResult(40, 1, {"one"}, set())
    assert campaigns["discover"] == CampaignResult(0, 0, set(), {"one", "two"})
    assert rewarding.purses() == {"budget/weekend/point": PurseResult(40, 1, 10, 1)}
    assert rewarding.benefits() == {"table_to_room": 2}


def test_habits_change_no_amount_and_show_a_coupon_only_while_it_is_valid() -> None:
    members = Members(range(1, 201))
    meals, stays = dining.read(members).documents, hotel.read(members, real=False).documents
    shown, activities = with_habits([*meals, *stays], members)
    assert [document.net for document in shown] == [one.net for one in (*meals, *stays)]
    with_coupon = [document for document in shown if document.coupon]
    assert 0 < len(with_coupon) < len(stays)
    for stay in with_coupon:
        assert any(
            meal.owner == stay.owner
            and meal.net >= DINNER_FROM
            and stay.occurred_at - COUPON_LIVES <= meal.occurred_at <= stay.occurred_at
            for meal in meals
        )
    assert {one.activity for one in activities} == {"birthday", "check_in", "review", "tasting"}
    assert all(one.owner is not None and not one.lines for one in activities)
    assert len({(one.business_unit, one.document_id) for one in activities}) == len(activities)


def test_the_sample_policy_has_no_error_and_no_warning() -> None:
    findings = check(load(POLICY.read_bytes()))
    assert {finding.severity for finding in findings} == {"info"}
