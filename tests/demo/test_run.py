"""A small year, all the way through: database, server, gRPC, projections, replay, verification."""

from dataclasses import replace
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from server.demo import hotel, market, web
from server.demo.owners import CUSTOMER_PERCENT, ORDER_PERCENT, Members
from server.demo.returns import returns_of
from server.demo.run import MARKER, Demo, DemoFailed, run_demo
from server.demo.sources import Control, Source, Status, major, seeded, total
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
    back = major(sum(before.net - later.net for before, later in pairs))
    return Year((shop, *others), members, documents, {"market": back})


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
