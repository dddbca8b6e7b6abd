"""The demo's files are read completely and exactly: their totals are the published ones."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import pytest

from server.demo import dining, hotel, market, web
from server.demo.owners import Members
from server.demo.sources import Source, SourceError, Status, exact_minor, slug, total
from server.demo.year import Scale

MEMBERS = Members(range(1, 2_470))


def ties(source: Source) -> bool:
    """What its documents come to in the end is what the file says, to the cent."""
    return total(source.documents) == source.control.expected


def test_a_float_that_means_cents_becomes_exactly_those() -> None:
    assert exact_minor(0.29) == 29
    assert exact_minor(-6.38) == -638
    assert exact_minor(2.2899999999999996) == 229
    with pytest.raises(SourceError, match="no amount of whole cents"):
        exact_minor(0.005)


def test_departments_become_categories() -> None:
    assert [slug(text) for text in ("DRUG GM", "ELECT &PLUMBING", None, "")] == [
        "drug-gm",
        "elect-plumbing",
        "other",
        "other",
    ]


@pytest.mark.slow
def test_the_whole_supermarket_ties_to_its_published_total() -> None:
    source = market.read(None)
    assert source.control.amount == market.PUBLISHED == total(source.documents)
    assert source.control.documents == len(source.documents) == 155_848
    assert len({document.owner for document in source.documents}) == 2_469


def test_a_slice_of_the_supermarket_says_what_it_left_out() -> None:
    source = market.read(20)
    assert source.control.amount == market.PUBLISHED
    assert source.control.left_out > 0
    assert {document.owner for document in source.documents} == set(range(1, 21))
    assert ties(source)


def test_the_restaurant_ties_to_its_published_total() -> None:
    source = dining.read(MEMBERS)
    assert source.control.amount == dining.PUBLISHED == total(source.documents)
    assert len(source.documents) == 21_350
    known = sum(document.owner is not None for document in source.documents)
    assert 11_300 < known < 12_200


def test_the_hotels_tie_to_their_published_total(shared: Path) -> None:
    assert shared
    source = hotel.read(MEMBERS, real=True)
    assert source.control.amount == hotel.PUBLISHED
    assert source.control.documents == 75_166
    assert ties(source)
    cancelled = [item for item in source.documents if item.status is Status.CANCELLED]
    assert cancelled
    assert all(item.version == 2 and item.net == 0 for item in cancelled)


@pytest.mark.slow
def test_the_web_shop_ties_to_its_published_total_but_for_reported_rounding(shared: Path) -> None:
    assert shared
    source = web.read(MEMBERS, real=True)
    assert source.control.amount == web.PUBLISHED
    assert source.control.documents == 25_900
    assert 0 < abs(source.control.rounding) < Decimal("0.05")
    assert ties(source)
    assert max(document.version for document in source.documents) > 1
    assert max(len(document.lines) for document in source.documents) <= 10


@pytest.mark.parametrize("unit", [hotel, web])
def test_without_the_files_traffic_is_made_up_the_same_on_every_run(unit: object) -> None:
    first, second = (
        (hotel.read(MEMBERS, real=False), hotel.read(MEMBERS, real=False))
        if unit is hotel
        else (web.read(MEMBERS, real=False), web.read(MEMBERS, real=False))
    )
    assert first.documents == second.documents
    assert ties(first)


@pytest.mark.parametrize("unit", [dining, hotel, web])
def test_a_share_ties_and_is_part_of_a_larger_one(unit: ModuleType) -> None:
    real = {} if unit is dining else {"real": False}
    quarter, half, whole = (
        unit.read(MEMBERS, share=Fraction(part, 4), **real) for part in (1, 2, 4)
    )
    keys = [
        {(document.document_id, document.version) for document in source.documents}
        for source in (quarter, half, whole)
    ]
    assert keys[0] < keys[1] < keys[2]
    assert abs(Fraction(len(keys[0]), len(keys[2])) - Fraction(1, 4)) < Fraction(1, 20)
    assert quarter.control.amount == half.control.amount == whole.control.amount
    assert quarter.control.documents == whole.control.documents
    assert quarter.control.left_out > half.control.left_out > whole.control.left_out == 0
    assert ties(quarter)
    assert ties(half)


@pytest.mark.slow
def test_a_share_of_the_real_files_ties_too(shared: Path) -> None:
    assert shared
    stays = hotel.read(MEMBERS, real=True, share=Fraction(1, 10))
    assert stays.control.amount == hotel.PUBLISHED
    assert ties(stays)
    orders = web.read(MEMBERS, real=True, share=Fraction(1, 10))
    assert orders.control.amount == web.PUBLISHED
    assert ties(orders)
    assert max(document.version for document in orders.documents) > 1


def test_the_share_fits_the_households_if_nobody_says_it() -> None:
    assert Scale(200, real=False).part == Fraction(1, 4)
    assert Scale(800, real=False).part == Scale(2_469, real=False).part == 1
    assert Scale(None, real=False).part == 1
    assert Scale(200, real=False, share=Fraction(1)).part == 1


@pytest.mark.slow
def test_versions_of_a_document_come_about_in_order() -> None:
    for source in (hotel.read(MEMBERS, real=False), web.read(MEMBERS, real=True)):
        latest: dict[str, tuple[int, int]] = {}
        for document in source.documents:
            before = latest.get(document.document_id, (0, 0))
            assert document.version == before[0] + 1
            assert document.occurred_at >= before[1]
            latest[document.document_id] = (document.version, document.occurred_at)
