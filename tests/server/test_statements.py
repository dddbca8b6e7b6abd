"""The lines of a statement add up to what the account has."""

from loyalty.v1.account_service_pb2 import BalanceChange, GetAccountRequest, ListEntriesRequest
from loyalty.v1.ledger_service_pb2 import ReleaseHoldRequest
from loyalty.v1.types_pb2 import Origin
from tests.server import requests
from tests.server.served import Caller

PARTS = ("available", "pending", "held", "arrears", "in_transit")


async def test_what_each_line_changed_has_a_sign_and_adds_up(caller: Caller) -> None:
    await caller.ledger.PostDocument(requests.sale(cents=2_000_00))
    await caller.ledger.HoldPoints(requests.hold())
    await caller.ledger.CaptureHold(requests.capture())
    await caller.ledger.HoldPoints(requests.hold("h-2", hold_id="H-2"))
    await caller.ledger.ReleaseHold(
        ReleaseHoldRequest(request_id="x-1", origin=Origin(business_unit="market"), hold_id="H-2")
    )
    less = requests.sale("r-2", cents=900_00)
    less.document.version = 2
    await caller.ledger.PostDocument(less)

    asked = ListEntriesRequest(member=requests.member(), currency="point", page_size=1_000)
    entries = (await caller.accounts.ListEntries(asked)).entries
    changes = {entry.movement.kind: entry.change for entry in entries}
    assert changes["points_clawed_back"].available < 0 < changes["points_earned"].available
    assert changes["hold_captured"] == BalanceChange(held=-500)
    assert changes["hold_released"] == BalanceChange(available=500, held=-500)
    read = await caller.accounts.GetAccount(GetAccountRequest(member=requests.member()))
    [balance] = [row for row in read.account.balances if row.currency == "point"]
    for part in PARTS:
        assert sum(getattr(each.change, part) for each in entries) == getattr(balance, part)
    after = 0
    for entry in reversed(entries):
        after += entry.change.available
        assert not entry.HasField("available_after") or entry.available_after == after
