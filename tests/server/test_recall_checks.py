"""What a recall may say: each wrong word is refused by name."""

from collections.abc import Callable

import pytest

from ledger.core.refusals import Malformed
from loyalty.v1.ledger_service_pb2 import RecallPointsRequest
from loyalty.v1.types_pb2 import (
    RECALL_ACTION_CLAW_BACK,
    RECALL_ACTION_QUARANTINE,
    RECALL_ACTION_RELEASE,
    RECALL_ACTION_UNSPECIFIED,
    RECALL_SPENT_ARREARS,
    RECALL_SPENT_WRITE_OFF,
    Origin,
)
from server.checking.recalls import LOTS_MAX, recall_points
from tests.server import requests


def right() -> RecallPointsRequest:
    return RecallPointsRequest(
        request_id="r-1",
        origin=Origin(business_unit="market"),
        member=requests.member(),
        recall_id="double-june",
        action=RECALL_ACTION_QUARANTINE,
        lot_ids=["L.1"],
        reason="paid twice",
    )


def changed(**fields: object) -> Callable[[RecallPointsRequest], None]:
    def change(request: RecallPointsRequest) -> None:
        for name, value in fields.items():
            if isinstance(value, list):
                del getattr(request, name)[:]
                getattr(request, name).extend(value)
            else:
                setattr(request, name, value)

    return change


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (changed(request_id=""), "request_id"),
        (changed(recall_id=""), "recall_id"),
        (changed(recall_id="x" * 65), "recall_id"),
        (changed(action=RECALL_ACTION_UNSPECIFIED), "action"),
        (changed(action=9), "action"),
        (changed(lot_ids=[]), "lot_ids"),
        (changed(lot_ids=["L"] * (LOTS_MAX + 1)), "lot_ids"),
        (changed(lot_ids=["L.1", ""]), "lot_ids[1]"),
        (changed(spent=RECALL_SPENT_ARREARS), "spent"),
        (changed(spent=7), "spent"),
        (changed(write_off_to="hotel"), "write_off_to"),
        (
            changed(
                action=RECALL_ACTION_CLAW_BACK, spent=RECALL_SPENT_ARREARS, write_off_to="hotel"
            ),
            "write_off_to",
        ),
        (changed(reason=""), "reason"),
        (changed(reason="x" * 201), "reason"),
    ],
)
def test_a_wrong_word_is_refused_by_name(
    change: Callable[[RecallPointsRequest], None], field: str
) -> None:
    request = right()
    recall_points(request)
    change(request)
    with pytest.raises(Malformed) as refused:
        recall_points(request)
    assert refused.value.fields["field"] == field


@pytest.mark.parametrize("action", [RECALL_ACTION_RELEASE, RECALL_ACTION_CLAW_BACK])
def test_without_lots_it_is_about_what_was_set_aside(action: int) -> None:
    request = right()
    changed(action=action, lot_ids=[])(request)
    recall_points(request)


def test_a_unit_may_bear_what_was_spent() -> None:
    request = right()
    change = changed(
        action=RECALL_ACTION_CLAW_BACK, spent=RECALL_SPENT_WRITE_OFF, write_off_to="hotel"
    )
    change(request)
    recall_points(request)
