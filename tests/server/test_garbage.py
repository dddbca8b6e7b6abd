"""Reference counts free what a call makes, in the whole server."""

from loyalty.v1.account_service_pb2 import GetAccountRequest, ListEntriesRequest
from tests.cycles import cycles
from tests.server import requests
from tests.server.served import Caller


async def calls(caller: Caller, turn: int) -> None:
    """Writes and reads."""
    await caller.ledger.PostDocument(requests.sale(f"s{turn}", document_id=f"D{turn}"))
    await caller.ledger.BurnPoints(requests.burn(f"b{turn}", 100))
    await caller.accounts.GetAccount(GetAccountRequest(member=requests.member()))
    await caller.accounts.ListEntries(ListEntriesRequest(member=requests.member()))


async def test_calls_leave_no_cycles(caller: Caller) -> None:
    await caller.ledger.PostDocument(requests.sale(document_id="T1", cents=1_000_00))
    await calls(caller, 0)
    with cycles() as found:
        for turn in range(1, 4):
            await calls(caller, turn)
    assert found == []
